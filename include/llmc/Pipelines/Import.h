//===- Import.h - the phase import: from a file to a module ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_PIPELINES_IMPORT_H
#define LLMC_PIPELINES_IMPORT_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/SourceMgr.h"

namespace llmc {

/// Reads a model's file as it stands: an ONNX model as a module of the carrier, a module with the
/// paths of its weights made absolute. Errors in its contents are reported in the context, with the
/// text in `sources` to be shown; then the result is null.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>
readModel(llvm::StringRef path, mlir::MLIRContext *context, llvm::SourceMgr &sources);

/// Writes a module to a file, with the weights that are in memory beside it and the paths of all
/// weights relative to it.
llvm::Error writeModel(mlir::ModuleOp module, llvm::StringRef path);

/// Whether a module is of the carrier: imported, and not raised yet.
bool isCarrier(mlir::ModuleOp module);

/// Whether a path names an ONNX model.
bool isONNXPath(llvm::StringRef path);

} // namespace llmc

#endif // LLMC_PIPELINES_IMPORT_H
