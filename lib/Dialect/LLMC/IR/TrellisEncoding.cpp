//===- TrellisEncoding.cpp - weights as places of a window in a stream ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Planes and values of `#llmc.trellis`, which is described in TrellisAttr.td.
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace llmc;

LogicalResult TrellisAttr::verify(function_ref<InFlightDiagnostic()> emitError, unsigned bits,
                                  bool alternates, Type scale) {
  if (unsigned halves = 2 * bits + alternates; halves < leastHalves || halves > mostHalves)
    return emitError() << "expected 2 to 5 bits a weight for a trellis, found " << bits
                       << (alternates ? ".5" : "");
  if (!scale.isF32() && !scale.isF16() && !scale.isBF16())
    return emitError() << "expected scales of f32, f16 or bf16, found " << scale;
  return success();
}

LogicalResult TrellisAttr::verifyEncoding(ArrayRef<int64_t> shape, Type elementType,
                                          function_ref<InFlightDiagnostic()> emitError) const {
  if (shape.size() != 2 || ShapedType::isDynamicShape(shape))
    return emitError() << "expected a matrix of static shape for a trellis";
  if (!elementType.isF32())
    return emitError() << "expected element type f32 for a trellis, found " << elementType;
  return success();
}

SmallVector<Plane> TrellisAttr::getPlanes(ArrayRef<int64_t>) const {
  Builder builder(getContext());
  Plane stream{"codes", builder.getIntegerType(getBits())};
  stream.window = windowBits;
  stream.alternates = getAlternates();
  Plane numbers{"table", builder.getIntegerType(8), Plane::all, Plane::all};
  numbers.count = tableSize;
  return {stream, numbers, {"scales", getScale(), 1, Plane::all}};
}

DecodeBuilder::Operands TrellisAttr::decode(DecodeBuilder &b,
                                            ArrayRef<DecodeBuilder::Operands> elements) const {
  DecodeBuilder::Operand number =
      b.subtract(b.lookUpByte(elements[table][0], elements[codes][0]), b.integer(tableZero));
  return {b.multiply(b.toReal(number), elements[scales][0])};
}

std::optional<LinearCodes> TrellisAttr::getLinearCodes() const {
  return LinearCodes{codes, scales, {}, {}, tableZero, table};
}
