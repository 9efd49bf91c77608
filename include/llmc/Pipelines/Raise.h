//===- Raise.h - the phase raise: from the carrier to the language of models ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_PIPELINES_RAISE_H
#define LLMC_PIPELINES_RAISE_H

#include "llmc/Conversion/ONNXToLLMC/ONNXToLLMC.h"

#include "mlir/Pass/PassManager.h"

namespace llmc {

/// Adds the passes of the phase: the raise itself, and blocks that are the same become functions.
void buildRaisePipeline(mlir::OpPassManager &manager, const RaiseOptions &options = {});

/// Runs the phase on a module of the carrier. Errors are reported in the context.
mlir::LogicalResult raiseModel(mlir::ModuleOp module, const RaiseOptions &options = {});

} // namespace llmc

#endif // LLMC_PIPELINES_RAISE_H
