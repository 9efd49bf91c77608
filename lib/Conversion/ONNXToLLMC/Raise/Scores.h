//===- Scores.h - scores of attention ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_SCORES_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_SCORES_H

#include "Raise/Masks.h"
#include "Raise/View.h"

namespace llmc {

/// Scores of attention, or their softmax.
struct Scores : MeaningOf<Scores> {
  View query, keys; ///< rows × heads × size
  double scale = 1;
  double softcap = 0;
  std::optional<Weight> sinks;   ///< one per head: scores of nothing
  llvm::SmallVector<Mask> masks; ///< in the order in which they were applied
  bool causal = false;           ///< said by an attribute
  int64_t window = 0;
  bool isSoftmax = false;

  int64_t countColumns() const override { return query.countColumns() + keys.countColumns(); }
  std::optional<mlir::LogicalResult> raiseUse(Raise &raise, Node &node) const override;
};

/// Queries times transposed keys.
mlir::LogicalResult raiseScores(Raise &raise, Node &node);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_SCORES_H
