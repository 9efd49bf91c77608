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

namespace {

/// The samples that became each state's number.
struct Cells {
  std::array<double, trellisStates> sums{};
  std::array<int64_t, trellisStates> counts{};
};

} // namespace

static Cells assign(unsigned bits, llvm::ArrayRef<float> samples, int64_t columns,
                    const std::array<float, trellisStates> &numbers) {
  Cells cells;
  std::vector<float> ones(columns, 1.0f);
  std::vector<uint8_t> states(columns), back(columns * (trellisStates >> bits));
  for (; !samples.empty();
       samples = samples.drop_front(std::min<size_t>(columns, samples.size()))) {
    llvm::ArrayRef<float> row = samples.take_front(columns);
    getTrellisKernels().choose[bits - 2]({numbers.data(), row.data(), ones.data(), nullptr,
                                          static_cast<long>(row.size()), 0, back.data(),
                                          states.data()});
    for (auto [sample, state] : llvm::zip(row, states)) {
      cells.sums[state] += sample;
      ++cells.counts[state];
    }
  }
  return cells;
}

TrellisTable llmc::trainTrellisTable(unsigned bits, llvm::ArrayRef<float> samples, int64_t columns,
                                     llvm::function_ref<float()> normal) {
  std::array<float, trellisStates> numbers;
  for (float &number : numbers)
    number = normal();
  for (int pass = 0; pass < passes; ++pass) {
    Cells cells = assign(bits, samples, columns, numbers);
    for (int state = 0; state < trellisStates; ++state)
      if (cells.counts[state] > 0)
        numbers[state] =
            static_cast<float>(cells.sums[state] / static_cast<double>(cells.counts[state]));
    for (float &number : numbers)
      if (pass < movedPasses)
        number += move * static_cast<float>(movedPasses - pass) / movedPasses * normal();
  }
  float largest = 0;
  for (float number : numbers)
    largest = std::max(largest, std::fabs(number));
  TrellisTable table;
  table.scale = largest > 0 ? largest / 127 : 1;
  for (int state = 0; state < trellisStates; ++state)
    table.numbers[state] = static_cast<int8_t>(std::nearbyint(numbers[state] / table.scale));
  return table;
}

const TrellisTable &llmc::getNormalTrellisTable(unsigned bits) {
  static const TrellisTable tables[] = {
#define LLMC_TRELLIS_TABLE(scale, ...) {{__VA_ARGS__}, scale},
#include "TrellisTables.inc"
  };
  return tables[bits - 2];
}
