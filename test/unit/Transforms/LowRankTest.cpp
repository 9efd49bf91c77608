//===- LowRankTest.cpp - factors of least error, and the ranks of layers ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The laws of truncated decompositions, in fp64 and computed plainly.
//
//===----------------------------------------------------------------------===//

#include "TransformsTestSupport.h"
#include "llmc/Transforms/LowRank/Decomposition.h"
#include "llmc/Transforms/LowRank/LowRankWeights.h"
#include "llmc/Transforms/LowRank/RankPlan.h"
#include "llmc/Transforms/Quantization/GPTQ.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/Error.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

using namespace llmc;

namespace {

using Matrix = std::vector<double>;

/// left · right
Matrix multiply(const Matrix &left, const Matrix &right, int64_t rows, int64_t inner,
                int64_t columns) {
  Matrix product(rows * columns);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t k = 0; k < inner; ++k)
      for (int64_t j = 0; j < columns; ++j)
        product[i * columns + j] += left[i * inner + k] * right[k * columns + j];
  return product;
}

double squareSum(const Matrix &matrix) {
  double sum = 0;
  for (double value : matrix)
    sum += value * value;
  return sum;
}

/// A layer whose inputs depend on each other and are of different sizes.
struct CorrelatedLayer {
  static constexpr int64_t samples = 300;

  CorrelatedLayer(int64_t rows, int64_t columns) : rows(rows), columns(columns) {
    std::normal_distribution<double> normal;
    weights.resize(rows * columns);
    for (double &weight : weights)
      weight = normal(random);
    inputs.resize(columns * samples);
    for (int64_t sample = 0; sample < samples; ++sample) {
      double state = 0;
      for (int64_t i = 0; i < columns; ++i) {
        state = 0.8 * state + normal(random);
        inputs[i * samples + sample] = state * (1 + 3 * static_cast<double>(i % 7 == 0));
      }
    }
    hessian.resize(columns * columns);
    magnitudes.resize(columns);
    for (int64_t i = 0; i < columns; ++i)
      for (int64_t sample = 0; sample < samples; ++sample) {
        magnitudes[i] += std::fabs(inputs[i * samples + sample]) / samples;
        for (int64_t j = 0; j < columns; ++j)
          hessian[i * columns + j] += inputs[i * samples + sample] * inputs[j * samples + sample];
      }
  }

  /// ‖(W − B·A)·X‖²
  double getOutputLoss(const LowRankFactors &factors) const {
    Matrix error = multiply(factors.b, factors.a, rows, factors.rank, columns);
    for (size_t i = 0; i < error.size(); ++i)
      error[i] -= weights[i];
    return squareSum(multiply(error, inputs, rows, columns, samples));
  }

  InputMetric getMoment(double damp = 0) const {
    return InputMetric(llvm::cantFail(InverseHessian::create(hessian, columns, damp, false)));
  }

  LowRankFactors factorize(const InputMetric &metric, int64_t rank) const {
    return llvm::cantFail(Decomposition::create(weights, metric)).getFactors(rank);
  }

  int64_t rows, columns;
  std::mt19937_64 random{3};
  Matrix weights, inputs, hessian, magnitudes;
};

class LowRank : public testing::TestWithParam<std::pair<int64_t, int64_t>> {
protected:
  CorrelatedLayer layer{GetParam().first, GetParam().second};
};

TEST_P(LowRank, TheLossIsTheSumOfWhatIsLeftOut) {
  const InputMetric metric = layer.getMoment();
  const auto decomposition = llvm::cantFail(Decomposition::create(layer.weights, metric));
  for (int64_t rank : {1, 5, 17, 30}) {
    double loss = layer.getOutputLoss(decomposition.getFactors(rank));
    EXPECT_NEAR(loss / decomposition.getLoss(rank), 1, 1e-10) << rank;
  }
  EXPECT_NEAR(decomposition.getLoss(0) /
                  squareSum(multiply(layer.weights, layer.inputs, layer.rows, layer.columns,
                                     CorrelatedLayer::samples)),
              1, 1e-12);
}

TEST_P(LowRank, NoOtherMethodLosesLess) {
  const InputMetric plain(layer.columns), diagonal(layer.magnitudes), moment = layer.getMoment();
  double before = INFINITY;
  for (int64_t rank : {2, 8, 24}) {
    double byPlain = layer.getOutputLoss(layer.factorize(plain, rank));
    double byDiagonal = layer.getOutputLoss(layer.factorize(diagonal, rank));
    double byMoment = layer.getOutputLoss(layer.factorize(moment, rank));
    EXPECT_LT(byMoment, byDiagonal);
    EXPECT_LT(byDiagonal, byPlain);
    EXPECT_LT(byMoment, before);
    before = byMoment;
  }
}

TEST_P(LowRank, FullRankIsTheMatrix) {
  const InputMetric plain(layer.columns), diagonal(layer.magnitudes),
      moment = layer.getMoment(0.01);
  for (const InputMetric *metric : {&plain, &diagonal, &moment}) {
    LowRankFactors factors = layer.factorize(*metric, std::min(layer.rows, layer.columns));
    Matrix product = multiply(factors.b, factors.a, layer.rows, factors.rank, layer.columns);
    for (size_t i = 0; i < product.size(); ++i)
      ASSERT_NEAR(product[i], layer.weights[i], 1e-10);
  }
}

TEST_P(LowRank, SecondFactorsAreOrthonormal) {
  const InputMetric moment = layer.getMoment();
  LowRankFactors factors = layer.factorize(moment, 9);
  for (int64_t i = 0; i < 9; ++i)
    for (int64_t j = 0; j < 9; ++j) {
      double product = 0;
      for (int64_t row = 0; row < layer.rows; ++row)
        product += factors.b[row * 9 + i] * factors.b[row * 9 + j];
      EXPECT_NEAR(product, i == j, 1e-9);
    }
}

TEST_P(LowRank, InputsThatAreNeverThereTakeNoRank) {
  for (int64_t i = 0; i < layer.columns; ++i)
    layer.hessian[2 * layer.columns + i] = layer.hessian[i * layer.columns + 2] = 0;
  layer.magnitudes[2] = 0;
  const InputMetric diagonal(layer.magnitudes), moment = layer.getMoment(0.01);
  for (const InputMetric *metric : {&diagonal, &moment}) {
    LowRankFactors factors = layer.factorize(*metric, 6);
    for (int64_t i = 0; i < 6; ++i)
      EXPECT_NEAR(factors.a[i * layer.columns + 2], 0, 1e-12);
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, LowRank,
                         testing::Values(std::pair<int64_t, int64_t>(32, 48),
                                         std::pair<int64_t, int64_t>(48, 32),
                                         std::pair<int64_t, int64_t>(40, 40)));

TEST(LowRankZero, HasFactorsOfZeros) {
  const InputMetric plain(4);
  const auto decomposition = llvm::cantFail(Decomposition::create(Matrix(20), plain));
  LowRankFactors factors = decomposition.getFactors(2);
  EXPECT_EQ(decomposition.getLoss(2), 0);
  EXPECT_EQ(squareSum(multiply(factors.b, factors.a, 5, 2, 4)), 0);
}

//===----------------------------------------------------------------------===//
// Ranks
//===----------------------------------------------------------------------===//

double getLoss(const Spectrum &spectrum, int64_t rank) {
  double all = 0, lost = 0;
  for (auto [i, square] : llvm::enumerate(spectrum.squares)) {
    all += square;
    lost += static_cast<int64_t>(i) >= rank ? square : 0;
  }
  return rank == 0 ? 0 : lost / all;
}

TEST(RankPlan, LossesAreLeastAtTheSameParameters) {
  std::vector<Spectrum> spectra;
  for (double decay : {0.5, 0.8, 0.9, 0.98, 1.0}) {
    Spectrum spectrum{64, 96, {}};
    for (int i = 0; i < 64; ++i)
      spectrum.squares.push_back(std::pow(decay, i));
    spectra.push_back(std::move(spectrum));
  }
  RankPlan plan;
  for (double keep : {0.3, 0.6, 0.9}) {
    plan.keep = keep;
    std::vector<int64_t> ranks = plan.allocate(spectra);
    double kept = 0, loss = 0, uniform = 0;
    for (auto [spectrum, rank] : llvm::zip(spectra, ranks)) {
      kept += static_cast<double>(rank == 0 ? 64 * 96 : rank * (64 + 96));
      loss += getLoss(spectrum, rank);
      uniform += getLoss(spectrum, plan.getRank(64, 96));
    }
    EXPECT_LE(kept, keep * 5 * 64 * 96);
    EXPECT_GT(kept, keep * 5 * 64 * 96 - 64 * 96);
    EXPECT_LT(loss, uniform);
    // What decays fast needs few ranks.
    EXPECT_GT(ranks[0], 0);
    EXPECT_LT(ranks[0], 32);
  }
  EXPECT_EQ(plan.getRank(64, 96), static_cast<int64_t>(0.9 * 64 * 96 / (64 + 96)));
}

TEST(RankPlan, RanksThatFollowAreMultiples) {
  RankPlan plan;
  plan.keep = 0.6;
  plan.multiple = 16;
  EXPECT_EQ(plan.getRank(64, 96), 16);  // 23.04
  EXPECT_EQ(plan.getRank(128, 96), 32); // 32.9
  EXPECT_EQ(plan.getRank(16, 16), 4);   // 4.8, less than one multiple
  std::vector<Spectrum> spectra;
  for (double decay : {0.5, 0.9, 0.98}) {
    Spectrum spectrum{128, 96, {}};
    for (int i = 0; i < 96; ++i)
      spectrum.squares.push_back(std::pow(decay, i));
    spectra.push_back(std::move(spectrum));
  }
  double kept = 0;
  for (int64_t rank : plan.allocate(spectra)) {
    EXPECT_TRUE(rank < 16 || rank % 16 == 0) << rank;
    kept += static_cast<double>(rank == 0 ? 128 * 96 : rank * (128 + 96));
  }
  EXPECT_LE(kept, 0.6 * 3 * 128 * 96);
  plan.rank = 5; // what is asked for is taken
  EXPECT_EQ(plan.getRank(64, 96), 5);
}

//===----------------------------------------------------------------------===//
// Interrupted work
//===----------------------------------------------------------------------===//

using LowRankWeightsTest = test::WeightsTest;

TEST_F(LowRankWeightsTest, RestoreWhatTheyNoted) {
  std::vector<SelectedWeight> weights{{makeParameter({1, 2, 3, 4, 5, 7}, 2), {}, false}};
  CompressionReport report("pass"), restoredReport("pass");
  LowRankWeights layers(*module, FactorsPlace::Instead, FactorType::F16, weights, report);
  LowRankWeights restored(*module, FactorsPlace::Instead, FactorType::F16, weights, restoredReport);
  RankPlan plan;
  plan.rank = 1;
  CalibrationSite site;
  site.restored = true;
  for (LowRankWeights *each : {&layers, &restored})
    EXPECT_TRUE(mlir::succeeded(each->setRanks(plan)));
  EXPECT_TRUE(mlir::succeeded(
      layers.factorize(weights.front().parameter, {InputMetric(3), {}}, site.record)));
  EXPECT_FALSE(module->lookupSymbol("w"));
  EXPECT_TRUE(module->lookupSymbol("w.factors.A"));

  EXPECT_TRUE(mlir::succeeded(restored.restore(site)));
  auto print = [](const CompressionReport &report) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    report.printTable(stream);
    return text;
  };
  EXPECT_EQ(print(restoredReport), print(report));
  EXPECT_NE(print(report).find("f16, rank 1"), std::string::npos);

  for (const char *record : {"no JSON\n", "{\"name\": \"v\"}\n", "{\"name\": \"w\"}\n"}) {
    std::string message;
    mlir::ScopedDiagnosticHandler handler(
        &context, [&](mlir::Diagnostic &diagnostic) { message = diagnostic.str(); });
    site.record = record;
    EXPECT_TRUE(mlir::failed(restored.restore(site)));
    EXPECT_NE(message.find("resume: expected a record of a weight of this pass, found '"),
              std::string::npos)
        << message;
  }
}

} // namespace
