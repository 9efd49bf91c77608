//===- Blocks.h - identical blocks as functions ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// In a model as it is imported, blocks that differ only in their parameters are one function. A
// pass that changes some of the layers works on the flat form, where every linear reads one
// parameter:
//
//   changeFlat(module, [&] { … change linears and their parameters … return success(); });
//
// Blocks that are alike become one function again, others functions of their own.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_BLOCKS_H
#define LLMC_TRANSFORMS_BLOCKS_H

#include "mlir/IR/BuiltinOps.h"

namespace llmc {

/// Replaces every call in @step to a private function by the function's body, and erases private
/// functions that are called no longer. Fails where @step would become absurdly long, as with
/// functions that call themselves.
mlir::LogicalResult inlineBlocks(mlir::ModuleOp module);

/// Makes a private function of every run of operations in @step that comes back with other
/// parameters and caches (see `outline-blocks` in Passes.td). Calls in @step stay as they are.
void outlineBlocks(mlir::ModuleOp module);

/// Runs `change` on the flat form of a module. Where there were blocks before, there are blocks
/// afterwards.
mlir::LogicalResult changeFlat(mlir::ModuleOp module,
                               llvm::function_ref<mlir::LogicalResult()> change);

} // namespace llmc

#endif // LLMC_TRANSFORMS_BLOCKS_H
