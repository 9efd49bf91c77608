//===- TrellisFormatTest.cpp - weights rounded to #llmc.trellis ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TransformsTestSupport.h"
#include "llmc/Transforms/Quantization/GPTQ.h"
#include "llmc/Transforms/Quantization/SharedTables.h"

#include <cmath>
#include <random>

using namespace llmc;

namespace {

class TrellisFormat : public test::WeightsTest {
protected:
  /// 2, 2.5 … 5.
  static std::vector<WeightBits> getRates() {
    std::vector<WeightBits> rates;
    for (unsigned halves = TrellisAttr::leastHalves; halves <= TrellisAttr::mostHalves; ++halves)
      rates.push_back(WeightBits::ofHalves(halves));
    return rates;
  }

  EncodingInterface encoding(WeightBits bits, bool exact = false) {
    return TrellisAttr::ofHalves(&context, bits.halves,
                                 exact ? mlir::Type(builder.getF32Type()) : builder.getF16Type());
  }

  /// Σ (w − w')² per weight of Gaussian ones.
  double getNormalError(WeightBits bits, bool search = false) {
    constexpr int64_t rows = 64, columns = 1024;
    std::vector<float> weights = normal(rows * columns);
    QuantizedWeight quantized = round(weights, rows, encoding(bits), search);
    std::vector<float> decoded = decode(encoding(bits), rows, columns, quantized.bytes);
    double error = 0, square = 0;
    for (auto [weight, value] : llvm::zip(weights, decoded)) {
      error += std::pow(static_cast<double>(weight) - value, 2);
      square += static_cast<double>(weight) * weight;
    }
    EXPECT_NEAR(quantized.weightError, std::sqrt(error / square), 1e-9);
    return error / static_cast<double>(weights.size());
  }

  /// Calls `visit` with the values of all rows of some weights of 2 bits in fp64, as TrellisAttr.td
  /// describes them, for the table and the scale that `bytes` hold of one row.
  void forEachPath(EncodingInterface encoding, int64_t columns, llvm::ArrayRef<uint8_t> bytes,
                   llvm::function_ref<void(llvm::ArrayRef<double>)> visit) {
    CanonicalForm form = CanonicalForm::get(encoding, {1, columns});
    double scale = form[TrellisAttr::scales].readReal(bytes.data(), 0, 0);
    std::vector<double> values(columns);
    for (unsigned path = 0; path < 1u << (2 * columns); ++path) {
      unsigned window = 0;
      for (int64_t column = 0; column < columns; ++column) {
        window = window >> 2 | (path >> (2 * column) & 3) << 6;
        unsigned number = form[TrellisAttr::table].readInteger(bytes.data(), 0, window);
        values[column] = (static_cast<int>(number) - 128) * scale;
      }
      visit(values);
    }
  }

  /// Prepares the second moment of inputs that depend on each other: a random walk over columns.
  static InverseHessian makeHessian(int64_t columns, std::vector<double> *plain = nullptr) {
    std::mt19937_64 random(3);
    std::normal_distribution<double> distribution;
    std::vector<double> hessian(columns * columns), x(columns);
    for (int64_t sample = 0; sample < 2 * columns + 8; ++sample) {
      double state = 0;
      for (double &value : x)
        value = state = 0.8 * state + distribution(random);
      for (int64_t i = 0; i < columns; ++i)
        for (int64_t j = 0; j < columns; ++j)
          hessian[i * columns + j] += x[i] * x[j];
    }
    if (plain)
      *plain = hessian;
    llvm::Expected<InverseHessian> prepared =
        InverseHessian::create(hessian, columns, 0.01, /*descending=*/false);
    EXPECT_TRUE(bool(prepared));
    return std::move(*prepared);
  }

  GPTQResult calibrate(llvm::ArrayRef<float> weights, int64_t rows, EncodingInterface encoding,
                       const InverseHessian &hessian, bool search = true) {
    ParameterOp parameter = makeParameter(weights, rows);
    auto result = quantizeGPTQ(parameter, *WeightValues::read(parameter), hessian,
                               {encoding, search, /*staticGroups=*/false});
    EXPECT_TRUE(mlir::succeeded(result));
    parameter.erase();
    return std::move(*result);
  }
};

} // namespace

// As little as tables and searches lose that shared no code with these, and more than any code can
// (4^-bits).
TEST_F(TrellisFormat, GaussianError) {
  for (auto [bits, loss] : {std::pair(2u, 0.0784), {3u, 0.0215}, {4u, 0.0062}, {5u, 0.0021}}) {
    EXPECT_LT(getNormalError(bits), 1.02 * loss) << bits;
    EXPECT_GT(getNormalError(bits), std::pow(4.0, -static_cast<double>(bits))) << bits;
  }
}

// Half a bit: less lost than by rows, half of which have a bit more.
TEST_F(TrellisFormat, HalfBitsAreWorthMoreThanHalfOfTheRows) {
  for (unsigned bits = 2; bits <= 4; ++bits) {
    double error = getNormalError(WeightBits::ofHalves(2 * bits + 1));
    EXPECT_LT(error, 0.9 * (getNormalError(bits) + getNormalError(bits + 1)) / 2) << bits;
    RecordProperty("error_of_half_more_than_" + std::to_string(bits), std::to_string(error));
  }
}

// A table of the matrix's own: nothing to gain where weights are as the one table expects them, and
// never more lost than rounding its numbers to bytes takes; more gained the less they are so.
TEST_F(TrellisFormat, LearnedTablesLoseLess) {
  constexpr int64_t rows = 64, columns = 1024;
  std::vector<float> gaussian = normal(rows * columns), laplacian = normal(rows * columns),
                     others = normal(rows * columns, 8);
  for (auto [weight, other] : llvm::zip(laplacian, others))
    weight *= std::fabs(other); // heavier tails
  auto getRatio = [&](const std::vector<float> &weights, WeightBits bits) {
    double errors[2];
    for (bool learns : {false, true})
      errors[learns] =
          round(weights, rows, encoding(bits), FitOptions(/*search=*/false, learns)).weightError;
    return 20 * std::log10(errors[0] / errors[1]); // dB of SQNR
  };
  for (WeightBits bits : getRates()) {
    double ofGaussian = getRatio(gaussian, bits), ofLaplacian = getRatio(laplacian, bits);
    RecordProperty("gaussian_db_" + bits.str(), std::to_string(ofGaussian));
    RecordProperty("heavy_db_" + bits.str(), std::to_string(ofLaplacian));
    EXPECT_GE(ofGaussian, 0) << bits.str();
    EXPECT_LE(ofGaussian, 0.2) << bits.str();
    EXPECT_GE(ofLaplacian, 0.5) << bits.str();
  }
}

// One table of all matrices: what it gains, it gains on each of them where they are alike.
TEST_F(TrellisFormat, SharedTablesLoseLess) {
  constexpr int64_t rows = 32, columns = 1024;
  std::vector<std::vector<float>> matrices;
  llvm::SmallVector<SelectedWeight> selected;
  for (uint64_t seed : {1, 2}) {
    std::vector<float> weights = normal(rows * columns, seed),
                       others = normal(rows * columns, seed + 8);
    for (auto [weight, other] : llvm::zip(weights, others))
      weight *= static_cast<float>(seed) * std::fabs(other); // heavier tails, of other scales
    selected.push_back({makeParameter(weights, rows), {}});
    matrices.push_back(std::move(weights));
  }
  QuantizationRequest request;
  request.format = "trellis";
  request.trellisTable = TrellisNumbers::Model;
  for (WeightBits bits : getRates()) {
    request.bits = bits;
    auto plan = QuantizationPlan::get(builder.getUnknownLoc(), request);
    ASSERT_TRUE(mlir::succeeded(plan));
    ASSERT_TRUE(mlir::succeeded(learnSharedTables(*plan, selected)));
    for (const std::vector<float> &weights : matrices) {
      double normal = round(weights, rows, encoding(bits)).weightError,
             shared = round(weights, rows, encoding(bits), plan->getNearestFit()).weightError;
      EXPECT_GE(20 * std::log10(normal / shared), 0.5) << bits.str();
    }
  }
  for (SelectedWeight &weight : selected)
    weight.parameter.erase();
}

TEST_F(TrellisFormat, SearchLosesNoMore) {
  for (WeightBits bits : getRates())
    EXPECT_LE(getNormalError(bits, true), 1.0001 * getNormalError(bits)) << bits.str();
}

TEST_F(TrellisFormat, NoPathLosesLess) {
  constexpr int64_t columns = 7;
  for (uint64_t seed = 0; seed < 8; ++seed) {
    std::vector<float> weights = normal(columns, seed);
    QuantizedWeight quantized = round(weights, 1, encoding(2, /*exact=*/true));
    auto getError = [&](auto values) {
      double error = 0;
      for (auto [weight, value] : llvm::zip(weights, values))
        error += std::pow(weight - value, 2);
      return error;
    };
    double least = INFINITY;
    forEachPath(encoding(2, true), columns, quantized.bytes,
                [&](llvm::ArrayRef<double> values) { least = std::min(least, getError(values)); });
    std::vector<float> decoded = decode(encoding(2, true), 1, columns, quantized.bytes);
    EXPECT_NEAR(getError(decoded), least, 1e-5 * least);
  }
}

// As long as no two paths meet, all of them are there at the end.
TEST_F(TrellisFormat, NoPathThatMakesUpForErrorsLosesLess) {
  constexpr int64_t columns = 4;
  InverseHessian hessian = makeHessian(columns);
  for (uint64_t seed = 0; seed < 8; ++seed) {
    std::vector<float> weights = normal(columns, seed);
    GPTQResult result = calibrate(weights, 1, encoding(2, /*exact=*/true), hessian);
    double least = INFINITY;
    forEachPath(encoding(2, true), columns, result.weight.bytes,
                [&](llvm::ArrayRef<double> values) {
                  std::vector<double> left(weights.begin(), weights.end());
                  double loss = 0;
                  for (int64_t i = 0; i < columns; ++i) {
                    const double *factors = hessian.inverse.data() + i * columns;
                    double error = (left[i] - values[i]) / factors[i];
                    for (int64_t j = i; j < columns; ++j)
                      left[j] -= error * factors[j];
                    loss += error * error / 2;
                  }
                  least = std::min(least, loss);
                });
    EXPECT_NEAR(result.loss, least, 1e-5 * least);
  }
}

// Several blocks, the last of them shorter, and batches of columns.
TEST_F(TrellisFormat, LossIsThatOfTheOutputs) {
  constexpr int64_t rows = 5, columns = 200;
  std::vector<double> plain;
  InverseHessian hessian = makeHessian(columns, &plain);
  for (int64_t i = 0; i < columns; ++i)
    plain[i * columns + i] += hessian.added;
  std::vector<float> weights = normal(rows * columns);
  for (WeightBits bits : getRates()) {
    auto getLoss = [&](llvm::ArrayRef<uint8_t> bytes) {
      std::vector<float> decoded = decode(encoding(bits), rows, columns, bytes);
      double loss = 0;
      for (int64_t row = 0; row < rows; ++row)
        for (int64_t i = 0; i < columns; ++i)
          for (int64_t j = 0; j < columns; ++j) {
            auto error = [&](int64_t column) {
              int64_t index = row * columns + column;
              return static_cast<double>(weights[index]) - decoded[index];
            };
            loss += error(i) * plain[i * columns + j] * error(j) / 2;
          }
      return loss;
    };
    GPTQResult result = calibrate(weights, rows, encoding(bits), hessian);
    EXPECT_NEAR(getLoss(result.weight.bytes), result.loss, 1e-6 * result.loss) << bits.str();
    EXPECT_LT(result.loss, 0.6 * getLoss(round(weights, rows, encoding(bits)).bytes)) << bits.str();
    // Better than single weights of as many bits.
    GPTQResult integers =
        calibrate(weights, rows,
                  GroupedAttr::get(&context, bits.getWhole(), GroupedAttr::channelGroup,
                                   ZeroPoint::None, builder.getF16Type()),
                  hessian);
    EXPECT_LT(result.loss, integers.loss) << bits.str();
  }
}

TEST_F(TrellisFormat, RefusesColumnsOutOfOrder) {
  std::string message;
  mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &diagnostic) {
    message = diagnostic.str();
    return mlir::success();
  });
  llvm::Expected<InverseHessian> hessian =
      InverseHessian::create({1, 0, 0, 2}, 2, 0.01, /*descending=*/true);
  ASSERT_TRUE(bool(hessian));
  ParameterOp parameter = makeParameter({1, 2}, 1);
  EXPECT_TRUE(mlir::failed(quantizeGPTQ(parameter, *WeightValues::read(parameter), *hessian,
                                        {encoding(3), false, true})));
  EXPECT_NE(
      message.find("expected columns in their order for #llmc.trellis<bits = 3, scale = f16>"),
      std::string::npos)
      << message;
}

TEST_F(TrellisFormat, RowsOfZerosStayZero) {
  for (bool search : {false, true}) {
    QuantizedWeight quantized = round(std::vector<float>(40), 2, encoding(3), search);
    for (float value : decode(encoding(3), 2, 20, quantized.bytes))
      EXPECT_EQ(value, 0);
  }
}

TEST_F(TrellisFormat, WidensScalesThatTheirTypeCannotHold) {
  mlir::ScopedDiagnosticHandler handler(&context,
                                        [](mlir::Diagnostic &) { return mlir::success(); });
  for (auto [magnitude, fits] :
       {std::pair(1.0f, true), {0x1p-20f, false}, {0.0f, true}, {1e8f, false}}) {
    ParameterOp parameter = makeParameter({magnitude, -magnitude, magnitude, magnitude / 3}, 2);
    EncodingInterface found = widenScales(parameter, *WeightValues::read(parameter), encoding(3));
    EXPECT_EQ(found == encoding(3), fits) << magnitude;
    EXPECT_EQ(found == encoding(3, /*exact=*/true), !fits) << magnitude;
    parameter.erase();
  }
}

TEST_F(TrellisFormat, RefusesScalesBeyondTheirType) {
  std::string message;
  mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &diagnostic) {
    message = diagnostic.str();
    return mlir::success();
  });
  ParameterOp parameter = makeParameter({1.0f, 2.0f, 1e9f, 3.0f}, 2);
  EXPECT_TRUE(
      mlir::failed(roundToNearest(parameter, *WeightValues::read(parameter), encoding(3), false)));
  EXPECT_NE(message.find("expected weights whose scales fit 'f16', found larger ones in row 1"),
            std::string::npos)
      << message;
  parameter.erase();
}
