//===- Emission.h - from views to operations ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_EMISSION_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_EMISSION_H

#include "Raise/View.h"

namespace llmc {

/// A number times what one operation gives.
struct Matrix {
  mlir::Value value;
  double coefficient = 1;
};

/// The rows × columns matrix of a view.
mlir::FailureOr<Matrix> materialize(Raise &raise, const View &view);
/// The same with the number multiplied in.
mlir::FailureOr<mlir::Value> materializeExactly(Raise &raise, const View &view);

/// Rows whose elements end at ± `bound`.
mlir::FailureOr<mlir::Value> emitClipped(Raise &raise, const View &view, double bound);

/// a + b. What came first stands first, whatever the exporter's order.
mlir::Value emitSum(Raise &raise, mlir::Value a, mlir::Value b);

/// rows × width in fp32.
mlir::RankedTensorType getRowsType(mlir::MLIRContext *context, int64_t width);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_EMISSION_H
