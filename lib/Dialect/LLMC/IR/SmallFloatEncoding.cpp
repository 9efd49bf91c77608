//===- SmallFloatEncoding.cpp - floats of a byte or less that share scales ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Planes and values of `#llmc.float`, which is described in SmallFloatAttr.td.
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/LLMC/IR/LLMC.h"
#include "llmc/Dialect/LLMC/IR/SmallFloat.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace llmc;

LogicalResult SmallFloatAttr::verify(function_ref<InFlightDiagnostic()> emitError, Type element,
                                     int64_t group, Type scale, Type matrix) {
  if (!SmallFloat::get(element))
    return emitError() << "expected elements of f4E2M1FN, f6E2M3FN, f6E3M2FN, f8E4M3FN or f8E5M2, "
                          "found "
                       << element;
  if (group < GroupedAttr::tensorGroup)
    return emitError() << "expected a positive group size, 'channel' or 'tensor', found " << group;
  bool ofMatrix = isa<Float8E4M3FNType>(scale);
  if (!scale.isF32() && !scale.isF16() && !scale.isBF16() && !isa<Float8E8M0FNUType>(scale) &&
      !ofMatrix)
    return emitError() << "expected scales of f32, f16, bf16, f8E8M0FNU or f8E4M3FN, found "
                       << scale;
  if (matrix && !matrix.isF32())
    return emitError() << "expected a scale of the matrix of f32, found " << matrix;
  if (ofMatrix && !matrix)
    return emitError() << "expected a scale of the matrix ('matrix = f32') beside scales of "
                       << scale;
  if (matrix && !ofMatrix)
    return emitError() << "expected scales of f8E4M3FN beside one of the matrix, found " << scale;
  return success();
}

LogicalResult SmallFloatAttr::verifyEncoding(ArrayRef<int64_t> shape, Type elementType,
                                             function_ref<InFlightDiagnostic()> emitError) const {
  if (shape.size() != 2 || ShapedType::isDynamicShape(shape))
    return emitError() << "expected a matrix of static shape for small floats";
  if (!elementType.isF32())
    return emitError() << "expected element type f32 for small floats, found " << elementType;
  return success();
}

int64_t SmallFloatAttr::getGroupSize(int64_t columns) const {
  return getGroup() > 0 ? std::min(getGroup(), columns) : columns;
}

SmallVector<Plane> SmallFloatAttr::getPlanes(ArrayRef<int64_t> shape) const {
  // A row without weights has no groups.
  int64_t rows = 1, columns = std::max<int64_t>(getGroupSize(shape[1]), 1);
  if (getGroup() == GroupedAttr::tensorGroup)
    rows = columns = Plane::all;
  SmallVector<Plane> planes{{"codes", getElement()}, {"scales", getScale(), rows, columns}};
  if (getMatrix())
    planes.push_back({"matrix", getMatrix(), Plane::all, Plane::all});
  return planes;
}

DecodeBuilder::Operands SmallFloatAttr::decode(DecodeBuilder &b,
                                               ArrayRef<DecodeBuilder::Operands> elements) const {
  // Where there is a scale of the matrix, the others are small floats, and fp32 holds the product.
  DecodeBuilder::Operand value = b.multiply(elements[codes][0], elements[scales][0]);
  return {getMatrix() ? b.multiply(value, elements[matrix][0]) : value};
}
