//===- OutliersEncoding.cpp - some weights of each row beside all of them ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Planes and values of `#llmc.outliers`, which is described in OutliersAttr.td. The list stands
// behind the planes of the inner encoding.
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace llmc;

LogicalResult OutliersAttr::verify(function_ref<InFlightDiagnostic()> emitError, int64_t count,
                                   Type element, Attribute inner) {
  if (count < 1)
    return emitError() << "expected at least one outlier in a row, found " << count;
  if (!element.isF32() && !element.isF16() && !element.isBF16())
    return emitError() << "expected outliers of f32, f16 or bf16, found " << element;
  auto encoding = dyn_cast<EncodingInterface>(inner);
  if (!encoding || isa<SparsityInterface, OutliersAttr>(inner) || encoding.getUnit() != 1)
    return emitError() << "expected outliers beside an encoding that decodes weights one by one, "
                          "keeps all and has no outliers, found "
                       << inner;
  return success();
}

LogicalResult OutliersAttr::verifyEncoding(ArrayRef<int64_t> shape, Type elementType,
                                           function_ref<InFlightDiagnostic()> emitError) const {
  if (shape.size() != 2 || ShapedType::isDynamicShape(shape))
    return emitError() << "expected a matrix of static shape for outliers";
  if (!elementType.isF32())
    return emitError() << "expected element type f32 for outliers, found " << elementType;
  constexpr int64_t widest = int64_t(1) << 16;
  if (shape[1] > widest)
    return emitError() << "expected at most " << widest << " columns for outliers, found "
                       << shape[1];
  if (getCount() > shape[1])
    return emitError() << "expected at most as many outliers as a row has weights, found "
                       << getCount() << " of " << shape[1];
  auto inner = dyn_cast<VerifiableTensorEncoding>(getInner());
  return inner ? inner.verifyEncoding(shape, elementType, emitError) : success();
}

SmallVector<Plane> OutliersAttr::getPlanes(ArrayRef<int64_t> shape) const {
  SmallVector<Plane> planes = cast<EncodingInterface>(getInner()).getPlanes(shape);
  Plane positions{"positions", IntegerType::get(getContext(), 16), 1, Plane::all};
  positions.listed = getCount();
  Plane outliers = positions;
  outliers.name = "outliers";
  outliers.element = getElement();
  planes.append({positions, outliers});
  return planes;
}

DecodeBuilder::Operands OutliersAttr::decode(DecodeBuilder &b,
                                             ArrayRef<DecodeBuilder::Operands> elements) const {
  auto inner = cast<EncodingInterface>(getInner());
  DecodeBuilder::Operand value = inner.decode(b, elements.drop_back(2))[0];
  return {b.multiplyAdd(value, b.real(1), elements.back()[0])};
}

std::optional<LinearCodes> OutliersAttr::getLinearCodes() const {
  return cast<EncodingInterface>(getInner()).getLinearCodes();
}
