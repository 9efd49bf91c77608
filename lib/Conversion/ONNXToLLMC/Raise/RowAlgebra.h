//===- RowAlgebra.h - what rows are computed of that llmc has no operation for ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Operators that compute each row of the model out of the same row of their operands become tensor
// algebra on rows, which every target can run by its meaning.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_ROWALGEBRA_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_ROWALGEBRA_H

#include "Raise/View.h"

namespace llmc {

/// All columns of a matrix in an order that a transpose of its axes gives; null where it is
/// another.
mlir::Value emitTransposed(Raise &raise, mlir::Value matrix, llvm::ArrayRef<int64_t> columns);

/// The softmax of columns along the last axis.
mlir::LogicalResult raiseRowSoftmax(Raise &raise, Node &node);

/// Whether a product of two operands has their rows as one axis of its batch.
bool isRowProduct(const View &left, const View &right);
/// Such a product: of matrices that each row has for itself.
mlir::LogicalResult raiseRowProduct(Raise &raise, Node &node, const View &left, const View &right);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_ROWALGEBRA_H
