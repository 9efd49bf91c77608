//===- InnerPlanes.h - what encodings of some weights have of the weights' own ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_DIALECT_LLMC_IR_INNERPLANES_H
#define LLMC_LIB_DIALECT_LLMC_IR_INNERPLANES_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"

namespace llmc {

/// Whether a plane has an element for each weight.
inline bool isWeightPlane(const Plane &plane) { return plane.rows == 1 && plane.columns == 1; }

/// Whether a plane has elements of weights that are known by those before it alone, or listed.
inline bool isStreamOrList(const Plane &plane) { return plane.isStream() || plane.listed != 0; }

/// The planes of the whole matrix as `inner`, an encoding or a type of floats, stores it.
inline llvm::SmallVector<Plane> getInnerPlanes(mlir::Attribute inner,
                                               llvm::ArrayRef<int64_t> shape) {
  if (auto type = mlir::dyn_cast<mlir::TypeAttr>(inner))
    return {{"values", type.getValue()}};
  return mlir::cast<EncodingInterface>(inner).getPlanes(shape);
}

} // namespace llmc

#endif // LLMC_LIB_DIALECT_LLMC_IR_INNERPLANES_H
