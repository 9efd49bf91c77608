//===- GridTest.cpp - the grids of groups of weights ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Quantization/Grid.h"

#include "mlir/IR/Builders.h"
#include "gtest/gtest.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

using namespace llmc;

namespace {

class GridTest : public ::testing::Test {
protected:
  GridTest() : builder(&context) { context.loadDialect<LLMCDialect>(); }

  GroupedAttr encoding(unsigned bits, ZeroPoint zero, mlir::Type scale = nullptr) {
    return GroupedAttr::get(&context, bits, GroupedAttr::channelGroup, zero,
                            scale ? scale : builder.getF32Type());
  }

  static std::vector<float> normal(size_t count, uint64_t seed) {
    std::mt19937_64 random(seed);
    std::normal_distribution<float> distribution;
    std::vector<float> values(count);
    for (float &value : values)
      value = distribution(random);
    return values;
  }

  static double error(const Grid &grid, llvm::ArrayRef<float> weights, double norm) {
    double sum = 0;
    for (float weight : weights)
      sum += std::pow(std::fabs(double(grid.decode(grid.encode(weight))) - weight), norm);
    return sum;
  }

  mlir::MLIRContext context;
  mlir::Builder builder;
};

} // namespace

TEST_F(GridTest, SymmetricGridsUseAllCodes) {
  // The weight of largest magnitude is at the end that has one number more, whatever its sign.
  for (float sign : {1.0f, -1.0f}) {
    Grid grid = fitGrid(encoding(4, ZeroPoint::None), {sign * 0.5f, sign * -4.0f, sign});
    EXPECT_EQ(grid.scale, sign * 0.5f);
    EXPECT_EQ(grid.zero, 8);
    EXPECT_EQ(grid.encode(sign * -4.0f), 0u);
    EXPECT_EQ(grid.encode(sign * 0.5f), 9u);
    EXPECT_EQ(grid.encode(0.0f), 8u);
    EXPECT_EQ(grid.encode(sign * 4.0f), 15u);
    EXPECT_EQ(grid.decode(0), sign * -4.0f);
    EXPECT_EQ(grid.decode(15), sign * 3.5f);
  }
}

TEST_F(GridTest, SymmetricGridsLeaveACodeOutWhereThatLosesLess) {
  // The positive end would be a step beyond the last code.
  Grid grid = fitGrid(encoding(4, ZeroPoint::None), {7.0f, -7.0f});
  EXPECT_EQ(grid.scale, 1.0f);
  EXPECT_EQ(grid.encode(-7.0f), 1u);
  EXPECT_EQ(grid.decode(grid.encode(-7.0f)), -7.0f);
  EXPECT_EQ(grid.decode(grid.encode(7.0f)), 7.0f);
  // Many small weights of the finer grid outweigh it.
  std::vector<float> weights(64, 0.5f);
  weights.insert(weights.end(), {4.0f, -4.0f});
  EXPECT_EQ(fitGrid(encoding(4, ZeroPoint::None), weights).scale, 0.5f);
}

TEST_F(GridTest, IntegerZeroPointsAreOfARangeThatIncludesZero) {
  // Positive weights alone: the range starts at 0, so the zero point is code 0.
  Grid positive = fitGrid(encoding(4, ZeroPoint::Integer), {3.0f, 15.0f});
  EXPECT_EQ(positive.scale, 1.0f);
  EXPECT_EQ(positive.zero, 0);
  Grid negative = fitGrid(encoding(4, ZeroPoint::Integer), {-3.0f, -15.0f});
  EXPECT_EQ(negative.scale, 1.0f);
  EXPECT_EQ(negative.zero, 15);
  Grid mixed = fitGrid(encoding(2, ZeroPoint::Integer), {-1.0f, 2.0f});
  EXPECT_EQ(mixed.scale, 1.0f);
  EXPECT_EQ(mixed.zero, 1);
  EXPECT_EQ(mixed.decode(mixed.encode(0.0f)), 0.0f);
}

TEST_F(GridTest, FloatMinimaAreOfTheWeightsOwnRange) {
  Grid grid = fitGrid(encoding(4, ZeroPoint::Float), {10.0f, 25.0f});
  EXPECT_EQ(grid.scale, 1.0f);
  EXPECT_EQ(grid.minimum, 10.0f);
  EXPECT_EQ(grid.encode(10.0f), 0u);
  EXPECT_EQ(grid.encode(25.0f), 15u);
}

TEST_F(GridTest, RoundsHalfToEvenAndStaysInRange) {
  Grid grid = fitGrid(encoding(4, ZeroPoint::None), {-8.0f});
  ASSERT_EQ(grid.scale, 1.0f);
  EXPECT_EQ(grid.encode(0.5f), 8u);
  EXPECT_EQ(grid.encode(1.5f), 10u);
  EXPECT_EQ(grid.encode(-0.5f), 8u);
  EXPECT_EQ(grid.encode(2.5f), 10u);
  EXPECT_EQ(grid.encode(100.0f), 15u);
  EXPECT_EQ(grid.encode(-100.0f), 0u);
  EXPECT_EQ(grid.encode(std::nanf("")), 0u);
}

TEST_F(GridTest, ScalesAreNumbersOfTheirType) {
  for (mlir::Type type : {mlir::Type(builder.getF16Type()), mlir::Type(builder.getBF16Type())})
    for (ZeroPoint zero : {ZeroPoint::None, ZeroPoint::Integer, ZeroPoint::Float}) {
      Grid grid = fitGrid(encoding(4, zero, type), normal(64, 1));
      uint8_t bytes[4];
      writeFloat(bytes, 0, type, grid.scale);
      EXPECT_EQ(readFloat(bytes, 0, type), grid.scale);
      writeFloat(bytes, 0, type, grid.minimum);
      EXPECT_EQ(readFloat(bytes, 0, type), grid.minimum);
    }
}

TEST_F(GridTest, GroupsOfOneNumberAreKept) {
  for (ZeroPoint zero : {ZeroPoint::None, ZeroPoint::Integer, ZeroPoint::Float})
    for (float value : {0.0f, 1.0f, -2.0f}) {
      Grid grid = fitGrid(encoding(3, zero), {value, value, value});
      EXPECT_FLOAT_EQ(grid.decode(grid.encode(value)), value);
    }
}

TEST_F(GridTest, WeightsOnAGridAreKept) {
  // Both ends of the range occur, so the fit finds the same grid again.
  for (unsigned bits = 2; bits <= 8; ++bits)
    for (ZeroPoint zero : {ZeroPoint::None, ZeroPoint::Integer, ZeroPoint::Float}) {
      Grid grid;
      grid.last = (1u << bits) - 1;
      grid.scale = 0.0078125f; // exact in every type
      grid.minimum = zero == ZeroPoint::Float ? -0.375f : 0;
      grid.zero = zero == ZeroPoint::None ? 1 << (bits - 1) : zero == ZeroPoint::Integer ? 1 : 0;
      std::vector<float> weights;
      for (unsigned code = 0; code <= grid.last; ++code)
        weights.push_back(grid.decode(code));
      Grid fitted = fitGrid(encoding(bits, zero, builder.getF16Type()), weights);
      for (float weight : weights)
        EXPECT_EQ(fitted.decode(fitted.encode(weight)), weight) << bits << " bits";
    }
}

TEST_F(GridTest, SearchKeepsWeightsOnAnyGrid) {
  // The number of code 0 does not occur, as where grids reach as far on both sides.
  for (unsigned bits = 3; bits <= 8; ++bits)
    for (ZeroPoint zero : {ZeroPoint::None, ZeroPoint::Integer})
      for (float scale : {0.0078125f, -0.0078125f}) {
        if (zero != ZeroPoint::None && scale < 0)
          continue;
        Grid grid;
        grid.last = (1u << bits) - 1;
        grid.scale = scale;
        grid.zero = 1 << (bits - 1);
        std::vector<float> weights;
        for (unsigned code = 1; code <= grid.last; ++code)
          weights.push_back(grid.decode(code));
        std::vector<float> alike(weights.size(), 1.0f);
        Grid found = searchGrid(encoding(bits, zero, builder.getF16Type()), weights, alike);
        for (float weight : weights)
          EXPECT_EQ(found.decode(found.encode(weight)), weight) << bits << " bits";
      }
}

TEST_F(GridTest, SearchNeverLoses) {
  for (unsigned bits : {2u, 3u, 4u, 8u})
    for (ZeroPoint zero : {ZeroPoint::None, ZeroPoint::Integer, ZeroPoint::Float}) {
      double plain = 0, searched = 0;
      for (uint64_t seed = 0; seed < 20; ++seed) {
        std::vector<float> weights = normal(128, seed), alike(128, 1.0f);
        double all = error(fitGrid(encoding(bits, zero), weights), weights, 2);
        double clipped = error(searchGrid(encoding(bits, zero), weights, alike), weights, 2);
        EXPECT_LE(clipped, all * (1 + 1e-6));
        plain += all;
        searched += clipped;
      }
      EXPECT_LT(searched, (bits == 8 ? 0.99 : 0.95) * plain) << bits << " bits: nothing was found";
    }
}

// A thousand ranges on both sides of zero, each with its least squares, tried one after another.
TEST_F(GridTest, SearchFindsWhatTryingAllFinds) {
  for (unsigned bits : {2u, 3u, 4u})
    for (size_t size : {size_t(32), size_t(100)}) {
      double searched = 0, exhaustive = 0;
      for (uint64_t seed = 0; seed < 20; ++seed) {
        std::vector<float> weights = normal(size, seed), alike(size, 1.0f);
        searched += error(searchGrid(encoding(bits, ZeroPoint::None), weights, alike), weights, 2);
        double least = std::numeric_limits<double>::infinity();
        float largest = 0;
        for (float weight : weights)
          largest = std::max(largest, std::fabs(weight));
        int end = 1 << (bits - 1);
        for (int step = -500; step <= 500; ++step) {
          double scale = largest * 2 * step / (500.0 * end);
          double codes = 0, product = 0, squares = 0;
          for (float weight : weights) {
            double code = std::clamp(std::nearbyint(weight / scale), -1.0 * end, end - 1.0);
            codes += code * code;
            product += code * weight;
            squares += double(weight) * weight;
          }
          if (step != 0 && codes > 0)
            least = std::min(least, squares - product * product / codes);
        }
        exhaustive += least;
      }
      EXPECT_LT(searched, 1.005 * exhaustive) << bits << " bits, groups of " << size;
    }
}

TEST_F(GridTest, SearchMindsWhatCounts) {
  // The outlier counts for nothing, so the grid is that of the others.
  std::vector<float> weights = normal(64, 3), importance(64, 1.0f);
  weights[7] = 12;
  importance[7] = 0;
  for (ZeroPoint zero : {ZeroPoint::None, ZeroPoint::Integer}) {
    Grid grid = searchGrid(encoding(4, zero), weights, importance);
    Grid all = fitGrid(encoding(4, zero), weights);
    double found = 0, plain = 0;
    for (size_t i = 0; i < weights.size(); ++i) {
      found += importance[i] * std::pow(grid.decode(grid.encode(weights[i])) - weights[i], 2);
      plain += importance[i] * std::pow(all.decode(all.encode(weights[i])) - weights[i], 2);
    }
    EXPECT_LT(found, plain);
  }
}

TEST_F(GridTest, SearchTakesWhatIsHardToDivide) {
  for (ZeroPoint zero : {ZeroPoint::None, ZeroPoint::Integer, ZeroPoint::Float})
    for (float unit : {0.0f, 1e-45f, 1e-38f, 1e38f}) {
      std::vector<float> weights{0, unit, -2 * unit, unit}, alike(4, 1.0f);
      double found = error(searchGrid(encoding(4, zero), weights, alike), weights, 2);
      EXPECT_LE(found, error(fitGrid(encoding(4, zero), weights), weights, 2) * (1 + 1e-6));
    }
}

// The published iterations (Badri and Shaji 2023, section 3), in their own terms: scale s and zero
// z of w·s + z.
TEST_F(GridTest, HalfQuadraticIterationsAreThePublishedOnes) {
  for (unsigned bits : {2u, 4u})
    for (uint64_t seed = 0; seed < 20; ++seed) {
      std::vector<float> weights = normal(64, seed);
      for (float &weight : weights)
        weight *= 0.05f;
      weights[5] *= 4;
      auto [low, high] = std::minmax_element(weights.begin(), weights.end());
      double last = (1 << bits) - 1, s = 1 / double((*high - *low) / float(last)), z = -*low * s;
      double best = z, least = INFINITY, beta = 10;
      for (int iteration = 0; iteration <= 20; ++iteration) {
        double sum = 0, error = 0;
        for (double w : weights) {
          double q = std::clamp(std::nearbyint(w * s + z), 0.0, last), lost = w - (q - z) / s;
          double kept = std::fabs(lost) - std::pow(std::fabs(lost), -0.3) / beta;
          sum += q - (w - (kept > 0 ? std::copysign(kept, lost) : 0)) * s;
          error += std::fabs(lost);
        }
        if (!(error < least))
          break;
        least = error;
        best = z;
        z = sum / static_cast<double>(weights.size());
        beta *= 1.01;
      }
      Grid grid = fitHalfQuadratic(encoding(bits, ZeroPoint::Float), weights, {});
      EXPECT_NEAR(grid.scale, 1 / s, 1e-6 / s);
      EXPECT_NEAR(grid.minimum, -best / s, 1e-5 / s) << bits << " bits, seed " << seed;
      EXPECT_LE(error(grid, weights, 1),
                error(fitGrid(encoding(bits, ZeroPoint::Float), weights), weights, 1));
    }
}

TEST_F(GridTest, HalfQuadraticKeepsWhatIsExact) {
  std::vector<float> weights{-0.25f, 0.5f, 1.25f, 2.0f};
  Grid grid = fitHalfQuadratic(encoding(2, ZeroPoint::Float), weights, {});
  EXPECT_EQ(error(grid, weights, 1), 0);
  std::vector<float> alike(8, 0.3f);
  EXPECT_EQ(fitHalfQuadratic(encoding(4, ZeroPoint::Float), alike, {}).decode(0), 0.3f);
}
