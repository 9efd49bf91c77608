//===- ObservedFormula.h - which positions queries choose together, as plain arithmetic ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_LLMCTOLINALG_OBSERVEDFORMULA_H
#define LLMC_LIB_CONVERSION_LLMCTOLINALG_OBSERVEDFORMULA_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"
#include "llmc/Support/Formula.h"

namespace llmc {

/// How many queries before that at `position`, of type index, choose together with it.
mlir::Value countSinceChoice(mlir::ImplicitLocOpBuilder &b, KVCacheType cache,
                             mlir::Value position);

/// What one row does with the choice of its sequence's cache where queries choose together
/// (`observed` of !llmc.kv_cache): scores since the last choice and the most that they have been,
/// of f32, and of i8 whether a position is read no more, all [t, key/value head]. Every position
/// keeps its place here.
class ObservedFormula {
public:
  /// `position` is the row's, of type index.
  ObservedFormula(Formula &formula, KVCacheType cache, mlir::Value position)
      : formula(formula), cache(cache), position(position) {}

  /// The choice as the row reads, of that before it.
  llvm::SmallVector<mlir::Value> choose(mlir::ValueRange before);

private:
  /// The same where the row is the first that reads it.
  llvm::SmallVector<mlir::Value> chooseAnew(Formula &inside, mlir::ValueRange before);
  mlir::Value updateMost(Formula &inside, mlir::Value sums, mlir::Value most);
  /// Of i64, of each candidate how many stand before it.
  mlir::Value getRanks(Formula &inside, mlir::Value gone);
  /// Of each candidate the sum of the scores of those that stand next to it.
  mlir::Value getWeights(Formula &inside, mlir::Value scores, mlir::Value gone, mlir::Value ranks);
  /// Of i64, of each candidate how many weigh more, or the same and are later.
  mlir::Value getHeavier(Formula &inside, mlir::Value weights, mlir::Value gone);
  /// Whether position `t`, of which `gone` is known, may be chosen.
  mlir::Value isCandidate(mlir::ImplicitLocOpBuilder &b, mlir::Value t, mlir::Value gone);
  llvm::SmallVector<mlir::OpFoldResult> getSizes(Formula &inside);

  Formula &formula;
  KVCacheType cache;
  mlir::Value position;
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_LLMCTOLINALG_OBSERVEDFORMULA_H
