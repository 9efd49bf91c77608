//===- Raise.h - what the matchers of a raise share ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// A matcher is a free function that raises one kind of node. What it is given is this: the operands
// of the node in hand, what is known of them, the function that is being built, and a record of
// what has to hold at other lengths. It fails with a reason.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_RAISE_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_RAISE_H

#include "Evaluate/Probe.h"
#include "Raise/Lengths.h"
#include "Raise/Meaning.h"
#include "Raise/Parameters.h"
#include "Raise/RowFactors.h"
#include "Raise/Step.h"
#include "Raise/View.h"

namespace llmc {

class Raise {
public:
  Raise(carrier::GraphOp graph, llvm::ArrayRef<ModelInput> inputs, Probe &probe,
        mlir::func::FuncOp function, int64_t capacity);

  /// Raises all nodes; problems are collected per node.
  void run();
  llvm::ArrayRef<ProbeProblem> getProblems() const { return problems; }

  // The operands of a node. Whatever a graph lacks, these say so: nothing that they return is
  // invalid.

  bool has(const Node &node, unsigned i) const;
  /// The value that stands for an operand; null where it is absent.
  mlir::Value getOperand(const Node &node, unsigned i) const;
  const Meaning *getMeaning(mlir::Value value) const;
  const Meaning *getMeaning(const Node &node, unsigned i) const;
  template <typename T>
  const T *getIf(const Node &node, unsigned i) const {
    return llvm::dyn_cast_or_null<T>(getMeaning(node, i));
  }
  /// What is known of a value: a tensor without axes and values where it is nothing.
  const HostTensor &getTensor(mlir::Value value) const;
  const HostTensor &getTensor(const Node &node, unsigned i) const;
  llvm::ArrayRef<int64_t> getShape(const Node &node, unsigned i) const {
    return getTensor(node, i).shape;
  }
  llvm::ArrayRef<int64_t> getResultShape(const Node &node, unsigned i = 0) const;
  /// Whether an operand depends on tokens: neither known nor a constant of the file.
  bool isData(const Node &node, unsigned i) const;
  /// A known operand of one element. What is computed may depend on the length, so it is checked.
  std::optional<double> getScalar(const Node &node, unsigned i);
  std::optional<ConstantView> getConstant(const Node &node, unsigned i) const;
  /// An operand as rows. What was held back is computed, once.
  std::optional<View> getView(const Node &node, unsigned i);
  /// An operand whose last axis is a vector of each row (or, with heads, a part of it).
  std::optional<View> getRows(const Node &node, unsigned i);
  /// A vector as wide as the last axis, from a constant of the file or a computed one.
  std::optional<Weight> getVector(const Node &node, unsigned i, int64_t size);
  /// Whether an operand holds positions or lengths of the step, here and at other lengths; fails
  /// with `what` was expected.
  mlir::LogicalResult expectCount(const Node &node, unsigned i, LengthRecord::Count::Kind kind,
                                  const llvm::Twine &what);
  /// A node's evaluation on its operands, to read attributes and constant inputs by.
  Evaluation getEvaluation(const Node &node) const;

  // Results.

  template <typename T>
  void set(const Node &node, unsigned result, T meaning) {
    set(node, result, std::shared_ptr<const Meaning>(std::make_shared<T>(std::move(meaning))));
  }
  void set(const Node &node, unsigned result, std::shared_ptr<const Meaning> meaning);
  /// The meaning of an operand, to be kept in another one; null where it has none.
  std::shared_ptr<const Meaning> share(const Node &node, unsigned i) const {
    return meanings.lookup(getOperand(node, i));
  }
  /// Gives a result the meaning that an operand has.
  void forward(const Node &node, unsigned operand, unsigned result = 0);
  mlir::LogicalResult fail(const llvm::Twine &why);
  llvm::StringRef getReason() const { return reason; }
  /// Begins something new, at a place of the graph.
  void startAt(mlir::Location place) {
    reason.clear();
    location = place;
  }

  // What the family of a rotation, of a norm … needs to build the function and to prove it.

  ProbeSizes getSizes() const { return probe.getSizes(); }
  int64_t getRowCount(const View &view) const {
    return view.past >= 0 ? probe.getSizes().total() : probe.getSizes().rows;
  }
  /// Counts elements that views were moved, compared and made of.
  void spend(int64_t elements) { work += elements; }

  carrier::GraphOp graph;
  llvm::ArrayRef<ModelInput> inputs;
  Probe &probe;
  Step step;
  mlir::OpBuilder builder;
  mlir::Location location; ///< of the node in hand
  Parameters parameters;
  RowFactors factors;
  LengthRecord lengths;
  /// QuantizeLinear nodes whose rounding a linear does.
  llvm::SmallPtrSet<mlir::Operation *, 8> takenRoundings;

private:
  void findLastUses();
  void raiseNode(Node &node);
  mlir::LogicalResult raiseOperator(Node &node);
  void release(size_t index, const Node &node);
  void assign(mlir::Value value, std::shared_ptr<const Meaning> meaning);

  llvm::DenseMap<mlir::Value, std::shared_ptr<const Meaning>> meanings;
  llvm::DenseMap<mlir::Value, size_t> lastUses; ///< by the index of the node
  std::vector<ProbeProblem> problems;
  std::string reason;
  int64_t liveColumns = 0; ///< of everything in `meanings`
  int64_t work = 0;
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_RAISE_H
