//===- MaskedEncoding.cpp - any weights of a matrix ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Planes and values of `#llmc.masked`, which is described in MaskedAttr.td. The mask is the first
// plane; those of the inner encoding follow in their order.
//
//===----------------------------------------------------------------------===//

#include "InnerPlanes.h"
#include "llmc/Dialect/LLMC/IR/CanonicalForm.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace llmc;

LogicalResult MaskedAttr::verify(function_ref<InFlightDiagnostic()> emitError, int64_t kept,
                                 Attribute inner) {
  if (kept < 1)
    return emitError() << "expected at least one weight to be kept, found " << kept;
  if (auto type = dyn_cast<TypeAttr>(inner)) {
    Type element = type.getValue();
    if (!element.isF32() && !element.isF16() && !element.isBF16())
      return emitError() << "expected kept weights of f32, f16 or bf16, or an encoding of them, "
                            "found "
                         << element;
    return success();
  }
  auto encoding = dyn_cast<EncodingInterface>(inner);
  if (!encoding || isa<SparsityInterface>(inner) || encoding.getUnit() != 1 ||
      llvm::any_of(encoding.getPlanes({2, 2}), isStreamOrList) ||
      llvm::count_if(encoding.getPlanes({2, 2}), isWeightPlane) != 1)
    return emitError() << "expected kept weights of f32, f16 or bf16, or an encoding that decodes "
                          "them one by one and keeps all, found "
                       << inner;
  return success();
}

LogicalResult MaskedAttr::verifyEncoding(ArrayRef<int64_t> shape, Type elementType,
                                         function_ref<InFlightDiagnostic()> emitError) const {
  if (shape.size() != 2 || ShapedType::isDynamicShape(shape))
    return emitError() << "expected a matrix of static shape for a masked encoding";
  if (!elementType.isF32())
    return emitError() << "expected element type f32 for a masked encoding, found " << elementType;
  if (shape[1] == 0 || llvm::divideCeil(getKept(), shape[1]) > static_cast<uint64_t>(shape[0]))
    return emitError() << "expected at most as many kept weights as there are, found " << getKept()
                       << " of " << shape[0] << " x " << shape[1];
  return success();
}

SmallVector<Plane> MaskedAttr::getPlanes(ArrayRef<int64_t> shape) const {
  SmallVector<Plane> planes{{"mask", Builder(getContext()).getI1Type()}};
  for (Plane &plane : getInnerPlanes(getInner(), shape)) {
    plane.kept = isWeightPlane(plane) ? getKept() : 0;
    planes.push_back(plane);
  }
  return planes;
}

using Operand = DecodeBuilder::Operand;
using Operands = DecodeBuilder::Operands;

Operands MaskedAttr::decode(DecodeBuilder &b, ArrayRef<Operands> elements) const {
  // A float of zero bits is zero.
  auto encoding = dyn_cast<EncodingInterface>(getInner());
  if (!encoding)
    return {elements[1][0]};
  Operand value = encoding.decode(b, elements.drop_front())[0];
  return {b.selectEqual(elements[0][0], b.integer(0), b.real(0), value)};
}

std::optional<LinearCodes> MaskedAttr::getLinearCodes() const {
  auto encoding = dyn_cast<EncodingInterface>(getInner());
  std::optional<LinearCodes> codes = encoding ? encoding.getLinearCodes() : std::nullopt;
  // Only what has no minimum has a code of zero, and not where codes are found in tables.
  if (!codes || codes->minima || codes->table)
    return std::nullopt;
  codes->codes += 1;
  codes->scales += 1;
  if (codes->zeros)
    *codes->zeros += 1;
  codes->masked = true;
  return codes;
}

//===----------------------------------------------------------------------===//
// What is kept
//===----------------------------------------------------------------------===//

Attribute MaskedAttr::getWeights() const { return getInner(); }

EncodingInterface MaskedAttr::storeWeightsAs(Attribute weights,
                                             function_ref<InFlightDiagnostic()> emitError) const {
  MaskedAttr result = MaskedAttr::getChecked(emitError, getContext(), getKept(), weights);
  return result ? EncodingInterface(result) : EncodingInterface();
}

void MaskedAttr::readMask(ArrayRef<uint8_t> bytes, ArrayRef<int64_t> shape, int64_t row,
                          MutableArrayRef<bool> kept) const {
  const PlaneArray mask = CanonicalForm::get(*this, shape)[0];
  const uint8_t *bits = bytes.data() + mask.offset + row * mask.rowBytes;
  for (auto [column, isKept] : llvm::enumerate(kept))
    isKept = (bits[column / 8] >> column % 8 & 1) != 0;
}

/// Writes the mask of a row to bytes that are zero.
static void writeMask(ArrayRef<bool> kept, uint8_t *bits) {
  for (auto [column, isKept] : llvm::enumerate(kept))
    bits[column / 8] |= static_cast<uint8_t>(isKept ? 1u << column % 8 : 0);
}

/// Copies the kept ones of a row's elements, of a whole number of bytes each, and gives where they
/// end.
static uint8_t *copyKept(ArrayRef<bool> kept, const uint8_t *from, int64_t size, uint8_t *to) {
  for (bool isKept : kept) {
    if (isKept)
      to = std::copy_n(from, size, to);
    from += size;
  }
  return to;
}

/// Copies the kept ones of a row's integers of `bits` bits to those from `next` on, and gives where
/// they end.
static int64_t copyKeptCodes(ArrayRef<bool> kept, const uint8_t *from, unsigned bits, uint8_t *to,
                             int64_t next) {
  for (auto [column, isKept] : llvm::enumerate(kept))
    if (isKept)
      writeCode(to, next++, bits, readCode(from, static_cast<int64_t>(column), bits));
  return next;
}

std::vector<uint8_t> MaskedAttr::pack(ArrayRef<uint8_t> dense, ArrayRef<int64_t> shape,
                                      ArrayRef<bool> kept) const {
  auto form = CanonicalForm::get(*this, shape);
  SmallVector<PlaneArray, 4> from =
      CanonicalForm::place(getInnerPlanes(getInner(), shape), shape).planes;
  std::vector<uint8_t> bytes(form.size);
  auto getKeptOf = [&](int64_t row) { return kept.slice(row * shape[1], shape[1]); };
  for (int64_t row = 0; row < shape[0]; ++row)
    writeMask(getKeptOf(row), bytes.data() + form[0].offset + row * form[0].rowBytes);
  for (auto [index, plane] : llvm::enumerate(from)) {
    uint8_t *to = bytes.data() + form[index + 1].offset;
    const uint8_t *rows = dense.data() + plane.offset;
    if (!isWeightPlane(plane)) {
      std::copy_n(rows, plane.getByteSize(), to);
      continue;
    }
    unsigned bits = plane.getBits();
    int64_t next = 0;
    for (int64_t row = 0; row < shape[0]; ++row, rows += plane.rowBytes)
      if (bits % 8 == 0)
        to = copyKept(getKeptOf(row), rows, bits / 8, to);
      else
        next = copyKeptCodes(getKeptOf(row), rows, bits, to, next);
  }
  return bytes;
}
