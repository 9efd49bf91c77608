//===- TargetOptions.h - options of the directions that generate code ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TOOLS_LLMC_TRANSLATE_TARGETOPTIONS_H
#define LLMC_TOOLS_LLMC_TRANSLATE_TARGETOPTIONS_H

#include "llmc/Pipelines/Emit.h"

#include "mlir/IR/OwningOpRef.h"

namespace llmc {

/// Adds the flags of the phases lower and emit to the command line, once.
void registerTargetOptions();

/// A program of `module`, made as the flags say, or its copy where it is one already and they are
/// not given. What is wrong is reported; then the result is null.
mlir::OwningOpRef<mlir::ModuleOp> plan(mlir::ModuleOp module);
/// The same for a GPU, cuda where no target is named.
mlir::OwningOpRef<mlir::ModuleOp> planForGPU(mlir::ModuleOp module);

/// The same for an object: for one CPU, and any GPUs. No programs where something is wrong.
using Programs = llvm::SmallVector<mlir::OwningOpRef<mlir::ModuleOp>>;
Programs planForObject(mlir::ModuleOp module);

/// What --symbol, --force and --ptxas say of an object.
EmitOptions getEmitOptions();

} // namespace llmc

#endif // LLMC_TOOLS_LLMC_TRANSLATE_TARGETOPTIONS_H
