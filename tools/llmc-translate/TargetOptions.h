//===- TargetOptions.h - options of the directions that generate code ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TOOLS_LLMC_TRANSLATE_TARGETOPTIONS_H
#define LLMC_TOOLS_LLMC_TRANSLATE_TARGETOPTIONS_H

#include "llmc/Conversion/EmitObject/EmitObject.h"

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace llmc {

/// Adds --target, --max-rows and --symbol to the command line, once.
void registerTargetOptions();

/// What they say.
llvm::Expected<Target> getTarget();

/// `outputPath` gives the symbol its name where --symbol does not.
llvm::Expected<CodeOptions> getCodeOptions(mlir::ModuleOp module, llvm::StringRef outputPath);

/// The dialects that a canonical module is made of.
void insertCanonicalDialects(mlir::DialectRegistry &registry);

} // namespace llmc

#endif // LLMC_TOOLS_LLMC_TRANSLATE_TARGETOPTIONS_H
