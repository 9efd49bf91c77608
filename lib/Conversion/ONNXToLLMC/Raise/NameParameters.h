//===- NameParameters.h - parameters named by what they do ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_NAMEPARAMETERS_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_NAMEPARAMETERS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace llmc {

/// Names parameters after their place in the model ("layers.0.attention.query"), whatever the file
/// called them, sorts them in the order of their use, and drops those that nothing reads.
void nameParameters(mlir::ModuleOp module, mlir::func::FuncOp step);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_NAMEPARAMETERS_H
