//===- Rotation.h - rows whose columns are turned by angles that grow with the position ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_ROTATION_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_ROTATION_H

#include "Raise/Emission.h"

namespace llmc {

/// A view of heads whose columns are pairs, turned by angles that grow with the position.
mlir::FailureOr<Matrix> emitRotation(Raise &raise, const View &view);

/// Known cosines and sines, … × rows × pairs, and where they come from: a value that is looked at
/// again at other lengths, or null.
struct AngleTables {
  HostTensor cosine, sine;
  mlir::Value cosineValue, sineValue;
};

/// Turns columns of heads (the last axis of `view`) by known angles.
mlir::FailureOr<View> rotate(Raise &raise, const View &view, const AngleTables &tables,
                             int64_t heads, int64_t rotated, bool interleaved);

/// Cosines and sines of a pair of constant tables at positions: those of the angles behind them,
/// which were checked against all of the tables.
mlir::FailureOr<AngleTables> getTableAngles(Raise &raise, mlir::Value cosine, mlir::Value sine,
                                            llvm::ArrayRef<double> places);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_ROTATION_H
