//===- ExportONNX.h - the onnx dialect back into ONNX files ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CONVERSION_EXPORTONNX_EXPORTONNX_H
#define LLMC_CONVERSION_EXPORTONNX_EXPORTONNX_H

#include "mlir/IR/BuiltinOps.h"

namespace llmc {

/// Writes a module of the onnx dialect to `path`, and its tensors of more than 1 KiB to
/// `path`.data as external data. Both files appear whole or not at all. Paths in the module are
/// absolute. What cannot be said in an ONNX file is reported where it stands.
mlir::LogicalResult exportONNX(mlir::ModuleOp module, llvm::StringRef path);

} // namespace llmc

#endif // LLMC_CONVERSION_EXPORTONNX_EXPORTONNX_H
