//===- InlineFunctions.h - calls of a model's own functions replaced by their nodes ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_INLINEFUNCTIONS_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_INLINEFUNCTIONS_H

#include "llmc/Dialect/ONNX/IR/ONNX.h"
#include "mlir/IR/BuiltinOps.h"

namespace llmc {

/// Replaces every call of a model-local function in the graph by the function's nodes.
mlir::LogicalResult inlineFunctions(mlir::ModuleOp module);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_INLINEFUNCTIONS_H
