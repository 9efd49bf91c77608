//===- AttentionGroup.h - queries of an attention that go together ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_KERNELS_ATTENTIONGROUP_H
#define LLMC_LIB_CONVERSION_KERNELS_ATTENTIONGROUP_H

#include "KernelBuilder.h"

namespace llmc {

/// What queries that go together have in common. Rows are of one sequence, following each other.
struct AttentionGroup {
  using Value = mlir::Value;
  using Values = KernelBuilder::Values;

  int64_t rows, heads;
  /// From a row's elements, or a head's, to those of the next, of queries and of results.
  int64_t rowBytes, headBytes, outputRowBytes, outputHeadBytes;
  Value head; ///< the first
  Value keys, values, exactKeys, exactValues, query, output;
  Values begins, ends; ///< of the positions that each row sees
  Value firstBlock;    ///< the first position of the first block of 16 that any sees
  Value skipped;       ///< positions between the first ones and that; null: none
  /// The first position of those that each row reads exactly because they are recent.
  Values recentKeys, recentValues;

  int64_t count() const { return rows * heads; }
  /// Bytes from the first query's elements to those of query `index`.
  int64_t getOffset(int64_t index) const {
    return index / heads * rowBytes + index % heads * headBytes;
  }
  /// The same of results.
  int64_t getOutputOffset(int64_t index) const {
    return index / heads * outputRowBytes + index % heads * outputHeadBytes;
  }
  /// The place of a position of those behind the first ones.
  Value getSeenPlace(KernelBuilder &k, Value position) const {
    return skipped ? k.sub(position, skipped) : position;
  }
};

/// Where the scores of queries that go together stand, and weights afterwards: of the positions
/// that are seen the first ones, and behind them the newest.
struct AttentionScores {
  mlir::Value memory;
  int64_t stride; ///< bytes from one query's to the next one's

  mlir::Value getAddress(KernelBuilder &k, int64_t index, mlir::Value place) const {
    return k.offset(k.offset(memory, k.mul(place, 4)), index * stride);
  }
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_KERNELS_ATTENTIONGROUP_H
