//===- RemoveUnused.h - nodes that nobody needs any more ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_REMOVEUNUSED_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_REMOVEUNUSED_H

#include "llmc/Dialect/ONNX/IR/ONNX.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/SmallPtrSet.h"

namespace llmc {

/// Erases those of some nodes whose results are not used, and then those that only they read. Nodes
/// that nobody needed from the start stay: what can't be raised in them is worth a message.
void removeUnusedNodes(carrier::GraphOp graph, llvm::SmallPtrSet<mlir::Operation *, 16> nodes);

/// Leaves the graph the output that is the model's logits alone: the one whose name says so, or the
/// only one that is neither a cache nor a scalar. Others that hold something of their own, such as
/// hidden states, are named in a remark.
mlir::LogicalResult keepLogits(carrier::GraphOp graph);

/// Replaces outputs that are a Softmax or LogSoftmax of rows by what it is of: a model's logits,
/// which give the same probabilities. Gives the operators that were left out.
llvm::SmallVector<std::string> leaveOutSoftmax(carrier::GraphOp graph);

/// Inputs of the graph that the logits depend on; all of them where no output is known to be the
/// logits.
llvm::DenseSet<mlir::Value> findNeededInputs(carrier::GraphOp graph);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_REMOVEUNUSED_H
