//===- ObservedPositions.h - positions that several queries choose together ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What kernels do where a cache chooses, at every so many positions, those that stay
// (`observed` of !llmc.kv_cache; Li et al. 2024, "SnapKV", section 4). Chosen positions lie in the
// last of the first places, in ascending order; those that may join them lie in the ring behind.
// Scores of the queries since the last choice are added up as those of heavy hitters
// (HeavyHitters.h); behind them stands the most that they have been at any choice.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_KERNELS_OBSERVEDPOSITIONS_H
#define LLMC_LIB_CONVERSION_KERNELS_OBSERVEDPOSITIONS_H

#include "KernelBuilder.h"
#include "llmc/Dialect/LLMC/IR/CacheLayout.h"

namespace llmc {

/// The choice of one head of a cache, in one sequence's state.
class ObservedPositions {
public:
  using Value = mlir::Value;

  /// `cache` is where the sequence's cache lies, `scratch` has room for getScratchBytes().
  ObservedPositions(KernelBuilder &k, const CacheLayout &layout, Value cache, Value head,
                    Value scratch);

  static int64_t getScratchBytes(const CacheLayout &layout);
  /// The first of the newest positions that a query at `position` reads, negative where it reads
  /// all.
  static Value getNewest(KernelBuilder &k, const CacheLayout &layout, Value position);

  /// Comes before a query at `position` reads: chooses anew where it is the first of others.
  void choose(Value position) const;

private:
  /// Chosen positions and those that leave the newest.
  int64_t countCandidates() const { return layout.heavy + layout.observed; }
  /// Lets the most that scores have been know of the queries before `position`, and starts anew.
  void endInterval(Value position) const;
  /// The same of the 16 positions from `first` on, which lie from `place` on.
  void endInterval(Value position, Value first, Value place) const;
  /// Goes through candidates in ascending order. `leaving` is the first that leaves the newest.
  Value forEachCandidate(
      Value leaving, Value carried,
      llvm::function_ref<Value(Value candidate, Value place, Value carried)> body) const;
  /// Writes down what candidates weigh.
  void weigh(Value leaving) const;
  /// Leaves as many candidates as can be chosen, and brings them together.
  void keepHeaviest(Value leaving) const;
  /// Moves the candidate at `place` to the `kept`th of the chosen ones, if it stays; gives how many
  /// have stayed.
  Value keep(Value candidate, Value place, Value kept) const;

  Value getSum(Value place) const { return k.offset(sums, k.mul(place, 4)); }
  Value getMost(Value place) const { return k.offset(getSum(place), layout.getMostOffset()); }
  Value getScore(Value candidate) const;
  Value getWeight(Value candidate) const { return k.offset(weights, k.mul(candidate, 4)); }
  int64_t getFirstChosen() const { return layout.first - layout.heavy; }

  KernelBuilder &k;
  const CacheLayout &layout;
  Value cache, head, sums;
  Value scores;  ///< of candidates, behind two zeros and before two
  Value weights; ///< of candidates
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_KERNELS_OBSERVEDPOSITIONS_H
