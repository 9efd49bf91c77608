//===- Embedding.h - rows of tables that tokens or positions choose ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_EMBEDDING_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_EMBEDDING_H

#include "Raise/View.h"

namespace llmc {

/// Gives a node's result the meaning of rows of a table that tokens choose.
mlir::LogicalResult emitEmbedding(Raise &raise, Node &node, Weight table);

/// Rows that depend on positions alone, where they are looked up in a constant table.
mlir::FailureOr<mlir::Value> emitPositionEmbedding(Raise &raise, mlir::Value known);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_EMBEDDING_H
