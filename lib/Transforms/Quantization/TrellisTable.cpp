//===- TrellisTable.cpp - the numbers of a trellis, learned from samples ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TrellisTable.h"
#include "llmc/Support/HostVariant.h"

#include <algorithm>
#include <cmath>
#include <vector>

using namespace llmc;

const TrellisKernels &llmc::getTrellisKernels() {
  switch (getHostVariant()) {
  case HostVariant::AVX512:
    return trellisKernels_avx512;
  case HostVariant::AVX2:
    return trellisKernels_avx2;
  case HostVariant::Baseline:
    break;
  }
  return trellisKernels_baseline;
}

/// Rounds of Lloyd's algorithm; later ones gain less than a thousandth.
static constexpr int passes = 60;
/// Of these the first have their numbers moved, ever less, by as much as this at the start: so that
/// they don't stay where they can only become worse by going on.
static constexpr int movedPasses = 40;
static constexpr float move = 0.1f;

using TableNumbers = std::array<float, trellisStates>;

namespace {

/// The samples that became each state's number.
struct Cells {
  std::array<double, trellisStates> sums{};
  std::array<int64_t, trellisStates> counts{};
  double lost = 0; ///< the squares of what they are away from the numbers

  /// Moves numbers to the means of their samples.
  void center(TableNumbers &numbers) const {
    for (int state = 0; state < trellisStates; ++state)
      if (counts[state] > 0)
        numbers[state] = static_cast<float>(sums[state] / static_cast<double>(counts[state]));
  }
};

} // namespace

static Cells assign(unsigned halves, llvm::ArrayRef<float> samples, int64_t columns,
                    const TableNumbers &numbers) {
  Cells cells;
  std::vector<float> ones(columns, 1.0f);
  std::vector<uint8_t> states(columns), back(columns * (trellisStates >> getTrellisBits(halves)));
  for (; !samples.empty();
       samples = samples.drop_front(std::min<size_t>(columns, samples.size()))) {
    llvm::ArrayRef<float> row = samples.take_front(columns);
    getTrellisKernels().choose[halves - leastTrellisHalves](
        {numbers.data(), row.data(), ones.data(), nullptr, static_cast<long>(row.size()), 0, 0,
         back.data(), states.data()});
    for (auto [sample, state] : llvm::zip(row, states)) {
      double error = static_cast<double>(sample) - numbers[state];
      cells.lost += error * error;
      cells.sums[state] += sample;
      ++cells.counts[state];
    }
  }
  return cells;
}

/// TableNumbers as bytes times a scale.
static TrellisTable toBytes(const TableNumbers &numbers) {
  constexpr float largestByte = 127;
  float largest = 0;
  for (float number : numbers)
    largest = std::max(largest, std::fabs(number));
  TrellisTable table;
  table.scale = largest > 0 ? largest / largestByte : 1;
  for (int state = 0; state < trellisStates; ++state)
    table.numbers[state] = static_cast<int8_t>(std::nearbyint(numbers[state] / table.scale));
  return table;
}

static TableNumbers toFloats(const TrellisTable &table) {
  TableNumbers numbers;
  for (auto [number, byte] : llvm::zip(numbers, table.numbers))
    number = static_cast<float>(byte) * table.scale;
  return numbers;
}

TrellisTable llmc::trainTrellisTable(unsigned halves, llvm::ArrayRef<float> samples,
                                     int64_t columns, llvm::function_ref<float()> normal) {
  TableNumbers numbers;
  for (float &number : numbers)
    number = normal();
  for (int pass = 0; pass < passes; ++pass) {
    assign(halves, samples, columns, numbers).center(numbers);
    for (float &number : numbers)
      if (pass < movedPasses)
        number += move * static_cast<float>(movedPasses - pass) / movedPasses * normal();
  }
  return toBytes(numbers);
}

/// Appends about `count` weights in rows of a matrix, spread evenly over it, in units of their root
/// mean square. Those of zeros have nothing to say.
static void takeRows(llvm::ArrayRef<float> weights, int64_t columns, int64_t count,
                     std::vector<float> &samples) {
  int64_t rows = static_cast<int64_t>(weights.size()) / std::max<int64_t>(columns, 1);
  int64_t taken = std::min(rows, (count + columns - 1) / std::max<int64_t>(columns, 1));
  for (int64_t index = 0; index < taken; ++index) {
    llvm::ArrayRef<float> row = weights.slice(index * rows / taken * columns, columns);
    double squares = 0;
    for (float weight : row)
      squares += static_cast<double>(weight) * weight;
    double size = std::sqrt(squares / static_cast<double>(columns));
    for (float weight : row)
      if (size > 0)
        samples.push_back(static_cast<float>(weight / size));
  }
}

/// Fits the table for normally distributed weights to samples, cut into rows of `columns`.
static TrellisTable fitToSamples(unsigned halves, llvm::ArrayRef<float> samples, int64_t columns) {
  constexpr int fittingPasses = 16;
  const TrellisTable &normal = getNormalTrellisTable(halves);
  TableNumbers numbers = toFloats(normal);
  for (int pass = 0; pass < fittingPasses; ++pass)
    assign(halves, samples, columns, numbers).center(numbers);
  TrellisTable fitted = toBytes(numbers);
  auto measure = [&](const TrellisTable &table) {
    return assign(halves, samples, columns, toFloats(table)).lost;
  };
  return measure(fitted) < measure(normal) ? fitted : normal;
}

TrellisTable llmc::learnTrellisTable(unsigned halves, llvm::ArrayRef<float> weights,
                                     int64_t columns) {
  constexpr int64_t enough = 1 << 16;
  std::vector<float> samples;
  takeRows(weights, columns, enough, samples);
  return fitToSamples(halves, samples, columns);
}

void TrellisSamples::add(llvm::ArrayRef<float> weights, int64_t columns, int64_t count) {
  takeRows(weights, columns, count, samples);
}

TrellisTable TrellisSamples::learn(unsigned halves) const {
  // A path may go on from one row into the next: it meets weights of the same distribution.
  constexpr int64_t pathLength = 1024;
  return fitToSamples(halves, samples, pathLength);
}

const TrellisTable &llmc::getNormalTrellisTable(unsigned halves) {
  static const TrellisTable tables[] = {
#define LLMC_TRELLIS_TABLE(scale, ...) {{__VA_ARGS__}, scale},
#include "TrellisTables.inc"
  };
  return tables[halves - leastTrellisHalves];
}
