//===- GridTest.cpp - the grids of groups of weights ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Quantization/Grid.h"

#include "mlir/IR/Builders.h"
#include "gtest/gtest.h"

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
    Grid grid = fitGrid(encoding(4, ZeroPoint::None), false, {sign * 0.5f, sign * -4.0f, sign});
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

TEST_F(GridTest, OfEqualMagnitudesTheNegativeOneIsKept) {
  Grid grid = fitGrid(encoding(4, ZeroPoint::None), false, {8.0f, -8.0f});
  EXPECT_EQ(grid.scale, 1.0f);
  EXPECT_EQ(grid.decode(grid.encode(-8.0f)), -8.0f);
  EXPECT_EQ(grid.decode(grid.encode(8.0f)), 7.0f);
}

TEST_F(GridTest, IntegerZeroPointsAreOfARangeThatIncludesZero) {
  // Positive weights alone: the range starts at 0, so the zero point is code 0.
  Grid positive = fitGrid(encoding(4, ZeroPoint::Integer), false, {3.0f, 15.0f});
  EXPECT_EQ(positive.scale, 1.0f);
  EXPECT_EQ(positive.zero, 0);
  Grid negative = fitGrid(encoding(4, ZeroPoint::Integer), false, {-3.0f, -15.0f});
  EXPECT_EQ(negative.scale, 1.0f);
  EXPECT_EQ(negative.zero, 15);
  Grid mixed = fitGrid(encoding(2, ZeroPoint::Integer), false, {-1.0f, 2.0f});
  EXPECT_EQ(mixed.scale, 1.0f);
  EXPECT_EQ(mixed.zero, 1);
  EXPECT_EQ(mixed.decode(mixed.encode(0.0f)), 0.0f);
}

TEST_F(GridTest, FloatMinimaAreOfTheWeightsOwnRange) {
  Grid grid = fitGrid(encoding(4, ZeroPoint::Float), false, {10.0f, 25.0f});
  EXPECT_EQ(grid.scale, 1.0f);
  EXPECT_EQ(grid.minimum, 10.0f);
  EXPECT_EQ(grid.encode(10.0f), 0u);
  EXPECT_EQ(grid.encode(25.0f), 15u);
}

TEST_F(GridTest, RoundsHalfToEvenAndStaysInRange) {
  Grid grid = fitGrid(encoding(4, ZeroPoint::None), false, {-8.0f});
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
      Grid grid = fitGrid(encoding(4, zero, type), false, normal(64, 1));
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
      Grid grid = fitGrid(encoding(3, zero), false, {value, value, value});
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
      Grid fitted = fitGrid(encoding(bits, zero, builder.getF16Type()), false, weights);
      for (float weight : weights)
        EXPECT_EQ(fitted.decode(fitted.encode(weight)), weight) << bits << " bits";
    }
}

TEST_F(GridTest, ClipSearchNeverLoses) {
  for (unsigned bits : {2u, 3u, 4u})
    for (ZeroPoint zero : {ZeroPoint::None, ZeroPoint::Integer, ZeroPoint::Float}) {
      double plain = 0, searched = 0;
      for (uint64_t seed = 0; seed < 20; ++seed) {
        std::vector<float> weights = normal(128, seed);
        double all = error(fitGrid(encoding(bits, zero), false, weights), weights, 2.4);
        double clipped = error(fitGrid(encoding(bits, zero), true, weights), weights, 2.4);
        EXPECT_LE(clipped, all * (1 + 1e-6));
        plain += all;
        searched += clipped;
      }
      EXPECT_LT(searched, 0.95 * plain) << bits << " bits: the search found nothing";
    }
}
