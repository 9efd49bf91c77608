//===- Expansion.h - operators written as others ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Operators that fuse others, and those with inputs that the raise does not read, are written as
// the nodes that they stand for. What they stand for may depend on ranks and on constants, never
// on the lengths of a step.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_EXPANSION_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_EXPANSION_H

#include "Evaluate/Operator.h"
#include "Evaluate/Probe.h"
#include "Graph/NodeMaker.h"

namespace llmc {

/// The tensors of values that are sequences of them.
using Sequences = llvm::DenseMap<mlir::Value, llvm::SmallVector<mlir::Value>>;

/// One node while it is expanded. New nodes stand before it, with its name and location.
class Expansion : public NodeMaker {
public:
  Expansion(carrier::NodeOp op, const Probe &probe, Sequences &sequences)
      : NodeMaker(mlir::OpBuilder(op), op.getLoc(), op.getName()), node(op), probe(probe),
        sequences(sequences) {}

  unsigned numInputs() const { return node.op.getInputs().size(); }
  unsigned numOutputs() const { return node.op.getNumResults(); }
  bool has(unsigned i) const {
    return i < numInputs() && !mlir::isa<carrier::AbsentType>(input(i).getType());
  }
  mlir::Value input(unsigned i) const { return node.op.getInputs()[i]; }
  /// Input `i`, or nothing where it is absent.
  mlir::Value optional(unsigned i) const { return has(i) ? input(i) : mlir::Value(); }
  /// What is known of an input that is a tensor.
  const HostTensor *tensor(unsigned i) const { return has(i) ? probe.get(input(i)) : nullptr; }
  /// The known values of an input as integers, or nothing.
  std::optional<llvm::SmallVector<int64_t>> integers(unsigned i) const;
  bool isUsed(unsigned output) const {
    return output < numOutputs() && !node.op.getResult(output).use_empty();
  }

  /// Gives the node's outputs these values, as many as there are; the others must not be used.
  Expanded replace(llvm::ArrayRef<mlir::Value> values);
  /// Notes the tensors of the sequence that the node makes.
  Expanded hold(llvm::SmallVector<mlir::Value> tensors);
  Expanded fail(const llvm::Twine &why) {
    error = why.str();
    return Expanded::Failed;
  }

  Node node;
  const Probe &probe;
  Sequences &sequences;
  std::string error;
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_EXPANSION_H
