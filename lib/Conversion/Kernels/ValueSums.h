//===- ValueSums.h - sums of values in attention kernels ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_KERNELS_VALUESUMS_H
#define LLMC_LIB_CONVERSION_KERNELS_VALUESUMS_H

#include "AttentionGroup.h"
#include "CacheCodec.h"
#include "llmc/Dialect/LLMC/IR/CacheLayout.h"

#include <optional>

namespace llmc {

/// Sums values by the weights of queries that go together. Every sum is one chain of operations, in
/// ascending order of positions.
class ValueSums {
public:
  using Value = mlir::Value;
  using Values = KernelBuilder::Values;

  /// `exactValues` reads what is kept as f16 too, `registers` hold as many vectors of sums.
  ValueSums(KernelBuilder &k, const CacheLayout &layout, const CacheReader &values,
            const std::optional<CacheReader> &exactValues, const AttentionScores &scores,
            int64_t registers, bool oneRow)
      : k(k), layout(layout), values(values), exactValues(exactValues), scores(scores),
        registers(registers), oneRow(oneRow) {}

  /// output = factor · Σ weight_t · value_t, for every query.
  void emit(const AttentionGroup &group, llvm::ArrayRef<Value> factors) const;

private:
  /// `parts` parts of `partWidth` elements (16 or 1) of the output, from `element` on, of `count`
  /// queries from the `first` on.
  struct SumTile {
    int64_t first, count, element, parts, partWidth;

    bool isScalar() const { return partWidth == 1; }
  };

  void emitTile(const AttentionGroup &group, llvm::ArrayRef<Value> factors,
                const SumTile &tile) const;
  /// Sums over the positions that no query reads but as one of the first.
  Values sumFirst(const AttentionGroup &group, const SumTile &tile, Values sums) const;
  /// Sums over the others, where some of them are read exactly.
  Values sumExact(const AttentionGroup &group, const SumTile &tile, Values sums) const;
  /// The same of the newest, which some queries read exactly and others do not.
  Values sumRecent(const AttentionGroup &group, const SumTile &tile, Value begin, Value end,
                   mlir::ValueRange sums) const;
  /// A tile's elements of the values at a position, as they are stored.
  Values loadValues(const AttentionGroup &group, const SumTile &tile, Value position) const;
  Values loadExactValues(const AttentionGroup &group, const SumTile &tile, Value position) const;
  Values loadLine(const CacheReader &reader, Value memory, const SumTile &tile,
                  Value position) const;
  /// Adds values, times what a query's weight for their position is, to the sums. `place` is that
  /// of its scores.
  void addValues(const SumTile &tile, int64_t query, Value place, llvm::ArrayRef<Value> line,
                 Values &sums) const;
  /// Sums over positions [begin, end), whose scores stand `skipped` places before, the same values
  /// for all queries.
  Values sumValues(const SumTile &tile, Value skipped, Value begin, Value end,
                   mlir::ValueRange sums, llvm::function_ref<Values(Value position)> read) const;

  KernelBuilder &k;
  const CacheLayout &layout;
  const CacheReader &values;
  const std::optional<CacheReader> &exactValues;
  const AttentionScores &scores;
  int64_t registers;
  bool oneRow;
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_KERNELS_VALUESUMS_H
