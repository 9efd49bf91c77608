//===- UnitScoresTest.cpp - which channels count least, and what makes up for them ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Scores are held against the outputs of a linear whose inputs are written out, and choices against
// the definition of a threshold.
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Pruning/UnitScores.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

using namespace llmc;

namespace {

constexpr int64_t outputs = 24, inputs = 40, rowCount = 500;

/// A linear and rows of its inputs, whose means and deviations differ.
struct ScoredLayer {
  WeightValues weights{outputs, inputs, std::vector<float>(outputs * inputs), {}};
  std::vector<double> rows = std::vector<double>(rowCount * inputs);
  InputSpread spread;

  ScoredLayer() {
    std::mt19937_64 random(5);
    std::normal_distribution<double> normal;
    for (float &weight : weights.data)
      weight = static_cast<float>(normal(random));
    std::vector<double> deviations(inputs), means(inputs);
    for (int64_t j = 0; j < inputs; ++j) {
      deviations[j] = std::exp(normal(random));
      means[j] = normal(random);
    }
    for (int64_t row = 0; row < rowCount; ++row)
      for (int64_t j = 0; j < inputs; ++j)
        rows[row * inputs + j] = means[j] + deviations[j] * normal(random);
    for (int64_t j = 0; j < inputs; ++j) {
      double mean = 0, variance = 0;
      for (int64_t row = 0; row < rowCount; ++row)
        mean += rows[row * inputs + j] / rowCount;
      for (int64_t row = 0; row < rowCount; ++row)
        variance += std::pow(rows[row * inputs + j] - mean, 2) / rowCount;
      spread.mean.push_back(mean);
      spread.variance.push_back(variance);
    }
  }

  /// The output of a row where some inputs are left out.
  double compute(int64_t row, int64_t output, llvm::ArrayRef<bool> stays) const {
    double sum = 0;
    for (int64_t j = 0; j < inputs; ++j)
      if (stays[j])
        sum += weights.data[output * inputs + j] * rows[row * inputs + j];
    return sum;
  }
};

// Leaving out an input whose mean is made up for costs its FLAP score on the mean of all rows.
TEST(UnitScores, FLAPIsWhatLeavingOutCosts) {
  const ScoredLayer layer;
  const std::vector<double> scores = scoreColumns(layer.weights, layer.spread, UnitScore::FLAP);
  const llvm::SmallVector<bool, 0> all(inputs, true);
  for (int64_t j = 0; j < inputs; ++j) {
    llvm::SmallVector<bool, 0> stays(all);
    stays[j] = false;
    const std::vector<double> terms = getCompensation(layer.weights, layer.spread.mean, stays);
    double cost = 0;
    for (int64_t row = 0; row < rowCount; ++row)
      for (int64_t output = 0; output < outputs; ++output)
        cost += std::pow(layer.compute(row, output, stays) + terms[output] -
                             layer.compute(row, output, all),
                         2) /
                rowCount;
    EXPECT_NEAR(scores[j], cost, 1e-9 * cost);
  }
}

TEST(UnitScores, OthersAreTheirDefinitions) {
  const ScoredLayer layer;
  const std::vector<double> wanda = scoreColumns(layer.weights, layer.spread, UnitScore::Wanda),
                            magnitude = scoreColumns(layer.weights, {}, UnitScore::Magnitude);
  for (int64_t j = 0; j < inputs; ++j) {
    double squares = 0, ofWeights = 0, magnitudes = 0;
    for (int64_t row = 0; row < rowCount; ++row)
      squares += std::pow(layer.rows[row * inputs + j], 2) / rowCount;
    for (int64_t output = 0; output < outputs; ++output) {
      const double weight = layer.weights.data[output * inputs + j];
      magnitudes += std::fabs(weight);
      ofWeights += weight * weight;
    }
    EXPECT_NEAR(wanda[j], std::sqrt(squares) * magnitudes, 1e-9 * wanda[j]);
    EXPECT_NEAR(magnitude[j], std::sqrt(ofWeights), 1e-9 * magnitude[j]);
  }
}

// Biases in fp32 leave less than 1e-6 of the mean error, of what outputs are.
TEST(UnitScores, CompensationLeavesNoMeanError) {
  const ScoredLayer layer;
  const llvm::SmallVector<bool, 0> all(inputs, true);
  llvm::SmallVector<bool, 0> stays(all);
  for (int64_t j = 7; j < inputs; j += 2)
    stays[j] = false;
  // The columns may be those from some place on.
  const std::vector<double> terms = getCompensation(
      layer.weights, layer.spread.mean, llvm::ArrayRef<bool>(stays).drop_front(5), /*begin=*/5);
  for (int64_t output = 0; output < outputs; ++output) {
    double error = 0, without = 0, square = 0;
    for (int64_t row = 0; row < rowCount; ++row) {
      const double exact = layer.compute(row, output, all);
      const double pruned = layer.compute(row, output, stays);
      without += (pruned - exact) / rowCount;
      error += (pruned + static_cast<float>(terms[output]) - exact) / rowCount;
      square += exact * exact / rowCount;
    }
    EXPECT_LT(std::fabs(error), 1e-6 * std::sqrt(square));
    EXPECT_GT(std::fabs(without), 1e-3 * std::sqrt(square));
  }
}

std::vector<ScoredUnits> makeLayers(int64_t multiple) {
  std::vector<ScoredUnits> layers(3);
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal;
  for (auto [index, layer] : llvm::enumerate(layers)) {
    layer.multiple = multiple;
    layer.scores.resize(64);
    // Layers differ in the size of their scores, and in how many stand out.
    for (double &score : layer.scores)
      score = std::exp(normal(random) * (1 + static_cast<double>(index)));
  }
  return layers;
}

int64_t count(llvm::ArrayRef<bool> kept) { return llvm::count(kept, true); }

TEST(UnitChoice, GlobalIsOneThreshold) {
  const std::vector<ScoredUnits> layers = makeLayers(1);
  const auto kept = chooseUnits(layers, 0.25, UnitAllocation::Global);
  double lowestKept = 1e9, highestGone = -1e9;
  int64_t gone = 0;
  for (auto [layer, stays] : llvm::zip_equal(layers, kept)) {
    const double mean = std::accumulate(layer.scores.begin(), layer.scores.end(), 0.0) / 64;
    double variance = 0;
    for (double score : layer.scores)
      variance += (score - mean) * (score - mean) / 64;
    for (auto [score, stay] : llvm::zip_equal(layer.scores, stays)) {
      const double standard = (score - mean) / std::sqrt(variance);
      if (stay)
        lowestKept = std::min(lowestKept, standard);
      else
        highestGone = std::max(highestGone, standard);
      gone += !stay;
    }
  }
  EXPECT_EQ(gone, 48);
  EXPECT_LE(highestGone, lowestKept);
  EXPECT_NE(count(kept[0]), count(kept[2]));
}

TEST(UnitChoice, UniformIsTheSameShare) {
  for (const auto &stays : chooseUnits(makeLayers(1), 0.25, UnitAllocation::Uniform))
    EXPECT_EQ(count(stays), 48);
}

TEST(UnitChoice, KeepsMultiplesAndAtLeastOne) {
  for (double ratio : {0.1, 0.3, 0.5, 0.7})
    for (const auto &stays : chooseUnits(makeLayers(16), ratio, UnitAllocation::Global)) {
      EXPECT_EQ(count(stays) % 16, 0);
      EXPECT_GE(count(stays), 16);
    }
  EXPECT_DOUBLE_EQ(getLargestShare(makeLayers(16)), 0.75);
  // What is no multiple stays as it is where all stays.
  ScoredUnits odd{{5, 4, 3, 2, 1}, 1, 4};
  EXPECT_EQ(count(chooseUnits(odd, 0, UnitAllocation::Global)[0]), 5);
  EXPECT_EQ(count(chooseUnits(odd, 0.2, UnitAllocation::Global)[0]), 4);
}

TEST(UnitChoice, NoneLeavesAll) {
  for (UnitAllocation allocation : {UnitAllocation::Global, UnitAllocation::Uniform})
    for (const auto &stays : chooseUnits(makeLayers(16), 0, allocation))
      EXPECT_EQ(count(stays), 64);
}

// Units that cost more weigh more in the share.
TEST(UnitChoice, CountsWeights) {
  ScoredUnits cheap{{1, 2, 3, 4}, 1, 1}, dear{{1, 2, 3, 4}, 3, 1};
  const auto kept = chooseUnits({cheap, dear}, 0.25, UnitAllocation::Global);
  EXPECT_EQ(count(kept[0]), 3);
  EXPECT_EQ(count(kept[1]), 3);
}

} // namespace
