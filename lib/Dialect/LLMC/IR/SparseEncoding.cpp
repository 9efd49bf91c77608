//===- SparseEncoding.cpp - N weights of each M side by side ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Planes and values of `#llmc.sparse`, which is described in SparseAttr.td. The positions are the
// first plane; those of the inner encoding follow in their order.
//
//===----------------------------------------------------------------------===//

#include "InnerPlanes.h"
#include "llmc/Dialect/LLMC/IR/CanonicalForm.h"

#include "mlir/IR/Builders.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace llmc;

/// Bits that say one of `of` places.
static int64_t getPositionBits(int64_t of) { return llvm::Log2_64(of); }

LogicalResult SparseAttr::verify(function_ref<InFlightDiagnostic()> emitError, int64_t count,
                                 int64_t of, Attribute inner) {
  if (of < 2 || of > 16 || !llvm::isPowerOf2_64(of))
    return emitError() << "expected some of 2, 4, 8 or 16 weights to be kept, found some of " << of;
  if (count < 1 || count >= of || !llvm::isPowerOf2_64(count))
    return emitError() << "expected a power of two below " << of << " weights to be kept of each "
                       << of << ", found " << count;
  if (int64_t bits = getPositionBits(of); count * bits > 8)
    return emitError() << "expected positions of at most 8 bits, found " << count << " of " << bits
                       << " bits each";
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
      llvm::any_of(encoding.getPlanes({1, 1}), isStreamOrList))
    return emitError() << "expected kept weights of f32, f16 or bf16, or an encoding that decodes "
                          "them one by one and keeps all, found "
                       << inner;
  const int64_t unit = std::max<int64_t>(of, 4), wideRow = int64_t(1) << 40;
  for (const Plane &plane : encoding.getPlanes({1, wideRow}))
    if (!isWeightPlane(plane) && plane.columns % unit != 0)
      return emitError() << "expected groups of a multiple of " << unit
                         << " weights where some of each " << of << " are kept, found "
                         << plane.columns;
  return success();
}

LogicalResult SparseAttr::verifyEncoding(ArrayRef<int64_t> shape, Type elementType,
                                         function_ref<InFlightDiagnostic()> emitError) const {
  if (shape.size() != 2 || ShapedType::isDynamicShape(shape))
    return emitError() << "expected a matrix of static shape for a sparse encoding";
  if (!elementType.isF32())
    return emitError() << "expected element type f32 for a sparse encoding, found " << elementType;
  if (shape[1] % getUnit() != 0)
    return emitError() << "expected a multiple of " << getUnit()
                       << " columns for a sparse encoding of " << getCount() << ":" << getOf()
                       << ", found " << shape[1];
  return success();
}

//===----------------------------------------------------------------------===//
// Planes and values
//===----------------------------------------------------------------------===//

int64_t SparseAttr::getUnit() const { return std::max<int64_t>(getOf(), 4); }

SmallVector<Plane> SparseAttr::getPlanes(ArrayRef<int64_t> shape) const {
  Builder builder(getContext());
  SmallVector<Plane> planes{
      {"positions", builder.getIntegerType(getCount() * getPositionBits(getOf())), 1, getOf()}};
  for (Plane &plane : getInnerPlanes(getInner(), shape)) {
    if (isWeightPlane(plane))
      plane.columns = getRatio();
    planes.push_back(plane);
  }
  return planes;
}

using Operand = DecodeBuilder::Operand;
using Operands = DecodeBuilder::Operands;

/// What the inner encoding's planes have for kept weight `index` of a unit.
static SmallVector<Operands> getInnerElements(ArrayRef<Operands> elements, size_t index) {
  SmallVector<Operands> result;
  for (const Operands &ofPlane : elements.drop_front())
    result.push_back({ofPlane.size() > 1 ? ofPlane[index] : ofPlane[0]});
  return result;
}

Operands SparseAttr::decode(DecodeBuilder &b, ArrayRef<Operands> elements) const {
  auto encoding = dyn_cast<EncodingInterface>(getInner());
  int64_t bits = getPositionBits(getOf());
  Operands values;
  for (auto [group, positions] : llvm::enumerate(elements[0])) {
    Operands kept, places;
    for (int64_t n = 0; n < getCount(); ++n) {
      SmallVector<Operands> inner = getInnerElements(elements, group * getCount() + n);
      kept.push_back(encoding ? encoding.decode(b, inner)[0] : inner[0][0]);
      places.push_back(b.bitAnd(b.shiftRight(positions, n * bits),
                                b.integer(static_cast<int32_t>(getOf() - 1))));
    }
    for (int64_t place = 0; place < getOf(); ++place) {
      Operand value = b.real(0);
      for (int64_t n = 0; n < getCount(); ++n)
        // Positions ascend: the first is not at the end, and so on.
        if (place >= n && place <= getOf() - getCount() + n)
          value = b.selectEqual(places[n], b.integer(static_cast<int32_t>(place)), kept[n], value);
      values.push_back(value);
    }
  }
  return values;
}

std::optional<LinearCodes> SparseAttr::getLinearCodes() const {
  auto encoding = dyn_cast<EncodingInterface>(getInner());
  std::optional<LinearCodes> codes = encoding ? encoding.getLinearCodes() : std::nullopt;
  // Only what has no minimum has a code of zero, and not where codes are found in tables. Four
  // codes are the bytes of an integer.
  if (!codes || codes->minima || codes->table || getOf() != 4)
    return std::nullopt;
  codes->codes += 1;
  codes->scales += 1;
  if (codes->zeros)
    *codes->zeros += 1;
  codes->packed = true;
  return codes;
}

Operands SparseAttr::decodeCodes(DecodeBuilder &b, ArrayRef<Operands> elements) const {
  LinearCodes linear = *getLinearCodes();
  Operand zero = linear.zeros ? elements[*linear.zeros][0] : b.integer(linear.zero);
  // The kept codes are the first bytes of an integer, and the code of zero is another; each place
  // takes one of them.
  constexpr int32_t zeroByte = 2;
  Operand bytes = b.shiftLeft(zero, b.integer(8 * zeroByte));
  for (auto [n, code] : llvm::enumerate(elements[linear.codes]))
    bytes = b.add(bytes, b.shiftLeft(code, b.integer(8 * static_cast<int32_t>(n))));
  SmallVector<int32_t> places;
  for (unsigned positions = 0; positions < 1u << (2 * getCount()); ++positions) {
    uint32_t taken = 0x01010101 * zeroByte;
    for (int64_t n = 0; n < getCount(); ++n) {
      unsigned shift = 8 * (positions >> (2 * n) & 3);
      taken = (taken & ~(0xffu << shift)) | static_cast<uint32_t>(n) << shift;
    }
    places.push_back(static_cast<int32_t>(taken));
  }
  return {b.takeBytes(bytes, b.lookUpInteger(places, elements[0][0]))};
}

//===----------------------------------------------------------------------===//
// What is kept
//===----------------------------------------------------------------------===//

Attribute SparseAttr::getWeights() const { return getInner(); }

EncodingInterface SparseAttr::storeWeightsAs(Attribute weights,
                                             function_ref<InFlightDiagnostic()> emitError) const {
  SparseAttr result = SparseAttr::getChecked(emitError, getContext(), getCount(), getOf(), weights);
  return result ? EncodingInterface(result) : EncodingInterface();
}

void SparseAttr::readMask(ArrayRef<uint8_t> bytes, ArrayRef<int64_t> shape, int64_t row,
                          MutableArrayRef<bool> kept) const {
  auto form = CanonicalForm::get(*this, shape);
  llvm::fill(kept, false);
  for (int64_t first = 0; first < shape[1]; first += getOf()) {
    int64_t found = 0;
    unsigned positions = form[0].readInteger(bytes.data(), row, first / getOf());
    for (int64_t n = 0; n < getCount(); ++n) {
      bool &place = kept[first + (positions >> (n * getPositionBits(getOf())) & (getOf() - 1))];
      found += !place;
      place = true;
    }
    // Where a file says a position twice, weights that are zero are kept beside it.
    for (int64_t place = 0; found < getCount(); ++place)
      if (!kept[first + place]) {
        kept[first + place] = true;
        ++found;
      }
  }
}

std::vector<uint8_t> SparseAttr::pack(ArrayRef<uint8_t> dense, ArrayRef<int64_t> shape,
                                      ArrayRef<bool> kept) const {
  auto form = CanonicalForm::get(*this, shape);
  SmallVector<PlaneArray, 4> from =
      CanonicalForm::place(getInnerPlanes(getInner(), shape), shape).planes;
  std::vector<uint8_t> bytes(form.size);
  for (auto [index, plane] : llvm::enumerate(from)) {
    const PlaneArray &to = form[index + 1];
    if (!isWeightPlane(plane))
      std::copy_n(dense.begin() + plane.offset, plane.getByteSize(), bytes.begin() + to.offset);
  }
  for (int64_t row = 0; row < shape[0]; ++row) {
    int64_t next = 0;
    unsigned positions = 0; // of the group in hand
    for (int64_t column = 0; column < shape[1]; ++column) {
      if (!kept[row * shape[1] + column])
        continue;
      positions |= static_cast<unsigned>(column % getOf())
                   << (next % getCount() * getPositionBits(getOf()));
      for (auto [index, plane] : llvm::enumerate(from)) {
        if (!isWeightPlane(plane))
          continue;
        const PlaneArray &to = form[index + 1];
        if (plane.isFloat())
          to.write(bytes.data(), row, next, plane.readReal(dense.data(), row, column));
        else
          to.write(bytes.data(), row, next, plane.readInteger(dense.data(), row, column));
      }
      if (++next % getCount() == 0) {
        form[0].write(bytes.data(), row, column / getOf(), positions);
        positions = 0;
      }
    }
  }
  return bytes;
}
