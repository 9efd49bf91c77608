//===- Probe.h - a graph run at chosen sizes ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// A probe walks the graph once for one sequence of given lengths: every shape becomes a number,
// and whatever does not depend on tokens and weights (shapes, positions, masks, angles) a value.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_PROBE_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_PROBE_H

#include "Evaluate/Evaluate.h"
#include "Graph/Inputs.h"

#include "llvm/ADT/DenseSet.h"

namespace llmc {

/// A node that could not be evaluated, and why.
struct ProbeProblem {
  carrier::NodeOp node;
  std::string reason;
};

struct Operator;

class Probe {
public:
  Probe(carrier::GraphOp graph, llvm::ArrayRef<ModelInput> inputs, ProbeSizes sizes)
      : graph(graph), inputs(inputs), sizes(sizes) {}

  /// What is done with a node before it runs: nothing, left out, or replaced by nodes that stand
  /// where it stood (it is erased then).
  enum class Rewriting { Run, Skip, Replaced };
  /// Lets nodes be rewritten during the walk, with what is known of their inputs.
  void setRewrite(llvm::function_ref<Rewriting(carrier::NodeOp)> function) { rewrite = function; }

  /// Walks the graph. With `wanted`, values other than those are dropped once they are used up and,
  /// unless the `whole` graph is to run, nodes that they don't depend on are left out.
  void run(const llvm::DenseSet<mlir::Value> *wanted = nullptr, bool whole = true);

  /// What is known of a value; null where its node could not be evaluated.
  const HostTensor *get(mlir::Value value) const;
  /// The value that stands for this one: the result of an `If` is what its branch yields.
  mlir::Value resolve(mlir::Value value) const;

  ProbeSizes getSizes() const { return sizes; }
  /// All nodes in the order in which they ran, without the branches not taken.
  llvm::ArrayRef<carrier::NodeOp> getNodes() const { return nodes; }
  llvm::ArrayRef<ProbeProblem> getProblems() const { return problems; }
  /// Nodes of type If that ran, and whether they took the first branch.
  llvm::ArrayRef<std::pair<carrier::NodeOp, bool>> getBranches() const { return branches; }

  /// The values of a constant, read from the file at most once.
  std::shared_ptr<const std::vector<double>> load(mlir::Value value);

private:
  void bindInputs();
  llvm::DenseSet<mlir::Operation *> findNeeded(bool throughShapes) const;
  void runBlock(mlir::Block &block);
  void runNode(carrier::NodeOp op);
  void runIf(carrier::NodeOp op);
  bool evaluate(Evaluation &evaluation, const Operator &row);
  bool evaluateShape(Evaluation &evaluation, const Operator &row);
  bool evaluateOnce(Evaluation &evaluation, const Operator &row);
  void hold(mlir::Value value, HostTensor tensor);
  void release(carrier::NodeOp op);

  carrier::GraphOp graph;
  llvm::ArrayRef<ModelInput> inputs;
  ProbeSizes sizes;
  const llvm::DenseSet<mlir::Value> *wanted = nullptr;
  /// Where not the whole graph runs: the operations that do, and those of them whose values matter
  /// and not only their shapes.
  std::optional<llvm::DenseSet<mlir::Operation *>> needed, valued;
  llvm::function_ref<Rewriting(carrier::NodeOp)> rewrite;
  llvm::DenseMap<mlir::Value, HostTensor> tensors;
  int64_t work = 0; ///< elements read and made so far
  int64_t held = 0; ///< elements in `tensors`
  llvm::DenseMap<mlir::Value, mlir::Value> aliases;
  llvm::DenseMap<mlir::Value, unsigned> usesLeft;
  std::vector<carrier::NodeOp> nodes;
  std::vector<ProbeProblem> problems;
  std::vector<std::pair<carrier::NodeOp, bool>> branches;
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_PROBE_H
