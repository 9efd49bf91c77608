//===- GroupedEncoding.cpp - grouped integers as an encoding ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Planes and values of `#llmc.grouped`, which is described in LLMCAttrs.td.
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include "mlir/IR/Builders.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace llmc;

LogicalResult GroupedAttr::verify(function_ref<InFlightDiagnostic()> emitError, unsigned bits,
                                  int64_t group, ZeroPoint zero, Type scale) {
  if (bits < 1 || bits > 8)
    return emitError() << "expected 1 to 8 bits, found " << bits;
  if (zero == ZeroPoint::None && bits < 2)
    return emitError() << "expected at least 2 bits without a zero point, found " << bits;
  if (group < tensorGroup)
    return emitError() << "expected a positive group size, 'channel' or 'tensor', found " << group;
  bool isPower = isa<Float8E8M0FNUType>(scale);
  if (!scale.isF32() && !scale.isF16() && !scale.isBF16() && !isPower)
    return emitError() << "expected scales of f32, f16, bf16 or f8E8M0FNU, found " << scale;
  if (isPower && zero == ZeroPoint::Float)
    return emitError() << "expected minima of f32, f16 or bf16, found " << scale;
  return success();
}

LogicalResult GroupedAttr::verifyEncoding(ArrayRef<int64_t> shape, Type elementType,
                                          function_ref<InFlightDiagnostic()> emitError) const {
  if (shape.size() != 2 || ShapedType::isDynamicShape(shape))
    return emitError() << "expected a matrix of static shape for a grouped encoding";
  if (!elementType.isF32())
    return emitError() << "expected element type f32 for a grouped encoding, found " << elementType;
  return success();
}

int64_t GroupedAttr::getGroupSize(int64_t columns) const {
  int64_t group = getGroup();
  return group > 0 ? std::min(group, columns) : columns;
}

int64_t GroupedAttr::getGroupsPerRow(int64_t columns) const {
  return columns == 0 ? 0 : llvm::divideCeil(columns, getGroupSize(columns));
}

SmallVector<Plane> GroupedAttr::getPlanes(ArrayRef<int64_t> shape) const {
  Builder builder(getContext());
  // A row without weights has no groups.
  int64_t rows = 1, columns = std::max<int64_t>(getGroupSize(shape[1]), 1);
  if (getGroup() == tensorGroup)
    rows = columns = Plane::all;
  SmallVector<Plane> planes{{"codes", builder.getIntegerType(getBits())},
                            {"scales", getScale(), rows, columns}};
  if (getZero() == ZeroPoint::Integer)
    planes.push_back({"zeros", builder.getI8Type(), rows, columns});
  else if (getZero() == ZeroPoint::Float)
    planes.push_back({"minima", getScale(), rows, columns});
  return planes;
}

DecodeBuilder::Operands GroupedAttr::decode(DecodeBuilder &b,
                                            ArrayRef<DecodeBuilder::Operands> elements) const {
  DecodeBuilder::Operand code = elements[codes][0], scale = elements[scales][0];
  switch (getZero()) {
  case ZeroPoint::None:
    code = b.subtract(code, b.integer(1 << (getBits() - 1)));
    break;
  case ZeroPoint::Integer:
    code = b.subtract(code, elements[zeros][0]);
    break;
  case ZeroPoint::Float:
    return {b.multiplyAdd(b.toReal(code), scale, elements[zeros][0])};
  }
  return {b.multiply(b.toReal(code), scale)};
}

std::optional<LinearCodes> GroupedAttr::getLinearCodes() const {
  LinearCodes result{codes, scales, {}, {}, 0, {}};
  switch (getZero()) {
  case ZeroPoint::None:
    result.zero = 1 << (getBits() - 1);
    break;
  case ZeroPoint::Integer:
    result.zeros = zeros;
    break;
  case ZeroPoint::Float:
    result.minima = zeros;
    break;
  }
  return result;
}
