//===- ColumnOps.cpp - operations that choose columns ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/LLMC/IR/ColumnOps.h"

using namespace mlir;
using namespace llmc;

/// Columns of a row of `width` that are named one after the other.
static LogicalResult verifyColumns(Operation *op, ArrayRef<int32_t> columns, int64_t width) {
  if (columns.empty())
    return op->emitOpError("expected at least one column, found none");
  int64_t last = -1;
  for (int32_t column : columns) {
    if (column <= last || column >= width)
      return op->emitOpError("expected ascending columns of a width of ")
             << width << ", found " << column << " behind " << last;
    last = column;
  }
  return success();
}

LogicalResult TakeColumnsOp::verify() {
  if (failed(verifyColumns(*this, getColumns(), getInput().getType().getDimSize(1))))
    return failure();
  const auto count = static_cast<int64_t>(getColumns().size());
  if (int64_t width = getType().getDimSize(1); width != count)
    return emitOpError("expected a result width of ") << count << ", found " << width;
  return success();
}

LogicalResult ClearColumnsOp::verify() {
  return verifyColumns(*this, getColumns(), getInput().getType().getDimSize(1));
}

#define GET_OP_CLASSES
#include "llmc/Dialect/LLMC/IR/ColumnOps.cpp.inc"
