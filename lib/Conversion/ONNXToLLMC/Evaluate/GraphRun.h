//===- GraphRun.h - a graph run on real values ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// A run computes every value of a graph as the file says it, node after node, in fp64. It shares
// the meaning of single operators with the raise, and nothing that the raise concludes from them.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_GRAPHRUN_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_GRAPHRUN_H

#include "Evaluate/Evaluate.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace llmc {

struct Operator;

class GraphRun {
public:
  explicit GraphRun(carrier::GraphOp graph) : graph(graph) {}

  /// Whether activations are rounded to 8 bits where the graph rounds them as they are.
  bool roundsActivations = true;
  /// Called with every node's results as soon as they are known.
  llvm::function_ref<void(carrier::NodeOp, llvm::ArrayRef<HostTensor>)> observe;

  /// Gives an input of the graph its values.
  void bind(mlir::Value argument, HostTensor tensor) { tensors[argument] = std::move(tensor); }

  /// Runs the graph; reports the first node that can't be run.
  mlir::LogicalResult run();

  /// A result of the graph, in order, with its values.
  mlir::FailureOr<HostTensor> getOutput(unsigned index);

private:
  mlir::LogicalResult runBlock(mlir::Block &block);
  mlir::LogicalResult runNode(carrier::NodeOp op);
  mlir::LogicalResult runIf(carrier::NodeOp op);
  mlir::LogicalResult evaluate(Evaluation &evaluation, const Operator &row);
  void bindInitializer(carrier::InitializerOp initializer);
  void release(carrier::NodeOp op);
  /// The tensor with its values, read from the file where it is a constant.
  mlir::FailureOr<HostTensor> load(carrier::NodeOp reader, const HostTensor &tensor);

  carrier::GraphOp graph;
  llvm::DenseMap<mlir::Value, HostTensor> tensors;
  llvm::DenseMap<mlir::Value, unsigned> usesLeft;
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_GRAPHRUN_H
