//===- NF4Encoding.cpp - 4-bit numbers for normally distributed weights ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Planes and values of `#llmc.nf4`, which is described in NF4Attr.td.
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace llmc;

ArrayRef<float> NF4Attr::getNumbers() {
  static constexpr float numbers[] = {
      -1.0f,
      -0.6961928009986877f,
      -0.5250730514526367f,
      -0.39491748809814453f,
      -0.28444138169288635f,
      -0.18477343022823334f,
      -0.09105003625154495f,
      0.0f,
      0.07958029955625534f,
      0.16093020141124725f,
      0.24611230194568634f,
      0.33791524171829224f,
      0.44070982933044434f,
      0.5626170039176941f,
      0.7229568362236023f,
      1.0f,
  };
  return numbers;
}

LogicalResult NF4Attr::verify(function_ref<InFlightDiagnostic()> emitError, int64_t group,
                              Type scale) {
  if (group < GroupedAttr::channelGroup)
    return emitError() << "expected a positive group size or 'channel' for nf4, found "
                       << (group == GroupedAttr::tensorGroup ? "'tensor'" : std::to_string(group));
  if (!scale.isF32() && !scale.isF16() && !scale.isBF16())
    return emitError() << "expected scales of f32, f16 or bf16, found " << scale;
  return success();
}

LogicalResult NF4Attr::verifyEncoding(ArrayRef<int64_t> shape, Type elementType,
                                      function_ref<InFlightDiagnostic()> emitError) const {
  if (shape.size() != 2 || ShapedType::isDynamicShape(shape))
    return emitError() << "expected a matrix of static shape for nf4";
  if (!elementType.isF32())
    return emitError() << "expected element type f32 for nf4, found " << elementType;
  return success();
}

int64_t NF4Attr::getGroupSize(int64_t columns) const {
  return getGroup() == GroupedAttr::channelGroup ? columns : std::min(getGroup(), columns);
}

SmallVector<Plane> NF4Attr::getPlanes(ArrayRef<int64_t> shape) const {
  Builder builder(getContext());
  // A row without weights has no groups.
  int64_t columns = std::max<int64_t>(getGroupSize(shape[1]), 1);
  return {{"codes", builder.getIntegerType(4)}, {"scales", getScale(), 1, columns}};
}

DecodeBuilder::Operands NF4Attr::decode(DecodeBuilder &b,
                                        ArrayRef<DecodeBuilder::Operands> elements) const {
  return {b.multiply(b.lookUp(getNumbers(), elements[codes][0]), elements[scales][0])};
}
