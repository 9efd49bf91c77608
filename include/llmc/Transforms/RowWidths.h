//===- RowWidths.h - widths of activations that follow from those of weights ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_ROWWIDTHS_H
#define LLMC_TRANSFORMS_ROWWIDTHS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace llmc {

/// Gives rows that an operation computes the width that follows from its operands: that of a
/// matrix, or that of the rows which it reads.
void inferRowWidth(mlir::Operation *op);

/// Does so for all operations of a flat function, in their order.
void inferRowWidths(mlir::func::FuncOp function);

} // namespace llmc

#endif // LLMC_TRANSFORMS_ROWWIDTHS_H
