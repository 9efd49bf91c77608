//===- EmitPTX.h - PTX of a program for GPUs ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CONVERSION_EMITPTX_EMITPTX_H
#define LLMC_CONVERSION_EMITPTX_EMITPTX_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"

namespace llmc {

/// Turns a program that convert-spmd-to-gpu made into the LLVM and NVVM dialects, without its
/// spmd.program.
mlir::LogicalResult lowerGPUToLLVM(mlir::ModuleOp code);

/// The text of a program's kernel for its target, optimized. What is wrong with the program is
/// reported.
llvm::Expected<llvm::SmallVector<char, 0>> emitPTX(mlir::ModuleOp program);

} // namespace llmc

#endif // LLMC_CONVERSION_EMITPTX_EMITPTX_H
