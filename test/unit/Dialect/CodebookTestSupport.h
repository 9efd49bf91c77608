//===- CodebookTestSupport.h - matrices of #llmc.codebook made by hand ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Codes, tables and scales as plain arrays, and a writer of the canonical form that shares no code
// with the dialect: it follows the words of CodebookAttr.td, bit by bit.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TEST_UNIT_DIALECT_CODEBOOKTESTSUPPORT_H
#define LLMC_TEST_UNIT_DIALECT_CODEBOOKTESTSUPPORT_H

#include "EncodingTestSupport.h"

#include "mlir/IR/Builders.h"

#include <random>
#include <vector>

namespace llmc::test {

struct CodebookMatrix {
  unsigned bits;
  int64_t sharing; ///< rows that share a table, or CodebookAttr::allRows
  mlir::Type scale;
  int64_t rows, columns;
  std::vector<unsigned> codes;  ///< [rows, columns]
  std::vector<uint8_t> tables;  ///< [tables, 2^bits]
  std::vector<uint32_t> scales; ///< bit patterns, [rows]

  /// Every code and every number is possible; scales of both signs, of magnitudes from 2^-8 to
  /// 2^-7.
  static CodebookMatrix random(unsigned bits, int64_t sharing, mlir::Type scale, int64_t rows,
                               int64_t columns, uint64_t seed) {
    std::mt19937_64 random(seed);
    CodebookMatrix matrix{bits, sharing, scale, rows, columns, {}, {}, {}};
    for (int64_t i = 0; i < rows * columns; ++i)
      matrix.codes.push_back(random() % (1u << bits));
    int64_t tables = sharing == 0 ? 1 : (rows + sharing - 1) / sharing;
    for (int64_t i = 0; i < tables << bits; ++i)
      matrix.tables.push_back(static_cast<uint8_t>(random()));
    for (int64_t i = 0; i < rows; ++i) {
      auto pattern = static_cast<uint32_t>(random());
      matrix.scales.push_back(scale.isF32()   ? (pattern & 0x807fffff) | 0x3b800000
                              : scale.isF16() ? (pattern & 0x83ff) | 0x1c00
                                              : (pattern & 0x807f) | 0x3b80);
    }
    return matrix;
  }

  CodebookAttr getAttr() const {
    return CodebookAttr::get(scale.getContext(), bits, sharing, scale);
  }
  double getScale(int64_t row) const { return decodeFloat(scales[row], scale); }
  double getValue(int64_t row, int64_t column) const {
    int64_t table = sharing == 0 ? 0 : row / sharing;
    return (tables[(table << bits) + codes[row * columns + column]] - 128) * getScale(row);
  }
  std::vector<uint8_t> getCanonicalForm() const {
    std::vector<uint8_t> bytes;
    auto align = [&] { bytes.resize((bytes.size() + 63) / 64 * 64); };
    for (int64_t row = 0; row < rows; ++row) {
      int64_t place = 0;
      for (int64_t column = 0; column < columns; ++column)
        for (unsigned bit = 0; bit < bits; ++bit, ++place) {
          if (place % 8 == 0)
            bytes.push_back(0);
          bytes.back() |= (codes[row * columns + column] >> bit & 1) << place % 8;
        }
    }
    align();
    bytes.insert(bytes.end(), tables.begin(), tables.end());
    align();
    for (uint32_t number : scales)
      for (unsigned i = 0; i < scale.getIntOrFloatBitWidth() / 8; ++i)
        bytes.push_back(number >> (8 * i) & 0xff);
    return bytes;
  }
};

} // namespace llmc::test

#endif // LLMC_TEST_UNIT_DIALECT_CODEBOOKTESTSUPPORT_H
