//===- EncodingTestSupport.cpp - grouped matrices made by hand ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "EncodingTestSupport.h"

#include "mlir/IR/Builders.h"

#include <cmath>
#include <random>

using namespace llmc;
using namespace llmc::test;

GroupedAttr EncodingCase::getAttr() const {
  return GroupedAttr::get(scale.getContext(), bits, group, zero, scale);
}

int64_t EncodingCase::getGroups() const { return group <= 0 ? 1 : (columns + group - 1) / group; }

std::string EncodingCase::describe() const {
  std::string text;
  llvm::raw_string_ostream(text) << rows << "x" << columns << " " << getAttr();
  return text;
}

std::vector<EncodingCase> llmc::test::getAllCases(mlir::MLIRContext *context, int64_t rows,
                                                  int64_t columns) {
  mlir::Builder builder(context);
  std::vector<EncodingCase> cases;
  for (unsigned bits = 1; bits <= 8; ++bits)
    for (int64_t group : {int64_t(4), int64_t(8), int64_t(16), int64_t(32), int64_t(64),
                          int64_t(128), GroupedAttr::channelGroup, GroupedAttr::tensorGroup})
      for (ZeroPoint zero : {ZeroPoint::None, ZeroPoint::Integer, ZeroPoint::Float})
        for (mlir::Type scale : {mlir::Type(builder.getF32Type()), mlir::Type(builder.getF16Type()),
                                 mlir::Type(builder.getBF16Type())})
          if (bits > 1 || zero != ZeroPoint::None)
            cases.push_back({bits, group, zero, scale, rows, columns});
  return cases;
}

double llmc::test::decodeFloat(uint32_t bits, mlir::Type type) {
  int mantissaBits = type.isF32() ? 23 : type.isF16() ? 10 : 7;
  int exponentBits = type.isF16() ? 5 : 8;
  int bias = (1 << (exponentBits - 1)) - 1;
  int exponent = bits >> mantissaBits & ((1 << exponentBits) - 1);
  double mantissa = bits & ((1u << mantissaBits) - 1);
  double sign = bits >> (mantissaBits + exponentBits) & 1 ? -1 : 1;
  if (exponent == (1 << exponentBits) - 1)
    return mantissa != 0 ? std::nan("") : sign * HUGE_VAL;
  if (exponent == 0)
    return sign * std::ldexp(mantissa, 1 - bias - mantissaBits);
  return sign * std::ldexp(mantissa + std::ldexp(1, mantissaBits), exponent - bias - mantissaBits);
}

GroupedMatrix GroupedMatrix::random(const EncodingCase &spec, uint64_t seed, bool moderate) {
  std::mt19937_64 random(seed);
  GroupedMatrix matrix{spec, {}, {}, {}, {}, {}, {}};
  for (int64_t i = 0; i < spec.rows * spec.columns; ++i)
    matrix.codes.push_back(random() & ((1u << spec.bits) - 1));
  int64_t scales = spec.group == GroupedAttr::tensorGroup ? 1 : spec.rows * spec.getGroups();
  // Any finite pattern: exponents from subnormal to large, both signs.
  auto draw = [&]() -> uint32_t {
    uint32_t bits = static_cast<uint32_t>(random());
    if (moderate && spec.scale.isF32())
      return (bits & 0x807fffff) | 0x3b800000;
    if (moderate)
      return spec.scale.isF16() ? (bits & 0x83ff) | 0x1c00 : (bits & 0x807f) | 0x3b80;
    do
      bits = spec.scale.isF32() ? static_cast<uint32_t>(random()) : random() & 0xffff;
    while (!std::isfinite(decodeFloat(bits, spec.scale)) ||
           std::fabs(decodeFloat(bits, spec.scale)) > 1e30);
    return bits;
  };
  for (int64_t i = 0; i < scales; ++i) {
    matrix.scales.push_back(draw());
    matrix.scaleValues.push_back(decodeFloat(matrix.scales.back(), spec.scale));
    if (spec.zero == ZeroPoint::Integer)
      matrix.zeros.push_back(random() & ((1u << spec.bits) - 1));
    if (spec.zero != ZeroPoint::Float)
      continue;
    matrix.minima.push_back(draw());
    matrix.minimumValues.push_back(decodeFloat(matrix.minima.back(), spec.scale));
  }
  return matrix;
}

int64_t GroupedMatrix::getScaleIndex(int64_t row, int64_t column) const {
  if (spec.group == GroupedAttr::tensorGroup)
    return 0;
  return row * spec.getGroups() + (spec.group > 0 ? column / spec.group : 0);
}

double GroupedMatrix::getValue(int64_t row, int64_t column) const {
  int64_t index = getScaleIndex(row, column);
  double code = codes[row * spec.columns + column];
  switch (spec.zero) {
  case ZeroPoint::None:
    return (code - std::ldexp(1, spec.bits - 1)) * scaleValues[index];
  case ZeroPoint::Integer:
    return (code - zeros[index]) * scaleValues[index];
  case ZeroPoint::Float:
    return code * scaleValues[index] + minimumValues[index];
  }
  return 0;
}

std::vector<uint8_t> GroupedMatrix::getCanonicalForm() const {
  std::vector<uint8_t> bytes;
  auto align = [&] { bytes.resize((bytes.size() + 63) / 64 * 64); };
  auto appendFloats = [&](const std::vector<uint32_t> &values) {
    for (uint32_t value : values)
      for (unsigned i = 0; i < spec.scale.getIntOrFloatBitWidth() / 8; ++i)
        bytes.push_back(value >> (8 * i) & 0xff);
  };
  for (int64_t row = 0; row < spec.rows; ++row) {
    // Bit by bit, least significant first; a row ends at a whole byte.
    size_t begin = bytes.size();
    bytes.resize(begin + (spec.columns * spec.bits + 7) / 8);
    for (int64_t bit = 0; bit < spec.columns * spec.bits; ++bit)
      if (codes[row * spec.columns + bit / spec.bits] >> (bit % spec.bits) & 1)
        bytes[begin + bit / 8] |= 1 << (bit % 8);
  }
  align();
  appendFloats(scales);
  if (spec.zero == ZeroPoint::None)
    return bytes;
  align();
  if (spec.zero == ZeroPoint::Float)
    appendFloats(minima);
  else
    bytes.insert(bytes.end(), zeros.begin(), zeros.end());
  return bytes;
}
