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

#include "mlir/IR/Builders.h"

namespace llmc {

/// One node while it is expanded. New nodes stand before it, with its name and location.
class Expansion {
public:
  Expansion(carrier::NodeOp op, const Probe &probe) : node(op), probe(probe), builder(op) {}

  // The node's inputs and outputs.
  unsigned numInputs() const { return node.op.getInputs().size(); }
  unsigned numOutputs() const { return node.op.getNumResults(); }
  bool has(unsigned i) const {
    return i < numInputs() && !mlir::isa<AbsentType>(input(i).getType());
  }
  mlir::Value input(unsigned i) const { return node.op.getInputs()[i]; }
  /// Input `i`, or nothing where it is absent.
  mlir::Value optional(unsigned i) const { return has(i) ? input(i) : mlir::Value(); }
  /// What is known of an input; null where what feeds it could not run.
  const HostTensor *tensor(unsigned i) const { return has(i) ? probe.get(input(i)) : nullptr; }
  /// The known values of an input as integers, or nothing.
  std::optional<llvm::SmallVector<int64_t>> integers(unsigned i) const;
  bool isUsed(unsigned output) const {
    return output < numOutputs() && !node.op.getResult(output).use_empty();
  }

  // New nodes. Attributes are given by name.
  using Attributes = llvm::ArrayRef<std::pair<llvm::StringRef, mlir::Attribute>>;
  mlir::Value make(llvm::StringRef type, mlir::ValueRange inputs, Attributes attributes = {},
                   llvm::StringRef domain = "");
  llvm::SmallVector<mlir::Value> makeMany(llvm::StringRef type, unsigned count,
                                          mlir::ValueRange inputs, Attributes attributes = {},
                                          llvm::StringRef domain = "");
  mlir::Value makeIntegers(llvm::ArrayRef<int64_t> values);
  mlir::Value makeInteger(int64_t value); ///< a scalar
  mlir::Value makeNumber(double value);   ///< a scalar of fp32
  mlir::Value makeAbsent();
  mlir::Value orAbsent(mlir::Value value) { return value ? value : makeAbsent(); }
  mlir::Value transpose(mlir::Value value, llvm::ArrayRef<int64_t> permutation);
  mlir::Value reshape(mlir::Value value, llvm::ArrayRef<int64_t> shape);
  mlir::Value squeeze(mlir::Value value, llvm::ArrayRef<int64_t> axes);
  mlir::Value unsqueeze(mlir::Value value, llvm::ArrayRef<int64_t> axes);
  /// Places `begin` to `end` of an axis.
  mlir::Value slice(mlir::Value value, int64_t axis, int64_t begin, int64_t end);

  mlir::Attribute integer(int64_t value) { return builder.getI64IntegerAttr(value); }
  mlir::Attribute number(double value) {
    return builder.getF32FloatAttr(static_cast<float>(value));
  }
  mlir::Attribute text(llvm::StringRef value) { return builder.getStringAttr(value); }

  /// Gives the node's outputs these values, as many as there are; the others must not be used.
  Expanded replace(llvm::ArrayRef<mlir::Value> values);
  Expanded fail(const llvm::Twine &why) {
    error = why.str();
    return Expanded::Failed;
  }

  Node node;
  const Probe &probe;
  mlir::OpBuilder builder;
  std::string error;

private:
  using AbsentType = carrier::AbsentType;
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_EXPANSION_H
