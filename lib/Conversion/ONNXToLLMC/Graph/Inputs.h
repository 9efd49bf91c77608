//===- Inputs.h - what a model's inputs are for ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_INPUTS_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_INPUTS_H

#include "Evaluate/HostTensor.h"
#include "llmc/Dialect/ONNX/IR/ONNX.h"

namespace llmc {

/// How many tokens are in the cache and in the step.
struct ProbeSizes {
  int64_t past, rows;
  int64_t total() const { return past + rows; }
};

/// What an input of a decoder is for, and what it then holds.
enum class InputRole {
  Tokens,
  Mask,        ///< 1 where a key is read; as a matrix of rows × keys, 0 or the lowest number too
  Positions,   ///< past, past + 1 …
  TokenTypes,  ///< 0 for each token
  UseCache,    ///< whether there is a past: true, which is right for an empty one too
  RowsToKeep,  ///< of how many last rows logits are wanted: 0, for all
  PastLength,  ///< a scalar
  TotalLength, ///< a scalar
  Past,        ///< a cache, or several as one tensor
  Unread,      ///< by nothing that the logits depend on
};

/// One input.
struct ModelInput {
  /// Dimensions that follow the lengths of a step.
  enum : int64_t { Rows = -2, Total = -3, PastRows = -4 };
  /// Axes of a cache. One tensor holds one cache as batch × heads × past × size, in any order and
  /// without axes of size one, or several along an axis of their own, or two side by side.
  enum CacheAxis : int { Batch, Heads, Length, Size, Parts, JoinedSize };

  InputRole role;
  /// The dimensions, each a size or one of those above; -1 where a size is not stated.
  llvm::SmallVector<int64_t> shape;
  /// Of a cache, what each of its axes is.
  llvm::SmallVector<int> axes;
  /// Whether numbers are fractions, as masks may be.
  bool isFloat = false;

  /// The size of a cache's axis: 1 where it has none, -1 where it is not stated.
  int64_t getCacheSize(CacheAxis axis) const;
  /// How many caches the tensor holds.
  int64_t getParts() const;
  /// Whether it is one cache, batch × heads × past × size.
  bool isPlainCache() const { return axes == llvm::SmallVector<int>{Batch, Heads, Length, Size}; }

  /// Whether the sizes of heads are stated.
  bool hasSizes() const { return getCacheSize(Heads) >= 0 && getCacheSize(Size) >= 0; }
  /// One cache; sizes of -1 are not stated.
  static ModelInput makePast(int64_t heads, int64_t headSize) {
    return {InputRole::Past, {1, heads, PastRows, headSize}, {Batch, Heads, Length, Size}, true};
  }
};

/// What an input holds in a step; tokens and caches have no values.
HostTensor makeInput(const ModelInput &input, ProbeSizes sizes);

/// The roles of all inputs, in order, by their names, types and uses. Inputs whose role can't be
/// told are reported all at once.
mlir::FailureOr<llvm::SmallVector<ModelInput>> classifyInputs(carrier::GraphOp graph);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_INPUTS_H
