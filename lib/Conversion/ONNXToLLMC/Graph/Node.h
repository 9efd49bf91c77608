//===- Node.h - reading a carrier node ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_NODE_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_NODE_H

#include "llmc/Dialect/ONNX/IR/ONNX.h"

#include <optional>
#include <string>

namespace llmc {

/// A node with its attributes by name. Missing attributes give the default.
class Node {
public:
  explicit Node(carrier::NodeOp op) : op(op) {}

  /// The operator's name, with the domain in front unless it is ONNX's own.
  std::string getType() const {
    llvm::StringRef domain = op.getDomain();
    if (domain.empty() || domain == "ai.onnx")
      return op.getOpType().str();
    return (domain + "::" + op.getOpType()).str();
  }

  int64_t getInt(llvm::StringRef name, int64_t fallback) const {
    auto attribute = op.getNodeAttributes().getAs<mlir::IntegerAttr>(name);
    return attribute ? attribute.getValue().getSExtValue() : fallback;
  }
  double getFloat(llvm::StringRef name, double fallback) const {
    auto attribute = op.getNodeAttributes().getAs<mlir::FloatAttr>(name);
    return attribute ? attribute.getValueAsDouble() : fallback;
  }
  llvm::StringRef getString(llvm::StringRef name, llvm::StringRef fallback) const {
    auto attribute = op.getNodeAttributes().getAs<mlir::StringAttr>(name);
    return attribute ? attribute.getValue() : fallback;
  }
  std::optional<llvm::ArrayRef<int64_t>> getInts(llvm::StringRef name) const {
    auto attribute = op.getNodeAttributes().getAs<mlir::DenseI64ArrayAttr>(name);
    return attribute ? std::optional(attribute.asArrayRef()) : std::nullopt;
  }
  mlir::Attribute get(llvm::StringRef name) const { return op.getNodeAttributes().get(name); }

  mutable carrier::NodeOp op;
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_NODE_H
