//===- NodeMaker.h - new nodes of the carrier ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_NODEMAKER_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_NODEMAKER_H

#include "llmc/Dialect/ONNX/IR/ONNX.h"

#include "mlir/IR/Builders.h"

namespace llmc {

/// Makes nodes that share a name and a location: those of what they stand for. Attributes are given
/// by name, null ones are left out.
class NodeMaker {
public:
  NodeMaker(mlir::OpBuilder builder, mlir::Location location, llvm::StringRef name)
      : builder(builder), location(location), name(name) {}

  using Attributes = llvm::ArrayRef<std::pair<llvm::StringRef, mlir::Attribute>>;
  mlir::Value make(llvm::StringRef type, mlir::ValueRange inputs, Attributes attributes = {},
                   llvm::StringRef domain = "");
  llvm::SmallVector<mlir::Value> makeMany(llvm::StringRef type, unsigned count,
                                          mlir::ValueRange inputs, Attributes attributes = {},
                                          llvm::StringRef domain = "");

  // Constants.
  mlir::Value makeIntegers(llvm::ArrayRef<int64_t> values);
  mlir::Value makeInteger(int64_t value); ///< a scalar
  mlir::Value makeNumber(double value);   ///< a scalar of fp32
  mlir::Value makeAbsent();
  mlir::Value orAbsent(mlir::Value value) { return value ? value : makeAbsent(); }

  // Movement.
  mlir::Value transpose(mlir::Value value, llvm::ArrayRef<int64_t> permutation);
  mlir::Value reshape(mlir::Value value, llvm::ArrayRef<int64_t> shape);
  /// Without axes, the value itself.
  mlir::Value squeeze(mlir::Value value, llvm::ArrayRef<int64_t> axes);
  mlir::Value unsqueeze(mlir::Value value, llvm::ArrayRef<int64_t> axes);
  /// Places `begin` to `end` of an axis.
  mlir::Value slice(mlir::Value value, int64_t axis, int64_t begin, int64_t end);
  mlir::Value concat(mlir::ValueRange values, int64_t axis);
  /// One place of an axis, which goes away.
  mlir::Value pick(mlir::Value value, int64_t axis, int64_t place);

  mlir::Attribute integer(int64_t value) { return builder.getI64IntegerAttr(value); }
  mlir::Attribute number(double value) {
    return builder.getF32FloatAttr(static_cast<float>(value));
  }

  mlir::OpBuilder builder;

private:
  mlir::Location location;
  std::string name;
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_NODEMAKER_H
