//===- GroupedEncoding.cpp - grouped integers as an encoding ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Sizes and values of `#llmc.grouped`, whose bits are described in LLMCAttrs.td.
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/LLMC/IR/GroupedEncoding.h"

#include "llvm/ADT/bit.h"
#include "llvm/Support/Endian.h"
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
  if (!scale.isF32() && !scale.isF16() && !scale.isBF16())
    return emitError() << "expected scales of f32, f16 or bf16, found " << scale;
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

std::pair<int64_t, int64_t> GroupedAttr::getScaleShape(ArrayRef<int64_t> shape) const {
  if (getGroup() == tensorGroup)
    return {1, 1};
  return {shape[0], getGroupsPerRow(shape[1])};
}

//===----------------------------------------------------------------------===//
// The canonical form
//===----------------------------------------------------------------------===//

GroupedLayout llmc::getGroupedLayout(GroupedAttr encoding, ArrayRef<int64_t> shape) {
  auto [scaleRows, scaleColumns] = encoding.getScaleShape(shape);
  int64_t scaleBytes = encoding.getScale().getIntOrFloatBitWidth() / 8;
  int64_t scales = scaleRows * scaleColumns;
  GroupedLayout layout;
  layout.bytesPerRow = llvm::divideCeil(shape[1] * encoding.getBits(), 8);
  layout.scaleOffset = llvm::alignTo(shape[0] * layout.bytesPerRow, 64);
  layout.zeroOffset = layout.scaleOffset + scales * scaleBytes;
  layout.size = layout.zeroOffset;
  if (encoding.getZero() == ZeroPoint::None)
    return layout;
  layout.zeroOffset = llvm::alignTo(layout.zeroOffset, 64);
  layout.size =
      layout.zeroOffset + (encoding.getZero() == ZeroPoint::Float ? scales * scaleBytes : scales);
  return layout;
}

unsigned llmc::readCode(const uint8_t *row, int64_t column, unsigned bits) {
  int64_t bit = column * bits;
  unsigned low = row[bit / 8] >> (bit % 8);
  // The byte after is read only where the code reaches into it.
  if (bit % 8 + bits > 8)
    low |= static_cast<unsigned>(row[bit / 8 + 1]) << (8 - bit % 8);
  return low & ((1u << bits) - 1);
}

void llmc::writeCode(uint8_t *row, int64_t column, unsigned bits, unsigned code) {
  int64_t bit = column * bits;
  row[bit / 8] |= static_cast<uint8_t>(code << (bit % 8));
  if (bit % 8 + bits > 8)
    row[bit / 8 + 1] |= static_cast<uint8_t>(code >> (8 - bit % 8));
}

void llmc::writeFloat(uint8_t *bytes, int64_t index, Type type, float value) {
  using namespace llvm::support::endian;
  if (type.isF32())
    return write32le(bytes + 4 * index, llvm::bit_cast<uint32_t>(value));
  APFloat rounded(value);
  bool lossy;
  rounded.convert(cast<FloatType>(type).getFloatSemantics(), APFloat::rmNearestTiesToEven, &lossy);
  write16le(bytes + 2 * index, static_cast<uint16_t>(rounded.bitcastToAPInt().getZExtValue()));
}

float llmc::readFloat(const uint8_t *bytes, int64_t index, Type type) {
  if (type.isF32())
    return llvm::bit_cast<float>(llvm::support::endian::read32le(bytes + 4 * index));
  uint16_t raw = llvm::support::endian::read16le(bytes + 2 * index);
  if (type.isBF16())
    return llvm::bit_cast<float>(static_cast<uint32_t>(raw) << 16);
  return halfToFloat(raw);
}

float llmc::halfToFloat(uint16_t half) {
  uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16;
  uint32_t magnitude = half & 0x7fff;
  if (magnitude >= 0x7c00) // infinity and NaN
    return llvm::bit_cast<float>(sign | 0x7f800000 | (magnitude & 0x3ff) << 13);
  // Shifted into place the exponent is 112 too small, which a multiplication by 2^112 mends,
  // subnormal numbers included.
  float value = llvm::bit_cast<float>(magnitude << 13) * 0x1p112f;
  return llvm::bit_cast<float>(llvm::bit_cast<uint32_t>(value) | sign);
}

FailureOr<int64_t> GroupedAttr::getByteSize(ArrayRef<int64_t> shape,
                                            function_ref<InFlightDiagnostic()> emitError) const {
  if (shape.size() != 2 || ShapedType::isDynamicShape(shape)) {
    emitError() << "expected a matrix of static shape for a grouped encoding";
    return failure();
  }
  // Beyond this the sizes of the planes may not fit 63 bits.
  constexpr int64_t limit = int64_t(1) << 56;
  if (shape[0] < 0 || shape[1] < 0 || shape[0] > limit || shape[1] > limit ||
      (shape[1] != 0 && shape[0] > limit / shape[1])) {
    emitError() << "expected at most 2^56 weights, found " << shape[0] << " x " << shape[1];
    return failure();
  }
  return getGroupedLayout(*this, shape).size;
}

void GroupedAttr::decodeRow(ArrayRef<uint8_t> bytes, ArrayRef<int64_t> shape, int64_t row,
                            MutableArrayRef<float> values) const {
  GroupedLayout layout = getGroupedLayout(*this, shape);
  const uint8_t *codes = bytes.data() + row * layout.bytesPerRow;
  const uint8_t *scales = bytes.data() + layout.scaleOffset;
  const uint8_t *zeros = bytes.data() + layout.zeroOffset;
  int64_t size = getGroupSize(shape[1]), groups = getGroupsPerRow(shape[1]);
  for (int64_t group = 0; group < groups; ++group) {
    int64_t index = getGroup() == tensorGroup ? 0 : row * groups + group;
    float scale = readFloat(scales, index, getScale());
    int zero = getZero() == ZeroPoint::None      ? 1 << (getBits() - 1)
               : getZero() == ZeroPoint::Integer ? zeros[index]
                                                 : 0;
    double minimum = getZero() == ZeroPoint::Float ? readFloat(zeros, index, getScale()) : 0.0;
    int64_t end = std::min(shape[1], (group + 1) * size);
    // The product of a code and a scale is exact in double, and so is nearly every sum.
    for (int64_t column = group * size; column < end; ++column) {
      int code = static_cast<int>(readCode(codes, column, getBits())) - zero;
      values[column] = static_cast<float>(code * static_cast<double>(scale) + minimum);
    }
  }
}

double GroupedAttr::getBitsPerWeight(ArrayRef<int64_t> shape) const {
  auto [scaleRows, scaleColumns] = getScaleShape(shape);
  double scaleBits = getScale().getIntOrFloatBitWidth();
  if (getZero() == ZeroPoint::Float)
    scaleBits *= 2;
  else if (getZero() == ZeroPoint::Integer)
    scaleBits += 8;
  double weights = static_cast<double>(shape[0]) * shape[1];
  return weights == 0 ? 0 : getBits() + scaleBits * scaleRows * scaleColumns / weights;
}
