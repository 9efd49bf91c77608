//===- OutputError.h - what an error of weights does to outputs ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_OUTPUTERROR_H
#define LLMC_TRANSFORMS_OUTPUTERROR_H

#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <vector>

namespace llmc {

/// Rows of a matrix that one thread takes at a time. Their number is fixed, so that results do not
/// depend on threads.
inline constexpr int64_t chunkRows = 32;

/// Some rows of a layer's weights W and of an error E of them, side by side.
struct WeightRows {
  std::vector<double> weights, errors;
};

/// ‖EX‖ / ‖WX‖ of matrices of rows × columns; `getRows` is called by several threads.
/// `secondMoment` is that of the inputs, X·Xᵀ, columns × columns, up to any positive factor.
double getOutputError(mlir::MLIRContext *context, int64_t rows, int64_t columns,
                      llvm::ArrayRef<double> secondMoment,
                      llvm::function_ref<WeightRows(int64_t begin, int64_t end)> getRows);

} // namespace llmc

#endif // LLMC_TRANSFORMS_OUTPUTERROR_H
