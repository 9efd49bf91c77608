//===- Phases.h - the phases of compiling ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_PIPELINES_PHASES_H
#define LLMC_PIPELINES_PHASES_H

#include "mlir/IR/BuiltinOps.h"

namespace llmc {

/// The phases, in their order. Each has a header of this folder, with its options and what runs it;
/// each leaves a module but the last, and compiling goes on from any (Compile.h).
enum class Phase {
  Import,   ///< an ONNX model as it is, in the carrier
  Raise,    ///< in the language of models
  Compress, ///< after compression passes
  Lower,    ///< planned and with kernels for a target
  Emit      ///< native code and packed weights
};

/// "import", "raise", …
llvm::StringRef getName(Phase phase);

/// The last phase that a module has been through: import for the carrier, lower for a planned
/// program; a module in the language of models may be compressed further, so raise for others.
Phase getPhase(mlir::ModuleOp module);

} // namespace llmc

#endif // LLMC_PIPELINES_PHASES_H
