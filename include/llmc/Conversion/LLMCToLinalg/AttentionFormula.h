//===- AttentionFormula.h - attention, as plain arithmetic ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What llmc.attention means, whatever holds the cache: tensors, or the state of a sequence.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CONVERSION_LLMCTOLINALG_ATTENTIONFORMULA_H
#define LLMC_CONVERSION_LLMCTOLINALG_ATTENTIONFORMULA_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"
#include "llmc/Support/Formula.h"

#include <functional>

namespace llmc {

/// What a value of !llmc.rows has become: integers of 32 bits, one of each row.
struct PlainRows {
  mlir::Value sequences, positions, outputs;
  static PlainRows get(mlir::ValueRange values) { return {values[0], values[1], values[2]}; }
};

/// A number of a cache, of type index each.
struct CachePlace {
  mlir::Value sequence, position, head, element;
};

/// Builds what a number is read as, f32, in the body of a formula.
using ReadNumber = std::function<mlir::Value(mlir::ImplicitLocOpBuilder &, const CachePlace &)>;

/// How keys or values are read.
struct CacheNumbers {
  ReadNumber rounded; ///< as their encoding stores them
  ReadNumber exact;   ///< as they are kept beside; null where they are not
};

/// One attention's way from queries to results. Dimensions are named r (row), h (query head), t
/// (position) and d (element of a head).
class AttentionFormula {
public:
  /// Looks at the first `positions` positions of the cache, which are all that a row reads. `gone`
  /// is, where the cache chooses positions, [t, key/value head]: which the only row does not read.
  /// Without it those that are chosen stand in the place of the ones that follow the first.
  AttentionFormula(AttentionOp op, mlir::OpBuilder &builder, PlainRows rows, mlir::Value sinks,
                   int64_t positions, mlir::Value gone = mlir::Value());

  /// [r, h, t]: what each row and head weighs positions with. `query` is [r, heads side by side].
  mlir::Value buildWeights(mlir::Value query, const CacheNumbers &keys);
  /// [r, heads side by side]
  mlir::Value buildResult(mlir::Value weights, const CacheNumbers &values);
  /// Whether position `t` is one that a row at `position` attends to in a head of keys.
  mlir::Value isRead(mlir::ImplicitLocOpBuilder &b, mlir::Value t, mlir::Value head,
                     mlir::Value position);

private:
  using Value = mlir::Value;

  /// What the distance of position `t` from a row's adds to the scores of the head that is
  /// dimension 1.
  Number getBias(mlir::ImplicitLocOpBuilder &b, Value slopes, Value t, Value position);
  /// [r, t, head, d]: what row r reads of keys or values; zero where it reads nothing.
  Value read(const CacheVectors &vectors, const CacheNumbers &numbers);
  /// Whether a row at `position` reads position `t` as it was before it was rounded.
  Value isExact(mlir::ImplicitLocOpBuilder &b, CacheEncodingInterface encoding, Value t,
                Value position);
  /// [r, h, t]
  Value getScores(Value query, Value keys);
  Value getSoftmax(Value scores);

  AttentionOp op;
  Formula formula;
  PlainRows rows;
  Value sinks; ///< [h], or null
  int64_t positions;
  Value gone;
  mlir::Type f32;
  KVCacheType cache;
};

} // namespace llmc

#endif // LLMC_CONVERSION_LLMCTOLINALG_ATTENTIONFORMULA_H
