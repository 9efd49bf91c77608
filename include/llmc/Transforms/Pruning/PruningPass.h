//===- PruningPass.h - the options that all pruning passes have ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_PRUNING_PRUNINGPASS_H
#define LLMC_TRANSFORMS_PRUNING_PRUNINGPASS_H

#include "llmc/Transforms/Pruning/Pattern.h"

namespace llmc {

/// What `sharesOptions` (PruningOptions.td) of a pass say.
struct PatternOptions {
  llvm::StringRef pattern;
  bool hasPattern; ///< whether it is given, not by default
  std::optional<double> sparsity;

  template <typename Text, typename Number>
  PatternOptions(const Text &pattern, const Number &sparsity)
      : pattern(pattern.getValue()), hasPattern(pattern.hasValue()) {
    if (sparsity.hasValue())
      this->sparsity = sparsity.getValue();
  }

  /// Reports at the module what can't be.
  mlir::FailureOr<PruningPattern> get(mlir::ModuleOp module) const {
    if (hasPattern && sparsity)
      return module.emitError() << "sparsity: expected no pattern with it, found pattern="
                                << pattern;
    return PruningPattern::get(module.getLoc(), pattern, sparsity);
  }
};

} // namespace llmc

#endif // LLMC_TRANSFORMS_PRUNING_PRUNINGPASS_H
