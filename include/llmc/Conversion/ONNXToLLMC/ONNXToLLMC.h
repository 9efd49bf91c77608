//===- ONNXToLLMC.h - from the onnx carrier to the language of models ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CONVERSION_ONNXTOLLMC_ONNXTOLLMC_H
#define LLMC_CONVERSION_ONNXTOLLMC_ONNXTOLLMC_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace llmc {

/// Choices of the raise.
struct RaiseOptions {
  /// Positions that caches hold; 0: as many as the model's tables allow, at most 2048.
  int64_t context = 0;
};

/// Replaces the module's `onnx.graph @main` by a function @step of the llmc dialect. What can't be
/// raised is reported all at once: operator, domain, version, count, a node's name and why.
mlir::LogicalResult raiseONNX(mlir::ModuleOp module, const RaiseOptions &options);

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "llmc/Conversion/ONNXToLLMC/Passes.h.inc"

} // namespace llmc

#endif // LLMC_CONVERSION_ONNXTOLLMC_ONNXTOLLMC_H
