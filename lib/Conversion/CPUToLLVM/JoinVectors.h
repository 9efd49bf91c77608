//===- JoinVectors.h - two vectors side by side ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_CPUTOLLVM_JOINVECTORS_H
#define LLMC_LIB_CONVERSION_CPUTOLLVM_JOINVECTORS_H

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

#include <numeric>

namespace llmc {

/// All elements of `low`, then all of `high`, which is of its type.
inline mlir::Value joinVectors(mlir::ImplicitLocOpBuilder &builder, mlir::Value low,
                               mlir::Value high) {
  llvm::SmallVector<int64_t> all(2 * mlir::cast<mlir::VectorType>(low.getType()).getNumElements());
  std::iota(all.begin(), all.end(), 0);
  return mlir::vector::ShuffleOp::create(builder, low, high, all);
}

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_CPUTOLLVM_JOINVECTORS_H
