//===- Attention.h - attention and its caches ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_ATTENTION_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_ATTENTION_H

#include "Raise/Scores.h"

namespace llmc {

/// Keys or values of a past input, as they come in.
struct PastValue : MeaningOf<PastValue> {
  int index;
  explicit PastValue(int index) : index(index) {}
  std::optional<mlir::LogicalResult> raiseUse(Raise &raise, Node &node) const override;
};

/// The cache as an operator that manages it itself gives it back.
struct CacheValue : MeaningOf<CacheValue> {
  std::optional<mlir::LogicalResult> raiseUse(Raise &raise, Node &node) const override;
};

/// A matrix operand of attention as rows × heads × size, with its heads broadcast to `batch`.
mlir::FailureOr<View> makeHeads(Raise &raise, const View &view, llvm::ArrayRef<int64_t> batch,
                                int64_t size);

/// Rows × (heads · size) under an operator that keeps heads side by side, as rows × heads × size.
mlir::FailureOr<View> splitHeads(Raise &raise, const View &view, int64_t heads);

/// Heads × rows × size as batch × rows × (heads · size).
mlir::FailureOr<View> joinHeads(Raise &raise, const View &heads);

/// Attention of scores' queries over keys and values that are appended to a cache. `shape` is the
/// result's, … × rows × size.
mlir::FailureOr<View> emitAttention(Raise &raise, const Scores &scores, const View &values,
                                    llvm::ArrayRef<int64_t> shape);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_ATTENTION_H
