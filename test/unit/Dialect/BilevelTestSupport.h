//===- BilevelTestSupport.h - matrices of #llmc.bilevel made by hand ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Codes of all kinds as plain arrays, and a writer of the canonical form that shares no code with
// the dialect: it follows the words of BilevelAttr.td.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TEST_UNIT_DIALECT_BILEVELTESTSUPPORT_H
#define LLMC_TEST_UNIT_DIALECT_BILEVELTESTSUPPORT_H

#include "EncodingTestSupport.h"

#include "mlir/IR/Builders.h"

#include <cmath>
#include <random>
#include <vector>

namespace llmc::test {

struct BilevelMatrix {
  unsigned bits;
  int64_t group;
  unsigned scaleBits;
  int64_t scaleGroup;
  mlir::Type scale;
  int64_t rows, columns;
  std::vector<unsigned> codes;         ///< [rows, columns]
  std::vector<unsigned> scales, zeros; ///< [rows, groups]
  std::vector<unsigned> offsets;       ///< [rows, groups of groups]
  std::vector<uint32_t> steps;         ///< bit patterns, [rows, groups of groups]

  /// Every code is possible; steps are of magnitudes from 2^-8 to 2^-7.
  static BilevelMatrix random(BilevelAttr encoding, int64_t rows, int64_t columns, uint64_t seed) {
    std::mt19937_64 random(seed);
    BilevelMatrix matrix{encoding.getBits(),
                         encoding.getGroup(),
                         encoding.getScaleBits(),
                         encoding.getScaleGroup(),
                         encoding.getScale(),
                         rows,
                         columns,
                         {},
                         {},
                         {},
                         {},
                         {}};
    for (int64_t i = 0; i < rows * columns; ++i)
      matrix.codes.push_back(random() >> 20 & ((1 << matrix.bits) - 1));
    for (int64_t i = 0; i < rows * matrix.getGroups(); ++i) {
      matrix.scales.push_back(random() >> 20 & ((1 << matrix.scaleBits) - 1));
      matrix.zeros.push_back(random() >> 20 & ((1 << matrix.bits) - 1));
    }
    for (int64_t i = 0; i < rows * matrix.getOuterGroups(); ++i) {
      matrix.offsets.push_back(random() >> 20 & 255);
      auto pattern = static_cast<uint32_t>(random());
      matrix.steps.push_back(matrix.scale.isF32()   ? (pattern & 0x7fffff) | 0x3b800000
                             : matrix.scale.isF16() ? (pattern & 0x3ff) | 0x1c00
                                                    : (pattern & 0x7f) | 0x3b80);
    }
    return matrix;
  }

  BilevelAttr getAttr() const {
    return BilevelAttr::get(scale.getContext(), bits, group, scaleBits, scaleGroup, scale);
  }
  int64_t getGroups() const { return (columns + group - 1) / group; }
  int64_t getOuterGroups() const { return (getGroups() + scaleGroup - 1) / scaleGroup; }
  double getScale(int64_t row, int64_t column) const {
    int64_t inRow = column / group;
    int64_t outer = row * getOuterGroups() + inRow / scaleGroup;
    return (scales[row * getGroups() + inRow] + offsets[outer]) * decodeFloat(steps[outer], scale);
  }
  double getValue(int64_t row, int64_t column) const {
    double code = codes[row * columns + column];
    return (code - zeros[row * getGroups() + column / group]) * getScale(row, column);
  }
  double getMagnitude(int64_t row, int64_t column) const {
    return std::ldexp(1, static_cast<int>(bits)) * getScale(row, column);
  }

  std::vector<uint8_t> getCanonicalForm() const {
    std::vector<uint8_t> bytes;
    auto fill = [&] { bytes.resize((bytes.size() + 63) / 64 * 64); };
    // Rows of integers, each of whole bytes.
    auto write = [&](int64_t count, unsigned width, auto integer) {
      fill();
      for (int64_t row = 0; row < rows; ++row) {
        size_t begin = bytes.size();
        bytes.resize(begin + (count * width + 7) / 8);
        for (int64_t bit = 0; bit < count * width; ++bit)
          bytes[begin + bit / 8] |= (integer(row * count + bit / width) >> bit % width & 1u)
                                    << bit % 8;
      }
    };
    write(columns, bits, [&](int64_t i) { return codes[i]; });
    write(getGroups(), bits + scaleBits,
          [&](int64_t i) { return scales[i] | zeros[i] << scaleBits; });
    write(getOuterGroups(), scale.getIntOrFloatBitWidth(), [&](int64_t i) { return steps[i]; });
    write(getOuterGroups(), 8, [&](int64_t i) { return offsets[i]; });
    return bytes;
  }
};

} // namespace llmc::test

#endif // LLMC_TEST_UNIT_DIALECT_BILEVELTESTSUPPORT_H
