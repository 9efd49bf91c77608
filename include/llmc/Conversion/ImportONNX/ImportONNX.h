//===- ImportONNX.h - ONNX files into the onnx dialect ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CONVERSION_IMPORTONNX_IMPORTONNX_H
#define LLMC_CONVERSION_IMPORTONNX_IMPORTONNX_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/MemoryBufferRef.h"

namespace llmc {

/// Reads a model, opset 13 to 23, into a module of the onnx dialect. The buffer's identifier is
/// the file's path: external data lies beside it, and tensors stored in the file itself are
/// referred to by their place in it. What is wrong is reported at the file; then the result is
/// null. The file is untrusted: nothing outside its folder is read.
mlir::OwningOpRef<mlir::ModuleOp> importONNX(llvm::MemoryBufferRef file,
                                             mlir::MLIRContext *context);

} // namespace llmc

#endif // LLMC_CONVERSION_IMPORTONNX_IMPORTONNX_H
