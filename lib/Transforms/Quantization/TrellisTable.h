//===- TrellisTable.h - the numbers of a trellis, learned from samples ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_TRANSFORMS_QUANTIZATION_TRELLISTABLE_H
#define LLMC_LIB_TRANSFORMS_QUANTIZATION_TRELLISTABLE_H

#include "TrellisKernels.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <array>
#include <cstdint>
#include <map>
#include <vector>

namespace llmc {

/// The numbers of a trellis, by state.
struct TrellisTable {
  std::array<int8_t, trellisStates> numbers;
  float scale; ///< that makes them the samples'
};

/// The kernels for this machine.
const TrellisKernels &getTrellisKernels();

/// The table that a code of `halves` half bits a weight loses least of `samples` with, which have
/// variance 1 and are cut into rows of `columns`: Lloyd's algorithm (Lloyd 1982, "Least squares
/// quantization in PCM") around a search for paths. Numbers start as `normal` gives them, normally
/// distributed: that ends better than quantiles in order.
TrellisTable trainTrellisTable(unsigned halves, llvm::ArrayRef<float> samples, int64_t columns,
                               llvm::function_ref<float()> normal);

/// The table for the weights of a matrix, row by row, in units of their row's root mean square:
/// that for normally distributed ones, fitted to some of the rows by Lloyd's algorithm, where it
/// loses less of these; else that itself.
TrellisTable learnTrellisTable(unsigned halves, llvm::ArrayRef<float> weights, int64_t columns);

/// Samples of several matrices, for one table of them all.
class TrellisSamples {
public:
  /// Takes about `count` weights of a matrix, row by row as learnTrellisTable() does.
  void add(llvm::ArrayRef<float> weights, int64_t columns, int64_t count);
  /// The table as learnTrellisTable() finds it; that for normally distributed ones where nothing
  /// was taken but zeros.
  TrellisTable learn(unsigned halves) const;

private:
  std::vector<float> samples;
};

/// The one for normally distributed weights of variance 1; half bits are from 4 to 10.
const TrellisTable &getNormalTrellisTable(unsigned halves);

/// Tables that all matrices share.
class SharedTables {
public:
  void set(unsigned halves, const TrellisTable &table) { ofTrellises[halves] = table; }
  /// That of a trellis; the one for normally distributed weights where none is set.
  const TrellisTable &get(unsigned halves) const {
    auto found = ofTrellises.find(halves);
    return found == ofTrellises.end() ? getNormalTrellisTable(halves) : found->second;
  }

private:
  std::map<unsigned, TrellisTable> ofTrellises; ///< by half bits a weight
};

} // namespace llmc

#endif // LLMC_LIB_TRANSFORMS_QUANTIZATION_TRELLISTABLE_H
