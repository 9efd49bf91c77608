//===- Blocks.h - identical blocks as functions ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
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

} // namespace llmc

#endif // LLMC_TRANSFORMS_BLOCKS_H
