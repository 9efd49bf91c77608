//===- HeavyHitterFormula.h - which positions a cache chooses, as plain arithmetic ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_LLMCTOLINALG_HEAVYHITTERFORMULA_H
#define LLMC_LIB_CONVERSION_LLMCTOLINALG_HEAVYHITTERFORMULA_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"
#include "llmc/Support/Formula.h"

namespace llmc {

/// What one row does with the choice of its sequence's cache (`heavy` of !llmc.kv_cache): scores of
/// f32, and of i8 whether a position is read no more, both [t, key/value head]. Every position
/// keeps its place here.
class HeavyHitterFormula {
public:
  /// `position` is the row's, of type index.
  HeavyHitterFormula(Formula &formula, KVCacheType cache, mlir::Value position)
      : formula(formula), cache(cache), position(position) {}

  /// What is read no more as the row reads.
  mlir::Value evict(mlir::Value scores, mlir::Value gone);
  /// Scores after the row has given weight to positions: `weights` are [1, query head, t].
  mlir::Value addWeights(mlir::Value scores, mlir::Value weights);

private:
  /// Whether position `t` is one of those that the leaving one may take the place of.
  mlir::Value isChosen(mlir::ImplicitLocOpBuilder &b, mlir::Value t, mlir::Value gone);
  mlir::Value constant(mlir::ImplicitLocOpBuilder &b, int64_t number);
  /// The position that leaves the newest, negative where none does.
  mlir::Value getLeaving(mlir::ImplicitLocOpBuilder &b);

  Formula &formula;
  KVCacheType cache;
  mlir::Value position;
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_LLMCTOLINALG_HEAVYHITTERFORMULA_H
