//===- SpQRTest.cpp - outliers, and scales that are rounded too ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The laws that both satisfy, against plain arithmetic in double precision.
//
//===----------------------------------------------------------------------===//

#include "TransformsTestSupport.h"
#include "llmc/Transforms/Quantization/GPTQ.h"
#include "llmc/Transforms/Quantization/Grid.h"
#include "llmc/Transforms/Quantization/Outliers.h"

#include <cmath>
#include <random>

using namespace llmc;

namespace {

class SpQRTest : public test::WeightsTest {
protected:
  static constexpr int64_t rows = 21, columns = 160, group = 16;

  GroupedAttr getGrid(mlir::Type scale) {
    return GroupedAttr::get(&context, 3, group, ZeroPoint::Integer, scale);
  }
  BilevelAttr getBilevel(unsigned scaleBits = 3) {
    return BilevelAttr::get(&context, 3, group, scaleBits, 4, builder.getF16Type());
  }
  OutliersAttr getOutliers(int64_t count, EncodingInterface inner) {
    return OutliersAttr::get(&context, count, builder.getF16Type(), mlir::Attribute(inner));
  }

  /// Normal weights, of which a few are many times as large.
  static WeightValues makeWeights() {
    std::mt19937_64 random(1);
    std::normal_distribution<float> normal;
    WeightValues values;
    values.rows = rows;
    values.columns = columns;
    for (int64_t i = 0; i < rows * columns; ++i)
      values.data.push_back(normal(random) * (random() % 50 == 0 ? 8.0f : 1.0f));
    return values;
  }

  /// The second moment of inputs that depend on each other.
  static std::vector<double> makeHessian() {
    std::mt19937_64 random(2);
    std::normal_distribution<double> normal;
    std::vector<double> hessian(columns * columns), x(columns);
    for (int64_t sample = 0; sample < 2 * columns; ++sample) {
      double state = 0;
      for (int64_t i = 0; i < columns; ++i)
        x[i] = (state = 0.9 * state + normal(random)) * static_cast<double>(1 + i % 5);
      for (int64_t i = 0; i < columns; ++i)
        for (int64_t j = 0; j < columns; ++j)
          hessian[i * columns + j] += x[i] * x[j];
    }
    return hessian;
  }

  static InverseHessian prepare() {
    llvm::Expected<InverseHessian> prepared =
        InverseHessian::create(makeHessian(), columns, 0.01, false);
    EXPECT_TRUE(bool(prepared));
    return std::move(*prepared);
  }

  GPTQResult run(const WeightValues &values, EncodingInterface encoding) {
    ParameterOp parameter = makeParameter(values.data, rows);
    auto result = quantizeGPTQ(parameter, values, prepare(), {encoding, /*fit=*/true});
    EXPECT_TRUE(mlir::succeeded(result));
    parameter.erase();
    return std::move(*result);
  }

  /// tr(ΔW·H·ΔWᵀ), with nothing added to H.
  static double getLoss(const WeightValues &values, llvm::ArrayRef<float> decoded) {
    std::vector<double> hessian = makeHessian(), error(columns);
    double loss = 0;
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t i = 0; i < columns; ++i)
        error[i] = static_cast<double>(values.row(row)[i]) - decoded[row * columns + i];
      for (int64_t i = 0; i < columns; ++i)
        for (int64_t j = 0; j < columns; ++j)
          loss += error[i] * hessian[i * columns + j] * error[j];
    }
    return loss;
  }
};

/// Σ h·(w − w')² of some of a group's weights, by the grid of min and max and zero.
double getError(llvm::ArrayRef<float> weights, llvm::ArrayRef<float> importance, int64_t without) {
  float low = 0, high = 0;
  for (auto [i, weight] : llvm::enumerate(weights))
    if (static_cast<int64_t>(i) != without) {
      low = std::min(low, weight);
      high = std::max(high, weight);
    }
  float scale = (high - low) / 7;
  float zero = std::nearbyint(-low / scale);
  double sum = 0;
  for (auto [i, weight] : llvm::enumerate(weights))
    if (static_cast<int64_t>(i) != without) {
      float code = std::clamp(std::nearbyint(weight / scale) + zero, 0.0f, 7.0f);
      double error = static_cast<double>(weight) - static_cast<double>(code - zero) * scale;
      sum += importance[i] * error * error;
    }
  return sum;
}

} // namespace

TEST_F(SpQRTest, OutliersAreThoseThatTheirGroupGainsMostWithout) {
  WeightValues values = makeWeights();
  std::vector<float> importance;
  for (int64_t i = 0; i < columns; ++i)
    importance.push_back(static_cast<float>(1 + i % 7) / 7);
  for (int64_t count : {int64_t(1), int64_t(5), columns}) {
    auto chosen =
        chooseOutliers(&context, values, getGrid(builder.getF32Type()), count, importance);
    for (int64_t row = 0; row < rows; ++row) {
      double least = INFINITY, most = -INFINITY;
      int64_t found = 0;
      for (int64_t i = 0; i < columns; ++i) {
        auto weights = values.row(row).slice(i / group * group, group);
        auto counts = llvm::ArrayRef(importance).slice(i / group * group, group);
        double gain = getError(weights, counts, -1) - getError(weights, counts, i % group);
        bool isChosen = chosen[row * columns + i];
        found += isChosen;
        if (isChosen)
          least = std::min(least, gain);
        else
          most = std::max(most, gain);
      }
      EXPECT_EQ(found, count);
      EXPECT_GE(least, most - 1e-5);
    }
  }
}

// They are listed as f16 has them, and zero in what is stored of all.
TEST_F(SpQRTest, OutliersAreExact) {
  WeightValues values = makeWeights();
  constexpr int64_t count = 4;
  values.outliers = chooseOutliers(&context, values, getGrid(builder.getF32Type()), count,
                                   prepare().getImportance());
  for (EncodingInterface inner :
       {EncodingInterface(getBilevel()), EncodingInterface(getGrid(builder.getF16Type()))}) {
    OutliersAttr encoding = getOutliers(count, inner);
    GPTQResult result = run(values, encoding);
    std::vector<float> decoded = decode(encoding, rows, columns, result.weight.bytes);
    std::vector<float> dense = decode(inner, rows, columns, result.weight.bytes);
    for (int64_t i = 0; i < rows * columns; ++i) {
      if (!values.outliers[i]) {
        ASSERT_EQ(decoded[i], dense[i]);
        continue;
      }
      ASSERT_EQ(dense[i], 0.0f);
      ASSERT_EQ(decoded[i], roundToType(builder.getF16Type(), decoded[i]));
    }
    // Nothing is made up for in the first column.
    for (int64_t row = 0; row < rows; ++row)
      if (values.outliers[row * columns])
        EXPECT_EQ(decoded[row * columns],
                  roundToType(builder.getF16Type(), values.data[row * columns]));
    EXPECT_NEAR(
        *result.weight.outputError * *result.weight.outputError,
        getLoss(values, decoded) / getLoss(values, std::vector<float>(rows * columns, 0.0f)), 1e-9);
  }
}

TEST_F(SpQRTest, OutliersLoseLessThanNone) {
  WeightValues values = makeWeights();
  for (EncodingInterface inner :
       {EncodingInterface(getBilevel()), EncodingInterface(getGrid(builder.getF16Type()))}) {
    values.outliers.clear();
    GPTQResult without = run(values, inner);
    double before = without.loss;
    for (int64_t count : {1, 2, 4, 8}) {
      values.outliers = chooseOutliers(&context, values, getGrid(builder.getF32Type()), count,
                                       prepare().getImportance());
      GPTQResult with = run(values, getOutliers(count, inner));
      EXPECT_LT(with.loss, before) << count;
      before = with.loss;
    }
    EXPECT_LT(before, without.loss / 2);
  }
}

// Of all grids that a group can have with its row's steps none loses less.
TEST_F(SpQRTest, ScalesAreTheBestThatThereAre) {
  WeightValues values = makeWeights();
  BilevelAttr encoding = getBilevel();
  QuantizedWeight rounded = round(values.data, rows, encoding, /*fit=*/true);
  std::vector<float> decoded = decode(encoding, rows, columns, rounded.bytes);
  auto form = CanonicalForm::get(encoding, {rows, columns});
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t begin = 0; begin < columns; begin += group) {
      int64_t outer = begin / group / encoding.getScaleGroup();
      double step = form[BilevelAttr::steps].readReal(rounded.bytes.data(), row, outer);
      unsigned offset = form[BilevelAttr::offsets].readInteger(rounded.bytes.data(), row, outer);
      double least = INFINITY, found = 0;
      for (unsigned scale = 0; scale < 8; ++scale)
        for (int zero = 0; zero < 8; ++zero) {
          double sum = 0, size = (scale + offset) * step;
          for (int64_t i = begin; i < begin + group; ++i) {
            double weight = values.row(row)[i], nearest = INFINITY;
            for (int code = 0; code < 8; ++code)
              nearest = std::min(nearest, std::fabs(weight - (code - zero) * size));
            sum += nearest * nearest;
          }
          least = std::min(least, sum);
        }
      for (int64_t i = begin; i < begin + group; ++i) {
        double error = static_cast<double>(values.row(row)[i]) - decoded[row * columns + i];
        found += error * error;
      }
      EXPECT_NEAR(found, least, 1e-5 * least);
    }
}

// The more bits scales have, the nearer is what they lose to what scales lose that are no integers.
TEST_F(SpQRTest, MoreBitsOfScalesLoseLess) {
  WeightValues values = makeWeights();
  auto getError = [&](EncodingInterface encoding) {
    return getSquares(values.data, roundTrip(values.data, rows, encoding, /*fit=*/true));
  };
  double exact = getError(getGrid(builder.getF16Type())), before = INFINITY;
  for (unsigned bits : {1u, 2u, 3u, 5u}) {
    double error = getError(getBilevel(bits));
    EXPECT_LT(error, before) << bits;
    before = error;
  }
  EXPECT_LT(before, 1.02 * exact);
}

// Weights that are all zero, and those too small for steps of f16.
TEST_F(SpQRTest, SmallWeights) {
  std::vector<float> zeros(rows * columns, 0.0f);
  EXPECT_EQ(roundTrip(zeros, rows, getBilevel(), /*fit=*/true), zeros);
  EXPECT_EQ(roundTrip(zeros, rows, getBilevel()), zeros);
  WeightValues values = makeWeights();
  for (float &weight : values.data)
    weight *= 0x1p-20f;
  ParameterOp parameter = makeParameter(values.data, rows);
  mlir::ScopedDiagnosticHandler quiet(&context, [](mlir::Diagnostic &) {});
  auto widened = mlir::dyn_cast<BilevelAttr>(widenScales(parameter, values, getBilevel()));
  ASSERT_TRUE(widened);
  EXPECT_TRUE(widened.getScale().isF32());
}
