//===- Allocation.cpp - how many weights each matrix loses ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Pruning/Allocation.h"
#include "llmc/Analysis/Structure.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"

#include "llvm/ADT/bit.h"

#include <cmath>
#include <map>

using namespace mlir;
using namespace llmc;

//===----------------------------------------------------------------------===//
// Histograms
//===----------------------------------------------------------------------===//

/// Bits of a score that its bin does not tell.
static constexpr unsigned restBits = 16;
static constexpr size_t binCount = size_t(1) << (32 - 1 - restBits);

void ScoreHistogram::add(float score) {
  if (bins.empty())
    bins.resize(binCount);
  ++bins[llvm::bit_cast<uint32_t>(score) >> restBits];
  ++count;
  sum += score;
}

double ScoreHistogram::countBelow(double score) const {
  if (bins.empty() || !(score > 0))
    return 0;
  const auto bits = llvm::bit_cast<uint32_t>(static_cast<float>(score));
  const size_t bin = bits >> restBits;
  double below = 0;
  for (size_t i = 0; i < std::min(bin, bins.size()); ++i)
    below += bins[i];
  const double part = static_cast<double>(bits & ((1U << restBits) - 1)) / (1U << restBits);
  return bin < bins.size() ? below + part * bins[bin] : below;
}

//===----------------------------------------------------------------------===//
// Shares
//===----------------------------------------------------------------------===//

static constexpr double largestShare = 0.99;

std::vector<double> llmc::allocateGlobally(ArrayRef<ScoreHistogram> matrices, double sparsity) {
  double all = 0;
  for (const ScoreHistogram &matrix : matrices)
    all += static_cast<double>(matrix.getCount());
  auto countBelow = [&](double threshold) {
    double below = 0;
    for (const ScoreHistogram &matrix : matrices)
      below += matrix.countBelow(threshold);
    return below;
  };
  // Bits of floats that are not negative are in the order of the floats.
  uint32_t low = 0, high = llvm::bit_cast<uint32_t>(std::numeric_limits<float>::max());
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (countBelow(llvm::bit_cast<float>(middle)) < sparsity * all)
      low = middle + 1;
    else
      high = middle;
  }
  std::vector<double> shares;
  for (const ScoreHistogram &matrix : matrices)
    shares.push_back(std::min(largestShare, matrix.countBelow(llvm::bit_cast<float>(low)) /
                                                static_cast<double>(matrix.getCount())));
  return shares;
}

/// Adds one number to shares, each of which stays between none and the largest, such that of all
/// weights `sparsity` goes: more to the others where some are at an end already.
static void moveToMean(MutableArrayRef<double> shares, ArrayRef<ScoreHistogram> matrices,
                       double sparsity) {
  auto clamp = [](double share) { return std::clamp(share, 0.0, largestShare); };
  for (double &share : shares)
    share = clamp(share);
  // Each round but the last brings one more to an end.
  for (size_t round = 0; round <= shares.size(); ++round) {
    double missing = 0, above = 0, below = 0; // weights: to go yet, and of those that can change
    for (auto [matrix, share] : llvm::zip_equal(matrices, shares)) {
      const auto count = static_cast<double>(matrix.getCount());
      missing += (sparsity - share) * count;
      above += share < largestShare ? count : 0;
      below += share > 0 ? count : 0;
    }
    const double movable = missing > 0 ? above : below;
    if (movable == 0)
      return;
    for (double &share : shares)
      share = clamp(share + missing / movable);
  }
}

std::vector<double> llmc::allocateByOutliers(ArrayRef<ScoreHistogram> matrices,
                                             ArrayRef<int64_t> layers, double sparsity) {
  constexpr double timesMean = 5, deviation = 0.08;
  struct Layer {
    double sum = 0, count = 0, above = 0;
  };
  std::map<int64_t, Layer> found;
  for (auto [matrix, number] : llvm::zip_equal(matrices, layers)) {
    found[number].sum += matrix.getSum();
    found[number].count += static_cast<double>(matrix.getCount());
  }
  for (auto [matrix, number] : llvm::zip_equal(matrices, layers)) {
    Layer &layer = found[number];
    layer.above += static_cast<double>(matrix.getCount()) -
                   matrix.countBelow(timesMean * layer.sum / layer.count);
  }
  double least = 1, most = 0;
  for (const auto &[number, layer] : found) {
    const double outliers = layer.above / layer.count;
    least = std::min(least, outliers);
    most = std::max(most, outliers);
  }
  std::vector<double> shares;
  for (int64_t number : layers) {
    const Layer &layer = found[number];
    const double spared =
        most > least ? (layer.above / layer.count - least) / (most - least) * 2 * deviation : 0;
    shares.push_back(sparsity + deviation - spared);
  }
  moveToMean(shares, matrices, sparsity);
  return shares;
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

/// Takes the weights of a parameter times the norms of their inputs; those empty: the weights
/// alone.
static LogicalResult addScores(ParameterOp parameter, ArrayRef<float> norms,
                               ScoreHistogram &histogram) {
  FailureOr<WeightValues> values = WeightValues::read(parameter);
  if (failed(values))
    return failure();
  for (int64_t row = 0; row < values->rows; ++row)
    for (auto [column, weight] : llvm::enumerate(values->row(row)))
      histogram.add(std::fabs(weight) * (norms.empty() ? 1.0f : norms[column]));
  releaseFile(parameter);
  return success();
}

static LogicalResult runForScores(ModuleOp module, const CalibrationOptions &options,
                                  const llvm::DenseMap<Operation *, size_t> &places,
                                  MutableArrayRef<ScoreHistogram> histograms) {
  // What is kept and saved is of the walk that prunes.
  CalibrationOptions own = options;
  own.resume = own.saveStatistics = own.saveTokens = "";
  own.firstTokenWeight = CalibrationOptions().firstTokenWeight;
  CalibrationRequest request;
  request.statistics = Mean | Variance;
  request.key = "allocation";
  request.select = [&](LinearOp, ParameterOp parameter) { return places.contains(parameter); };
  request.visit = [&](CalibrationSite &site) -> LogicalResult {
    std::vector<float> norms;
    for (auto [mean, variance] : llvm::zip_equal(site.statistics.mean, site.statistics.variance))
      norms.push_back(std::sqrt(variance + mean * mean));
    for (ParameterOp parameter : site.parameters)
      if (failed(addScores(parameter, norms, histograms[places.lookup(parameter)])))
        return failure();
    return success();
  };
  return calibrate(module, own, request);
}

FailureOr<PatternAllocation>
PatternAllocation::spread(ModuleOp module, ArrayRef<SelectedWeight> weights, PruningPattern pattern,
                          SparsityAllocation allocation, const CalibrationOptions *calibration) {
  PatternAllocation result(pattern);
  if (allocation == SparsityAllocation::Uniform || weights.empty())
    return result;
  std::vector<ScoreHistogram> histograms(weights.size());
  llvm::DenseMap<Operation *, size_t> places;
  for (auto [place, weight] : llvm::enumerate(weights))
    places[weight.parameter] = place;
  if (calibration && failed(runForScores(module, *calibration, places, histograms)))
    return failure();
  for (auto [weight, histogram] : llvm::zip_equal(weights, histograms))
    if (!calibration && failed(addScores(weight.parameter, {}, histogram)))
      return failure();
  std::vector<double> shares;
  if (allocation == SparsityAllocation::Global) {
    shares = allocateGlobally(histograms, pattern.sparsity);
  } else {
    const Structure structure(module.lookupSymbol<func::FuncOp>(LLMCDialect::stepFunctionName));
    SmallVector<int64_t> layers;
    for (const SelectedWeight &weight : weights)
      layers.push_back(structure.getBlock(weight.linears.front()).value_or(-1));
    shares = allocateByOutliers(histograms, layers, pattern.sparsity);
  }
  for (auto [weight, share] : llvm::zip_equal(weights, shares)) {
    PruningPattern own = pattern;
    own.sparsity = share;
    result.others[weight.parameter] = own;
  }
  return result;
}
