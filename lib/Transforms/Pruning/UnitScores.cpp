//===- UnitScores.cpp - which channels and heads count least ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Pruning/UnitScores.h"
#include "llmc/Transforms/Pruning/Pattern.h"

#include <cmath>
#include <numeric>

using namespace mlir;
using namespace llmc;

std::vector<double> llmc::scoreColumns(const WeightValues &weights, const InputSpread &inputs,
                                       UnitScore score) {
  std::vector<double> magnitudes(weights.columns), squares(weights.columns);
  for (int64_t row = 0; row < weights.rows; ++row)
    for (auto [column, weight] : llvm::enumerate(weights.row(row))) {
      magnitudes[column] += std::fabs(weight);
      squares[column] += static_cast<double>(weight) * weight;
    }
  std::vector<double> scores(weights.columns);
  for (size_t j = 0; j < scores.size(); ++j)
    switch (score) {
    case UnitScore::FLAP:
      scores[j] = inputs.variance[j] * squares[j];
      break;
    case UnitScore::Wanda:
      scores[j] = std::sqrt(inputs.variance[j] + inputs.mean[j] * inputs.mean[j]) * magnitudes[j];
      break;
    case UnitScore::Magnitude:
      scores[j] = std::sqrt(squares[j]);
      break;
    }
  return scores;
}

double llmc::getLargestShare(ArrayRef<ScoredUnits> layers) {
  double all = 0, least = 0;
  for (const ScoredUnits &layer : layers) {
    all += layer.cost * static_cast<double>(layer.scores.size());
    least += layer.cost * static_cast<double>(layer.getLeast());
  }
  return all > 0 ? 1 - least / all : 0;
}

/// Scores in standard deviations from their mean; zeros where all are the same.
static std::vector<double> standardize(ArrayRef<double> scores) {
  const auto count = static_cast<double>(scores.size());
  const double mean = std::accumulate(scores.begin(), scores.end(), 0.0) / count;
  double squares = 0;
  for (double score : scores)
    squares += (score - mean) * (score - mean);
  const double deviation = std::sqrt(squares / count);
  std::vector<double> standard;
  for (double score : scores)
    standard.push_back(deviation > 0 ? (score - mean) / deviation : 0);
  return standard;
}

/// How many units of each layer stay under one threshold of their standardized scores.
static SmallVector<int64_t> countGlobally(ArrayRef<ScoredUnits> layers, double ratio) {
  std::vector<std::pair<double, size_t>> units; // scores, and the layers that they are of
  double budget = 0;
  SmallVector<int64_t> counts;
  for (auto [index, layer] : llvm::enumerate(layers)) {
    for (double score : standardize(layer.scores))
      units.push_back({score, index});
    budget += ratio * layer.cost * static_cast<double>(layer.scores.size());
    counts.push_back(static_cast<int64_t>(layer.scores.size()));
  }
  llvm::sort(units);
  for (auto [score, index] : units) {
    const ScoredUnits &layer = layers[index];
    if (counts[index] <= layer.getLeast())
      continue;
    if (budget < layer.cost / 2)
      break;
    budget -= layer.cost;
    --counts[index];
  }
  return counts;
}

static SmallVector<int64_t> countUniformly(ArrayRef<ScoredUnits> layers, double ratio) {
  SmallVector<int64_t> counts;
  for (const ScoredUnits &layer : layers) {
    const auto all = static_cast<int64_t>(layer.scores.size());
    const int64_t stay = all - std::llround(ratio * static_cast<double>(all));
    counts.push_back(std::max(stay, layer.getLeast()));
  }
  return counts;
}

/// The multiple that is nearest to a number of units that stay; all of them where it is beyond.
static int64_t roundToMultiple(int64_t count, const ScoredUnits &layer) {
  const auto all = static_cast<int64_t>(layer.scores.size());
  if (count == all)
    return all;
  const int64_t rounded = (count + layer.multiple / 2) / layer.multiple * layer.multiple;
  return std::clamp(rounded, layer.getLeast(), all);
}

std::vector<SmallVector<bool, 0>> llmc::chooseUnits(ArrayRef<ScoredUnits> layers, double ratio,
                                                    UnitAllocation allocation) {
  const SmallVector<int64_t> counts = allocation == UnitAllocation::Global
                                          ? countGlobally(layers, ratio)
                                          : countUniformly(layers, ratio);
  std::vector<SmallVector<bool, 0>> kept;
  for (auto [layer, count] : llvm::zip_equal(layers, counts))
    keepLargest(layer.scores, roundToMultiple(count, layer),
                kept.emplace_back(layer.scores.size()));
  return kept;
}

std::vector<double> llmc::getCompensation(const WeightValues &weights, ArrayRef<double> mean,
                                          ArrayRef<bool> stays, int64_t begin) {
  std::vector<double> terms(weights.rows);
  for (int64_t row = 0; row < weights.rows; ++row)
    for (auto [index, stay] : llvm::enumerate(stays)) {
      const size_t column = begin + index;
      if (!stay)
        terms[row] += weights.row(row)[column] * mean[column];
    }
  return terms;
}
