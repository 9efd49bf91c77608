//===- NF4TestSupport.h - matrices of #llmc.nf4 made by hand ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Codes and scales as plain arrays, and a writer of the canonical form that shares no code with the
// dialect: it follows the words of NF4Attr.td.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TEST_UNIT_DIALECT_NF4TESTSUPPORT_H
#define LLMC_TEST_UNIT_DIALECT_NF4TESTSUPPORT_H

#include "EncodingTestSupport.h"

#include "mlir/IR/Builders.h"

#include <random>
#include <vector>

namespace llmc::test {

struct NF4Matrix {
  int64_t group; ///< or GroupedAttr::channelGroup
  mlir::Type scale;
  int64_t rows, columns;
  std::vector<unsigned> codes;  ///< [rows, columns]
  std::vector<uint32_t> scales; ///< bit patterns, [rows, groups]

  /// Every code is possible; scales of both signs, of magnitudes from 2^-8 to 2^-7.
  static NF4Matrix random(int64_t group, mlir::Type scale, int64_t rows, int64_t columns,
                          uint64_t seed) {
    std::mt19937_64 random(seed);
    NF4Matrix matrix{group, scale, rows, columns, {}, {}};
    for (int64_t i = 0; i < rows * columns; ++i)
      matrix.codes.push_back(random() % 16);
    for (int64_t i = 0; i < rows * matrix.getGroups(); ++i) {
      auto bits = static_cast<uint32_t>(random());
      matrix.scales.push_back(scale.isF32()   ? (bits & 0x807fffff) | 0x3b800000
                              : scale.isF16() ? (bits & 0x83ff) | 0x1c00
                                              : (bits & 0x807f) | 0x3b80);
    }
    return matrix;
  }

  NF4Attr getAttr() const { return NF4Attr::get(scale.getContext(), group, scale); }
  int64_t getGroups() const { return group == 0 ? 1 : (columns + group - 1) / group; }
  double getScale(int64_t row, int64_t column) const {
    return decodeFloat(scales[row * getGroups() + (group == 0 ? 0 : column / group)], scale);
  }
  double getValue(int64_t row, int64_t column) const {
    // The numbers as the paper has them.
    static const float numbers[] = {-1.0,
                                    -0.6961928009986877,
                                    -0.5250730514526367,
                                    -0.39491748809814453,
                                    -0.28444138169288635,
                                    -0.18477343022823334,
                                    -0.09105003625154495,
                                    0.0,
                                    0.07958029955625534,
                                    0.16093020141124725,
                                    0.24611230194568634,
                                    0.33791524171829224,
                                    0.44070982933044434,
                                    0.5626170039176941,
                                    0.7229568362236023,
                                    1.0};
    return numbers[codes[row * columns + column]] * getScale(row, column);
  }
  std::vector<uint8_t> getCanonicalForm() const {
    std::vector<uint8_t> bytes;
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t column = 0; column < columns; ++column) {
        unsigned code = codes[row * columns + column];
        if (column % 2 == 0)
          bytes.push_back(code);
        else
          bytes.back() |= code << 4;
      }
    bytes.resize((bytes.size() + 63) / 64 * 64);
    for (uint32_t number : scales)
      for (unsigned i = 0; i < scale.getIntOrFloatBitWidth() / 8; ++i)
        bytes.push_back(number >> (8 * i) & 0xff);
    return bytes;
  }
};

} // namespace llmc::test

#endif // LLMC_TEST_UNIT_DIALECT_NF4TESTSUPPORT_H
