//===- HeavyHitters.h - positions that a cache chooses by score ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What kernels do with the scores of a cache's positions, by which it chooses those that stay
// (`heavy` of !llmc.kv_cache; Zhang et al. 2023, "H2O", section 4). Places are those where
// positions lie: of the chosen ones the last of the first places, of the newest those in the ring
// behind.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_KERNELS_HEAVYHITTERS_H
#define LLMC_LIB_CONVERSION_KERNELS_HEAVYHITTERS_H

#include "KernelBuilder.h"
#include "llmc/Dialect/LLMC/IR/CacheLayout.h"

namespace llmc {

/// The least of the numbers [begin, end) of `numbers`, fp32 below 3e38, and which it is, the first
/// of equal ones.
std::pair<mlir::Value, mlir::Value> findLeast(KernelBuilder &k, mlir::Value numbers,
                                              mlir::Value begin, mlir::Value end);

/// Moves the keys and values of a head from a place to another.
void emitPositionMove(KernelBuilder &k, const CacheLayout &layout, mlir::Value cache,
                      mlir::Value head, mlir::Value from, mlir::Value to);

/// The scores of one head of a cache, in one sequence's state.
class HeavyHitters {
public:
  using Value = mlir::Value;

  /// `cache` is where the sequence's cache lies.
  HeavyHitters(KernelBuilder &k, const CacheLayout &layout, Value cache, Value head);

  /// The address of the scores of the 16 positions of block `block`.
  Value getScores(Value block) const;
  /// Comes before a query at `position` reads: lets the position that leaves the newest take the
  /// place of the chosen one with the least score, if that is less than its own.
  void admit(Value position) const;

private:
  Value getScore(Value place) const { return k.offset(scores, k.mul(place, 4)); }

  KernelBuilder &k;
  const CacheLayout &layout;
  Value cache, head, scores;
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_KERNELS_HEAVYHITTERS_H
