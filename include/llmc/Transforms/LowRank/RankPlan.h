//===- RankPlan.h - the ranks that matrices are left with ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_LOWRANK_RANKPLAN_H
#define LLMC_TRANSFORMS_LOWRANK_RANKPLAN_H

#include "llmc/Transforms/LowRank/LowRankOptions.h"

#include "mlir/IR/BuiltinOps.h"

#include <vector>

namespace llmc {

/// What is to be known of a matrix to choose its rank.
struct Spectrum {
  int64_t rows = 0, columns = 0;
  std::vector<double> squares; ///< σᵢ², descending: what is lost is the sum of those left out
};

/// What the options `rank`, `keep` and `allocation` ask for.
struct RankPlan {
  int64_t rank = 0; ///< of all; 0: by what is kept
  double keep = 0;
  RankAllocation allocation = RankAllocation::Uniform;
  /// Of ranks that follow from what is kept; those below it stay as they are.
  int64_t multiple = 1;

  /// Reports at the module what can't be.
  static mlir::FailureOr<RankPlan> get(mlir::ModuleOp module, int64_t rank, llvm::StringRef keep,
                                       RankAllocation allocation, int64_t multiple);

  bool needsSpectra() const { return rank == 0 && allocation == RankAllocation::Loss; }
  /// The rank of a matrix where no spectra are needed.
  int64_t getRank(int64_t rows, int64_t columns) const;
  /// The ranks of least Σ ‖W − W'‖² / ‖W‖² at `keep` of all parameters; 0: the matrix stays whole.
  std::vector<int64_t> allocate(llvm::ArrayRef<Spectrum> spectra) const;
};

} // namespace llmc

#endif // LLMC_TRANSFORMS_LOWRANK_RANKPLAN_H
