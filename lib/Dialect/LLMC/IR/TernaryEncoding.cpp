//===- TernaryEncoding.cpp - weights of which each is -1, 0 or 1 times a scale ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Planes and values of `#llmc.ternary`, which is described in TernaryAttr.td.
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace llmc;

LogicalResult TernaryAttr::verify(function_ref<InFlightDiagnostic()> emitError, int64_t group,
                                  Type scale) {
  if (group < GroupedAttr::channelGroup)
    return emitError() << "expected a positive group size or 'channel' for ternary weights, found "
                       << (group == GroupedAttr::tensorGroup ? "'tensor'" : std::to_string(group));
  if (!scale.isF32() && !scale.isF16() && !scale.isBF16())
    return emitError() << "expected scales of f32, f16 or bf16, found " << scale;
  return success();
}

LogicalResult TernaryAttr::verifyEncoding(ArrayRef<int64_t> shape, Type elementType,
                                          function_ref<InFlightDiagnostic()> emitError) const {
  if (shape.size() != 2 || ShapedType::isDynamicShape(shape))
    return emitError() << "expected a matrix of static shape for ternary weights";
  if (!elementType.isF32())
    return emitError() << "expected element type f32 for ternary weights, found " << elementType;
  return success();
}

int64_t TernaryAttr::getGroupSize(int64_t columns) const {
  return getGroup() == GroupedAttr::channelGroup ? columns : std::min(getGroup(), columns);
}

SmallVector<Plane> TernaryAttr::getPlanes(ArrayRef<int64_t> shape) const {
  // A row without weights has no groups.
  int64_t columns = std::max<int64_t>(getGroupSize(shape[1]), 1);
  return {{"codes", Builder(getContext()).getIntegerType(2)}, {"scales", getScale(), 1, columns}};
}

DecodeBuilder::Operands TernaryAttr::decode(DecodeBuilder &b,
                                            ArrayRef<DecodeBuilder::Operands> elements) const {
  DecodeBuilder::Operand number = b.subtract(elements[codes][0], b.integer(zeroCode));
  return {b.multiply(b.toReal(number), elements[scales][0])};
}

std::optional<LinearCodes> TernaryAttr::getLinearCodes() const {
  return LinearCodes{codes, scales, {}, {}, zeroCode, {}};
}
