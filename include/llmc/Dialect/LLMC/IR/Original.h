//===- Original.h - what a parameter was before it was rounded ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Passes that round or prune weights leave in an attribute of the parameter which type and data it
// had, so that later ones can make up for what was lost:
//
//   llmc.parameter @up : tensor<1536x576xf32, #w> = … {
//     llmc.original = [tensor<1536x576xf32>, #llmc.file<"model.onnx.data", offset = 81920>]}
//
// Nothing is copied: the weights stay in the file that they are in, or, until the module is written
// to a file, in memory. What was in memory alone is forgotten then. No program contains them.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_LLMC_IR_ORIGINAL_H
#define LLMC_DIALECT_LLMC_IR_ORIGINAL_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include "mlir/IR/OwningOpRef.h"

namespace llmc {

/// The parameter's attribute that says what it was: an array of a type and of data.
inline constexpr llvm::StringLiteral originalAttributeName = "llmc.original";

/// setParameter() where the new value is what the present one, or what that was rounded from,
/// becomes by rounding or pruning.
void compressParameter(ParameterOp parameter, mlir::RankedTensorType type, mlir::Attribute data);

/// Whether it is said what a parameter was.
bool hasOriginal(ParameterOp parameter);

/// Says of `parameter` that it was what `original` is, or what that was.
void setOriginal(ParameterOp parameter, ParameterOp original);

/// What a parameter was, as a parameter of no module. Reports at the parameter what is no such
/// thing, or of another shape.
mlir::FailureOr<mlir::OwningOpRef<ParameterOp>> getOriginal(ParameterOp parameter);

/// Forgets what parameters of a module were where that is in memory, or in the file at `path`.
void forgetOriginals(mlir::ModuleOp module, llvm::StringRef path);

} // namespace llmc

#endif // LLMC_DIALECT_LLMC_IR_ORIGINAL_H
