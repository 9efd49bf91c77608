//===- PositionGroupedEncoding.cpp - integers that share a scale along positions ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `#llmc.position_grouped`, which is described in PositionGroupedAttr.td.
//
//===----------------------------------------------------------------------===//

#include "CacheEncodings.h"
#include "llmc/Dialect/LLMC/IR/CacheLayout.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace llmc;

LogicalResult PositionGroupedAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                          unsigned bits, int64_t group, Type scale) {
  if (bits != 2 && bits != 3 && bits != 4 && bits != 8)
    return emitError() << "expected 2, 3, 4 or 8 bits along positions, found " << bits;
  constexpr int64_t most = 1024;
  if (group <= 0 || group % keyBlock != 0 || group > most)
    return emitError() << "expected a group of a multiple of " << keyBlock << " positions, at most "
                       << most << ", found " << group;
  if (!scale.isF32() && !scale.isF16() && !scale.isBF16())
    return emitError() << "expected scales of f32, f16 or bf16, found " << scale;
  return success();
}

LogicalResult
PositionGroupedAttr::verifyEncoding(ArrayRef<int64_t>, Type,
                                    function_ref<InFlightDiagnostic()> emitError) const {
  return emitError() << "expected an encoding of weights, found " << *this
                     << ", which is one of caches";
}

SmallVector<Plane> PositionGroupedAttr::getPlanes(ArrayRef<int64_t>) const {
  Builder builder(getContext());
  return {{"codes", builder.getIntegerType(getBits())},
          {"scales", getScale(), getGroup()},
          {"minima", getScale(), getGroup()}};
}

DecodeBuilder::Operands
PositionGroupedAttr::decode(DecodeBuilder &b, ArrayRef<DecodeBuilder::Operands> elements) const {
  return {b.multiplyAdd(b.toReal(elements[0][0]), elements[1][0], elements[2][0])};
}

DecodeBuilder::Operands PositionGroupedAttr::encode(EncodeBuilder &b,
                                                    DecodeBuilder::Operand number) const {
  return encodeAboveMinimum(b, number, getBits(), getScale());
}
