//===- SmallFloatTestSupport.h - matrices of #llmc.float made by hand ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Codes and scales as plain arrays, and a writer of the canonical form that shares no code with the
// dialect: it follows the words of SmallFloatAttr.td. What codes stand for says LLVM.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TEST_UNIT_DIALECT_SMALLFLOATTESTSUPPORT_H
#define LLMC_TEST_UNIT_DIALECT_SMALLFLOATTESTSUPPORT_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include "mlir/IR/Builders.h"

#include <random>
#include <vector>

namespace llmc::test {

/// What the bits of a float stand for.
inline double decodeBits(mlir::Type type, uint64_t bits) {
  llvm::APFloat number(mlir::cast<mlir::FloatType>(type).getFloatSemantics(),
                       llvm::APInt(type.getIntOrFloatBitWidth(), bits));
  bool lossy;
  number.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven, &lossy);
  return number.convertToDouble();
}

/// Every type of elements and every type of scales.
inline std::vector<SmallFloatAttr> getSmallFloats(mlir::Builder &b, int64_t group) {
  mlir::Type f32 = b.getF32Type(), none;
  mlir::Type e2m1 = b.getType<mlir::Float4E2M1FNType>(),
             power = b.getType<mlir::Float8E8M0FNUType>();
  mlir::Type e4m3 = b.getType<mlir::Float8E4M3FNType>(), e5m2 = b.getType<mlir::Float8E5M2Type>();
  auto get = [&](mlir::Type element, mlir::Type scale, mlir::Type matrix) {
    return SmallFloatAttr::get(b.getContext(), element, group, scale, matrix);
  };
  return {get(e2m1, power, none),
          get(b.getType<mlir::Float6E2M3FNType>(), power, none),
          get(b.getType<mlir::Float6E3M2FNType>(), b.getF16Type(), none),
          get(e4m3, f32, none),
          get(e5m2, b.getBF16Type(), none),
          get(e4m3, e4m3, f32),
          get(e2m1, e4m3, f32)};
}

struct SmallFloatMatrix {
  SmallFloatAttr encoding;
  int64_t rows, columns;
  std::vector<uint64_t> codes;  ///< [rows, columns]
  std::vector<uint64_t> scales; ///< bits, [rows, groups], or of the whole matrix
  uint64_t matrix = 0x3c0ccccd; ///< bits of a float

  /// Every code is possible that stands for a finite number; scales from 2^-8 to 2^-5.
  static SmallFloatMatrix random(SmallFloatAttr encoding, int64_t rows, int64_t columns,
                                 uint64_t seed) {
    std::mt19937_64 random(seed);
    SmallFloatMatrix result{encoding, rows, columns, {}, {}};
    while (result.codes.size() < static_cast<size_t>(rows * columns)) {
      uint64_t code = random() & ((1u << encoding.getElement().getIntOrFloatBitWidth()) - 1);
      if (std::isfinite(decodeBits(encoding.getElement(), code)))
        result.codes.push_back(code);
    }
    mlir::Type scale = encoding.getScale();
    int64_t count = encoding.getGroup() == GroupedAttr::tensorGroup ? 1 : rows * result.getGroups();
    for (int64_t i = 0; i < count; ++i) {
      uint64_t bits = random();
      result.scales.push_back(scale.isF32()    ? (bits & 0x7fffff) | 0x3b800000
                              : scale.isF16()  ? (bits & 0x3ff) | 0x1c00
                              : scale.isBF16() ? (bits & 0x7f) | 0x3b80
                              : mlir::isa<mlir::Float8E8M0FNUType>(scale) ? 119 + bits % 4
                                                                          : 1 + bits % 60);
    }
    return result;
  }

  SmallFloatAttr getAttr() const { return encoding; }
  int64_t getGroups() const {
    int64_t group = encoding.getGroup();
    return group <= 0 ? 1 : (columns + group - 1) / group;
  }
  double getScale(int64_t row, int64_t column) const {
    int64_t group = encoding.getGroup();
    int64_t index = group == GroupedAttr::tensorGroup ? 0
                    : group == 0                      ? row
                                                      : row * getGroups() + column / group;
    double scale = decodeBits(encoding.getScale(), scales[index]);
    return encoding.getMatrix() ? scale * decodeBits(encoding.getMatrix(), matrix) : scale;
  }
  double getValue(int64_t row, int64_t column) const {
    return decodeBits(encoding.getElement(), codes[row * columns + column]) * getScale(row, column);
  }
  std::vector<uint8_t> getCanonicalForm() const {
    unsigned bits = encoding.getElement().getIntOrFloatBitWidth();
    std::vector<uint8_t> bytes;
    auto pad = [&] { bytes.resize((bytes.size() + 63) / 64 * 64); };
    auto append = [&](uint64_t number, mlir::Type type) {
      for (unsigned i = 0; i < type.getIntOrFloatBitWidth() / 8; ++i)
        bytes.push_back(number >> (8 * i) & 0xff);
    };
    for (int64_t row = 0; row < rows; ++row) {
      size_t start = bytes.size();
      bytes.resize(start + (columns * bits + 7) / 8);
      for (int64_t bit = 0; bit < columns * bits; ++bit)
        if (codes[row * columns + bit / bits] >> (bit % bits) & 1)
          bytes[start + bit / 8] |= 1 << (bit % 8);
    }
    pad();
    for (uint64_t scale : scales)
      append(scale, encoding.getScale());
    if (encoding.getMatrix()) {
      pad();
      append(matrix, encoding.getMatrix());
    }
    return bytes;
  }
};

} // namespace llmc::test

#endif // LLMC_TEST_UNIT_DIALECT_SMALLFLOATTESTSUPPORT_H
