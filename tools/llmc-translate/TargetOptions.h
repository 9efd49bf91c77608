//===- TargetOptions.h - options of the directions that generate code ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TOOLS_LLMC_TRANSLATE_TARGETOPTIONS_H
#define LLMC_TOOLS_LLMC_TRANSLATE_TARGETOPTIONS_H

#include "llmc/Conversion/EmitObject/EmitObject.h"

namespace llmc {

/// Adds --target, --max-rows, --symbol and --force to the command line, once.
void registerTargetOptions();

/// Whether --force is given.
bool getForce();

/// A planned program of `module`, made as --target and --max-rows say, or its copy where it is one
/// already and they are not given.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> plan(mlir::ModuleOp module);

/// `outputPath` gives the symbol its name where --symbol does not.
llvm::Expected<CodeOptions> getCodeOptions(llvm::StringRef outputPath);

} // namespace llmc

#endif // LLMC_TOOLS_LLMC_TRANSLATE_TARGETOPTIONS_H
