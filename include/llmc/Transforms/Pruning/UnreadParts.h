//===- UnreadParts.h - what nothing in a model reads ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_PRUNING_UNREADPARTS_H
#define LLMC_TRANSFORMS_PRUNING_UNREADPARTS_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace llmc {

/// Erases from a flat function the operations whose results nothing reads, the appends among
/// `appends`, the caches that nothing fills then, the parameters that nothing reads, and the rows
/// of others whose outputs none of their linears' slices takes. Reports at a parameter whose rows
/// can't be taken from it.
mlir::LogicalResult eraseUnreadParts(mlir::func::FuncOp step,
                                     llvm::ArrayRef<CacheAppendOp> appends);

} // namespace llmc

#endif // LLMC_TRANSFORMS_PRUNING_UNREADPARTS_H
