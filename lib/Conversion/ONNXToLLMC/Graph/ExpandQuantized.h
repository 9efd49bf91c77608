//===- ExpandQuantized.h - operators on integers as what they stand for ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_EXPANDQUANTIZED_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_EXPANDQUANTIZED_H

#include "llmc/Dialect/ONNX/IR/ONNX.h"

#include "mlir/IR/BuiltinOps.h"

namespace llmc {

/// Replaces fused operators on quantized tensors by DequantizeLinear, the plain operator and
/// QuantizeLinear, and weights in forms that only single operators read by ones that all read.
mlir::LogicalResult expandQuantized(mlir::ModuleOp module);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_EXPANDQUANTIZED_H
