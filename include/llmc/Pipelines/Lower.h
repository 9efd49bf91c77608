//===- Lower.h - the phase lower: from the language of models to a program for a target ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_PIPELINES_LOWER_H
#define LLMC_PIPELINES_LOWER_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Pass/PassManager.h"

#include <string>
#include <vector>

namespace llmc {

struct LowerOptions {
  std::string target = "host"; ///< as Target::parse reads it, or GPUTarget::parse
  int64_t maxRows = 128;       ///< tokens of a step
  std::string kernels = "all"; ///< as KernelChoice::parse reads it
};

/// The targets of `T[,T…]`, each for one program. T is a target of CPUs, whose variants may follow
/// it after a colon and commas, or cuda[:ARCHITECTURE,…], which is one for each architecture.
/// Nothing is checked: what belongs to no target is a part of the one before it.
std::vector<std::string> splitTargets(llvm::StringRef text);

/// Adds the passes of the phase.
void buildLowerPipeline(mlir::OpPassManager &manager, const LowerOptions &options = {});

/// Runs the phase on a copy of a module in the language of models. Errors are reported in the
/// context; then the result is null.
mlir::OwningOpRef<mlir::ModuleOp> lowerModel(mlir::ModuleOp module, const LowerOptions &options);

} // namespace llmc

#endif // LLMC_PIPELINES_LOWER_H
