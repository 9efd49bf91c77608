//===- Step.h - the function that a raise builds ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_STEP_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_STEP_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

#include <map>

namespace llmc {

/// A step of the model: tokens, the rows that are wanted, and a cache for each attention.
class Step {
public:
  Step(mlir::func::FuncOp function, int64_t capacity);

  mlir::func::FuncOp getFunction() const { return function; }
  mlir::Value getTokens() const { return getBlock().getArgument(0); }
  mlir::Value getRows() const { return getBlock().getArgument(1); }
  int64_t getCapacity() const { return capacity; }

  /// The positions of the step's rows, computed where they are asked for first.
  mlir::Value getPositions(mlir::OpBuilder &builder, mlir::Location location);
  /// The cache for a pair of past inputs, or a new one where the export has none (-1).
  mlir::Value getCache(int keyPast, int valuePast, int64_t heads, int64_t size,
                       mlir::Location location);
  /// `value` times a factor; the same two give the same operation.
  mlir::Value getScaled(mlir::Value value, float factor, mlir::OpBuilder &builder,
                        mlir::Location location);

private:
  mlir::Block &getBlock() const { return function.getBody().front(); }

  mutable mlir::func::FuncOp function;
  int64_t capacity;
  mlir::Value positions;
  std::map<std::pair<int, int>, unsigned> caches; ///< past inputs of keys and values → argument
  llvm::DenseMap<std::pair<mlir::Value, uint32_t>, mlir::Value> scaled; ///< by a factor's bits
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_STEP_H
