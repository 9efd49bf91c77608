//===- CodebookEncoding.cpp - weights as places in tables of their own ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Planes and values of `#llmc.codebook`, which is described in CodebookAttr.td.
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace llmc;

LogicalResult CodebookAttr::verify(function_ref<InFlightDiagnostic()> emitError, unsigned bits,
                                   int64_t rows, Type scale) {
  if (bits < 2 || bits > 8)
    return emitError() << "expected 2 to 8 bits a weight for a codebook, found " << bits;
  if (rows < allRows || (rows != 1 && rows % rowUnit != 0))
    return emitError() << "expected 1 row, a multiple of " << rowUnit
                       << " or 'all' to share a table, found " << rows;
  if (!scale.isF32() && !scale.isF16() && !scale.isBF16())
    return emitError() << "expected scales of f32, f16 or bf16, found " << scale;
  return success();
}

LogicalResult CodebookAttr::verifyEncoding(ArrayRef<int64_t> shape, Type elementType,
                                           function_ref<InFlightDiagnostic()> emitError) const {
  if (shape.size() != 2 || ShapedType::isDynamicShape(shape))
    return emitError() << "expected a matrix of static shape for a codebook";
  if (!elementType.isF32())
    return emitError() << "expected element type f32 for a codebook, found " << elementType;
  return success();
}

SmallVector<Plane> CodebookAttr::getPlanes(ArrayRef<int64_t>) const {
  Builder builder(getContext());
  Plane numbers{"table", builder.getIntegerType(8), getRows() == allRows ? Plane::all : getRows(),
                Plane::all};
  numbers.count = getTableSize();
  return {
      {"codes", builder.getIntegerType(getBits())}, numbers, {"scales", getScale(), 1, Plane::all}};
}

DecodeBuilder::Operands CodebookAttr::decode(DecodeBuilder &b,
                                             ArrayRef<DecodeBuilder::Operands> elements) const {
  DecodeBuilder::Operand number =
      b.subtract(b.lookUpByte(elements[table][0], elements[codes][0]), b.integer(tableZero));
  return {b.multiply(b.toReal(number), elements[scales][0])};
}

std::optional<LinearCodes> CodebookAttr::getLinearCodes() const {
  return LinearCodes{codes, scales, {}, {}, tableZero, table};
}
