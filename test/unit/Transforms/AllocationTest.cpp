//===- AllocationTest.cpp - how many weights each matrix loses ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Pruning/Allocation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

using namespace llmc;

namespace {

struct Matrices {
  std::vector<std::vector<float>> scores;
  std::vector<ScoreHistogram> histograms;
};

/// Matrices of different sizes, whose scores are of different sizes and tails.
Matrices makeMatrices() {
  Matrices made;
  std::mt19937_64 random(9);
  std::normal_distribution<float> normal;
  for (int64_t index = 0; index < 4; ++index) {
    std::vector<float> &scores = made.scores.emplace_back(5000 * (index + 1));
    ScoreHistogram &histogram = made.histograms.emplace_back();
    for (float &score : scores) {
      score = std::exp(normal(random) * (0.3f + 0.4f * static_cast<float>(index)));
      histogram.add(score);
    }
  }
  return made;
}

int64_t countBelow(const std::vector<float> &scores, double threshold) {
  return std::count_if(scores.begin(), scores.end(),
                       [&](float score) { return score < threshold; });
}

/// The share of all weights.
double getMean(const Matrices &made, const std::vector<double> &shares) {
  double gone = 0, all = 0;
  for (auto [scores, share] : llvm::zip_equal(made.scores, shares)) {
    gone += share * static_cast<double>(scores.size());
    all += static_cast<double>(scores.size());
  }
  return gone / all;
}

TEST(Allocation, HistogramsCount) {
  const Matrices made = makeMatrices();
  for (auto [scores, histogram] : llvm::zip_equal(made.scores, made.histograms)) {
    EXPECT_EQ(histogram.getCount(), static_cast<int64_t>(scores.size()));
    EXPECT_NEAR(histogram.getSum(), std::accumulate(scores.begin(), scores.end(), 0.0), 1e-6);
    for (double threshold : {0.0, 0.3, 1.0, 2.5, 1e9})
      EXPECT_NEAR(histogram.countBelow(threshold), countBelow(scores, threshold), 20);
  }
}

TEST(Allocation, GlobalIsOneThreshold) {
  const Matrices made = makeMatrices();
  std::vector<float> all;
  for (const std::vector<float> &scores : made.scores)
    all.insert(all.end(), scores.begin(), scores.end());
  std::sort(all.begin(), all.end());
  for (double sparsity : {0.2, 0.3, 0.7}) {
    const float threshold = all[static_cast<size_t>(sparsity * static_cast<double>(all.size()))];
    const std::vector<double> shares = allocateGlobally(made.histograms, sparsity);
    double gone = 0;
    for (auto [scores, share] : llvm::zip_equal(made.scores, shares)) {
      const auto count = static_cast<double>(scores.size());
      EXPECT_NEAR(share, static_cast<double>(countBelow(scores, threshold)) / count, 2e-3);
      gone += share * count;
    }
    EXPECT_NEAR(gone / static_cast<double>(all.size()), sparsity, 1e-4);
    EXPECT_GT(std::fabs(shares[0] - shares[3]), 0.02);
  }
}

TEST(Allocation, GlobalLeavesSomeOfEach) {
  std::vector<ScoreHistogram> matrices(2);
  for (int i = 0; i < 100; ++i) {
    matrices[0].add(1);
    matrices[1].add(100);
  }
  const std::vector<double> shares = allocateGlobally(matrices, 0.6);
  EXPECT_DOUBLE_EQ(shares[0], 0.99);
  EXPECT_NEAR(shares[1], 0.2, 1e-3);
}

TEST(Allocation, OutliersSpareTheirLayer) {
  const Matrices made = makeMatrices();
  // The third layer is two matrices.
  const std::vector<int64_t> layers = {0, 1, 2, 2};
  const std::vector<double> shares = allocateByOutliers(made.histograms, layers, 0.6);
  std::vector<double> outliers;
  for (int64_t layer : {0, 1, 2}) {
    std::vector<float> scores;
    for (size_t matrix = 0; matrix < layers.size(); ++matrix)
      if (layers[matrix] == layer)
        scores.insert(scores.end(), made.scores[matrix].begin(), made.scores[matrix].end());
    const auto count = static_cast<double>(scores.size());
    const double mean = std::accumulate(scores.begin(), scores.end(), 0.0) / count;
    outliers.push_back(1 - static_cast<double>(countBelow(scores, 5 * mean)) / count);
  }
  EXPECT_EQ(shares[2], shares[3]);
  EXPECT_NEAR(getMean(made, shares), 0.6, 1e-12);
  EXPECT_NEAR(shares[0] - shares[2], 0.16, 1e-9);
  // Linear in the share of outliers.
  EXPECT_NEAR((shares[0] - shares[1]) / 0.16,
              (outliers[1] - outliers[0]) / (outliers[2] - outliers[0]), 0.02);
}

// Also where a layer can lose no more, or no less.
TEST(Allocation, OutliersLoseTheSparsityOfAllWeights) {
  const Matrices made = makeMatrices();
  for (const std::vector<int64_t> &layers :
       {std::vector<int64_t>{0, 1, 2, 3}, {0, 0, 1, 2}, {-1, 0, 1, 1}, {0, 0, 0, 0}})
    for (double sparsity : {0.01, 0.05, 0.1, 0.5, 0.7, 0.9, 0.95, 0.98}) {
      const std::vector<double> shares = allocateByOutliers(made.histograms, layers, sparsity);
      EXPECT_NEAR(getMean(made, shares), sparsity, 1e-12) << sparsity;
      for (size_t matrix = 0; matrix < shares.size(); ++matrix) {
        EXPECT_GE(shares[matrix], 0);
        EXPECT_LE(shares[matrix], 0.99);
        EXPECT_LE(std::fabs(shares[matrix] - sparsity), 0.16);
        // Scores' tails are longer from matrix to matrix, and so are those of layers.
        EXPECT_LE(shares[matrix], shares[0]);
      }
    }
}

TEST(Allocation, LayersThatAreAlikeLoseTheSame) {
  std::vector<ScoreHistogram> matrices(3);
  for (ScoreHistogram &matrix : matrices)
    for (int i = 1; i < 50; ++i)
      matrix.add(static_cast<float>(i));
  for (double share : allocateByOutliers(matrices, {0, 1, 2}, 0.5))
    EXPECT_DOUBLE_EQ(share, 0.5);
}

} // namespace
