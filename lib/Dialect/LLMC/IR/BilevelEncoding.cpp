//===- BilevelEncoding.cpp - integers whose scales are integers too ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Planes and values of `#llmc.bilevel`, which is described in BilevelAttr.td.
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace llmc;

LogicalResult BilevelAttr::verify(function_ref<InFlightDiagnostic()> emitError, unsigned bits,
                                  int64_t group, unsigned scaleBits, int64_t scaleGroup,
                                  Type scale) {
  constexpr unsigned most = 8;
  if (bits < 1 || scaleBits < 1 || bits >= most || scaleBits > most - bits)
    return emitError() << "expected bits and bits of scales of at least 1 each and at most " << most
                       << " together, found " << bits << " and " << scaleBits;
  if (group < 1)
    return emitError() << "expected a positive group size, found " << group;
  if (scaleGroup < 1)
    return emitError() << "expected a positive number of groups in a group, found " << scaleGroup;
  if (!scale.isF32() && !scale.isF16() && !scale.isBF16())
    return emitError() << "expected scales of f32, f16 or bf16, found " << scale;
  return success();
}

LogicalResult BilevelAttr::verifyEncoding(ArrayRef<int64_t> shape, Type elementType,
                                          function_ref<InFlightDiagnostic()> emitError) const {
  if (shape.size() != 2 || ShapedType::isDynamicShape(shape))
    return emitError() << "expected a matrix of static shape for a bilevel encoding";
  if (!elementType.isF32())
    return emitError() << "expected element type f32 for a bilevel encoding, found " << elementType;
  return success();
}

SmallVector<Plane> BilevelAttr::getPlanes(ArrayRef<int64_t> shape) const {
  Builder builder(getContext());
  // A row without weights has no groups.
  int64_t width = std::max<int64_t>(shape[1], 1), inner = std::min(getGroup(), width);
  int64_t outer = getScaleGroup() > width / inner ? width : inner * getScaleGroup();
  return {{"codes", builder.getIntegerType(getBits())},
          {"scales", builder.getIntegerType(getBits() + getScaleBits()), 1, inner},
          {"steps", getScale(), 1, outer},
          {"offsets", builder.getI8Type(), 1, outer}};
}

DecodeBuilder::Operands BilevelAttr::decode(DecodeBuilder &b,
                                            ArrayRef<DecodeBuilder::Operands> elements) const {
  using Operand = DecodeBuilder::Operand;
  Operand both = elements[scales][0], step = elements[steps][0];
  Operand zero = b.shiftRight(both, getScaleBits());
  Operand scale = b.bitAnd(both, b.integer((1 << getScaleBits()) - 1));
  Operand number = b.toReal(b.subtract(elements[codes][0], zero));
  Operand factor = b.toReal(b.add(scale, elements[offsets][0]));
  // 9 bits times the 11 of a half are a float, which a group shares; times the 24 of a float they
  // are not, but times a code they are.
  if (getScale().isF32())
    return {b.multiply(b.multiply(number, factor), step)};
  return {b.multiply(number, b.multiply(factor, step))};
}
