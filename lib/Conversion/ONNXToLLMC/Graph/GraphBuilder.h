//===- GraphBuilder.h - new nodes and constants in a carrier graph ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_GRAPHBUILDER_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_GRAPHBUILDER_H

#include "Evaluate/HostTensor.h"
#include "llmc/Dialect/ONNX/IR/ONNX.h"

#include "mlir/IR/Builders.h"

namespace llmc {

/// Writes the nodes that stand for another one, before it, under its name and location.
class GraphBuilder {
public:
  explicit GraphBuilder(carrier::NodeOp node) : node(node), builder(node) {}

  mlir::Builder &attributes() { return builder; }

  /// A node of the default domain with one output.
  mlir::Value add(llvm::StringRef type, mlir::ValueRange inputs,
                  llvm::ArrayRef<mlir::NamedAttribute> attributes = {});
  /// A node with `outputs` outputs.
  mlir::ValueRange addNode(llvm::StringRef domain, llvm::StringRef type, mlir::ValueRange inputs,
                           unsigned outputs, llvm::ArrayRef<mlir::NamedAttribute> attributes = {});
  mlir::NamedAttribute getInt(llvm::StringRef name, int64_t value);
  mlir::Value addInitializer(llvm::StringRef name, mlir::RankedTensorType type,
                             mlir::Attribute data);
  mlir::Value addAbsent();

  /// Gives the node's readers `values` instead of its outputs, and removes it.
  void replace(mlir::ValueRange values);

private:
  carrier::NodeOp node;
  mlir::OpBuilder builder;
};

/// The operand `i` of a node, null where it is absent.
mlir::Value getOperand(carrier::NodeOp node, unsigned i);

/// What is known of a constant: an initializer or a Constant node, seen through Identity, Transpose
/// and reshapes to a constant shape. Nothing where the value depends on more.
std::optional<ConstantView> findConstant(mlir::Value value);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_GRAPHBUILDER_H
