//===- PruningPass.h - the options that all pruning passes have ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_PRUNING_PRUNINGPASS_H
#define LLMC_TRANSFORMS_PRUNING_PRUNINGPASS_H

#include "llmc/Transforms/Pruning/Allocation.h"

namespace llmc {

/// What `patternOptions` (PruningOptions.td) of a pass say.
struct PatternOptions {
  llvm::StringRef pattern, sparsity; ///< empty where they are not given
  SparsityAllocation allocation;

  /// Reports at the module what can't be.
  mlir::FailureOr<PruningPattern> get(mlir::ModuleOp module) const {
    if (sparsity.empty() && allocation != SparsityAllocation::Uniform)
      return module.emitError(
          "allocation: expected sparsity with it: a pattern is of all matrices");
    if (sparsity.empty())
      return PruningPattern::get(module.getLoc(), pattern.empty() ? "2:4" : pattern, std::nullopt);
    if (!pattern.empty())
      return module.emitError() << "sparsity: expected no pattern with it, found pattern="
                                << pattern;
    double share;
    if (sparsity.getAsDouble(share))
      return module.emitError() << "sparsity: expected a number between 0 and 1, found '"
                                << sparsity << "'";
    return PruningPattern::get(module.getLoc(), "", share);
  }
};

} // namespace llmc

#endif // LLMC_TRANSFORMS_PRUNING_PRUNINGPASS_H
