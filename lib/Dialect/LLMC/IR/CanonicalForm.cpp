//===- CanonicalForm.cpp - planes as bytes ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/LLMC/IR/CanonicalForm.h"
#include "llmc/Dialect/LLMC/IR/SmallFloat.h"

#include "llvm/ADT/bit.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>

using namespace mlir;
using namespace llmc;

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

unsigned llmc::readBits(const uint8_t *row, int64_t start, unsigned bits) {
  unsigned low = row[start / 8] >> (start % 8);
  // The byte after is read only where the code reaches into it.
  if (start % 8 + bits > 8)
    low |= static_cast<unsigned>(row[start / 8 + 1]) << (8 - start % 8);
  return low & ((1u << bits) - 1);
}

void llmc::writeBits(uint8_t *row, int64_t start, unsigned bits, unsigned code) {
  row[start / 8] |= static_cast<uint8_t>(code << (start % 8));
  if (start % 8 + bits > 8)
    row[start / 8 + 1] |= static_cast<uint8_t>(code >> (8 - start % 8));
}

unsigned llmc::readCode(const uint8_t *row, int64_t column, unsigned bits) {
  return readBits(row, column * bits, bits);
}

void llmc::writeCode(uint8_t *row, int64_t column, unsigned bits, unsigned code) {
  writeBits(row, column * bits, bits, code);
}

/// Bits without the last `bits`, to nearest, half to even; a carry goes into the exponent.
static uint32_t roundBits(uint32_t magnitude, unsigned bits) {
  uint32_t odd = magnitude >> bits & 1;
  return (magnitude + (1u << (bits - 1)) - 1 + odd) >> bits;
}

static constexpr uint32_t infinity = 0x7f800000, signBit = 0x80000000;

static uint16_t roundToBFloat(float value) {
  auto bits = llvm::bit_cast<uint32_t>(value);
  uint32_t magnitude = bits & ~signBit, sign = (bits & signBit) >> 16;
  // What is no number stays none, with as much of its fraction as there is room for.
  uint32_t result = magnitude > infinity ? magnitude >> 16 | 0x40 : roundBits(magnitude, 16);
  return static_cast<uint16_t>(sign | result);
}

static uint16_t roundToHalf(float value) {
  constexpr uint32_t leastNormal = 113u << 23, halfInfinity = 0x7c00;
  auto bits = llvm::bit_cast<uint32_t>(value);
  uint32_t magnitude = bits & ~signBit, result;
  if (magnitude > infinity) {
    result = halfInfinity | 0x200 | (magnitude >> 13 & 0x3ff);
  } else if (magnitude < leastNormal) {
    // Added to 0.5 a number is rounded to multiples of the smallest half by the addition itself.
    constexpr float shift = 0.5f;
    result = llvm::bit_cast<uint32_t>(llvm::bit_cast<float>(magnitude) + shift) -
             llvm::bit_cast<uint32_t>(shift);
  } else {
    result = std::min(roundBits(magnitude - (112u << 23), 13), halfInfinity);
  }
  return static_cast<uint16_t>((bits & signBit) >> 16 | result);
}

void llmc::writeFloat(uint8_t *bytes, int64_t index, Type type, float value) {
  using namespace llvm::support::endian;
  if (type.isF32())
    return write32le(bytes + 4 * index, llvm::bit_cast<uint32_t>(value));
  if (isByteFloat(type))
    return writeCode(bytes, index, type.getIntOrFloatBitWidth(), encodeByteFloat(type, value));
  write16le(bytes + 2 * index, type.isBF16() ? roundToBFloat(value) : roundToHalf(value));
}

float llmc::readFloat(const uint8_t *bytes, int64_t index, Type type) {
  if (type.isF32())
    return llvm::bit_cast<float>(llvm::support::endian::read32le(bytes + 4 * index));
  if (isByteFloat(type))
    return decodeByteFloat(type, readCode(bytes, index, type.getIntOrFloatBitWidth()));
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

//===----------------------------------------------------------------------===//
// Planes
//===----------------------------------------------------------------------===//

unsigned PlaneArray::readWindow(const uint8_t *bytes, int64_t row, int64_t column) const {
  unsigned result = 0;
  for (unsigned place = 0; place < window && column >= 0; --column) {
    // The window ends with the element's own bits; of the first that it sees there are fewer.
    place += getBitsAt(column);
    result |= readInteger(bytes, row, column) << window >> place;
  }
  return result & ((1u << window) - 1);
}

CanonicalForm CanonicalForm::get(EncodingInterface encoding, ArrayRef<int64_t> shape) {
  return place(encoding.getPlanes(shape), shape);
}

CanonicalForm CanonicalForm::place(ArrayRef<Plane> planes, ArrayRef<int64_t> shape) {
  CanonicalForm form{{}, 0};
  for (const Plane &plane : planes) {
    PlaneArray array;
    static_cast<Plane &>(array) = plane;
    array.arrayRows = plane.rows == Plane::all ? 1 : llvm::divideCeil(shape[0], plane.rows);
    array.arrayColumns = plane.getElementsPerRow(shape[1]);
    if (plane.kept != 0) {
      array.arrayRows = 1;
      array.arrayColumns = plane.kept;
    }
    array.rowBytes = llvm::divideCeil(plane.getStart(array.arrayColumns), 8);
    array.offset = llvm::alignTo(form.size, 64);
    form.size = array.offset + array.getByteSize();
    form.planes.push_back(array);
  }
  return form;
}

/// The bits of a run of bytes that are 1.
static int64_t countOnes(ArrayRef<uint8_t> bytes) {
  int64_t count = 0;
  size_t whole = bytes.size() / 8;
  for (size_t word = 0; word < whole; ++word)
    count += llvm::popcount(llvm::support::endian::read64le(bytes.data() + 8 * word));
  for (uint8_t byte : bytes.drop_front(8 * whole))
    count += llvm::popcount(byte);
  return count;
}

std::vector<int64_t> CanonicalForm::getRowStarts(const uint8_t *bytes,
                                                 ArrayRef<int64_t> shape) const {
  if (llvm::none_of(planes, [](const PlaneArray &plane) { return plane.kept != 0; }))
    return {};
  const PlaneArray &mask = planes.front();
  std::vector<int64_t> starts;
  starts.reserve(shape[0]);
  int64_t count = 0;
  for (int64_t row = 0; row < shape[0]; ++row) {
    starts.push_back(count);
    ArrayRef<uint8_t> bits(bytes + mask.offset + row * mask.rowBytes, mask.rowBytes);
    count += countOnes(bits);
    // What fills a row's last byte up says nothing.
    if (shape[1] % 8 != 0)
      count -= llvm::popcount(static_cast<uint8_t>(bits.back() >> shape[1] % 8));
  }
  return starts;
}

//===----------------------------------------------------------------------===//
// Sizes of all encodings
//===----------------------------------------------------------------------===//

FailureOr<int64_t>
EncodingInterface::getByteSize(ArrayRef<int64_t> shape,
                               function_ref<InFlightDiagnostic()> emitError) const {
  if (shape.size() != 2 || ShapedType::isDynamicShape(shape)) {
    emitError() << "expected a matrix of static shape for an encoding of weights";
    return failure();
  }
  // Beyond this the sizes of the planes may not fit 63 bits.
  constexpr int64_t limit = int64_t(1) << 56;
  if (shape[0] < 0 || shape[1] < 0 || shape[0] > limit || shape[1] > limit ||
      (shape[1] != 0 && shape[0] > limit / shape[1])) {
    emitError() << "expected at most 2^56 weights, found " << shape[0] << " x " << shape[1];
    return failure();
  }
  if (int64_t unit = getUnit(); shape[1] % unit != 0) {
    emitError() << "expected a multiple of " << unit << " columns for " << *this << ", found "
                << shape[1];
    return failure();
  }
  return CanonicalForm::get(*this, shape).size;
}

double EncodingInterface::getBitsPerWeight(ArrayRef<int64_t> shape) const {
  double weights = static_cast<double>(shape[0]) * static_cast<double>(shape[1]);
  if (weights == 0)
    return 0;
  double bits = 0;
  for (const PlaneArray &plane : CanonicalForm::get(*this, shape).planes)
    bits += static_cast<double>(plane.getStart(plane.arrayColumns)) *
            (static_cast<double>(plane.arrayRows) / weights);
  return bits;
}
