//===- TrellisTestSupport.h - matrices of #llmc.trellis made by hand ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Codes, a table and scales as plain arrays, and a writer of the canonical form that shares no code
// with the dialect: it follows the words of TrellisAttr.td, bit by bit.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TEST_UNIT_DIALECT_TRELLISTESTSUPPORT_H
#define LLMC_TEST_UNIT_DIALECT_TRELLISTESTSUPPORT_H

#include "EncodingTestSupport.h"

#include "mlir/IR/Builders.h"

#include <random>
#include <vector>

namespace llmc::test {

struct TrellisMatrix {
  unsigned halves; ///< half bits of a weight on the mean
  mlir::Type scale;
  int64_t rows, columns;
  std::vector<unsigned> codes;  ///< [rows, columns]
  std::vector<uint8_t> table;   ///< [256]
  std::vector<uint32_t> scales; ///< bit patterns, [rows]

  /// Every code and every number is possible; scales of both signs, of magnitudes from 2^-8 to
  /// 2^-7.
  static TrellisMatrix random(unsigned halves, mlir::Type scale, int64_t rows, int64_t columns,
                              uint64_t seed) {
    std::mt19937_64 random(seed);
    TrellisMatrix matrix{halves, scale, rows, columns, {}, {}, {}};
    for (int64_t i = 0; i < rows * columns; ++i)
      matrix.codes.push_back(random() % (1u << matrix.getBits(i % columns)));
    for (int i = 0; i < 256; ++i)
      matrix.table.push_back(static_cast<uint8_t>(random()));
    for (int64_t i = 0; i < rows; ++i) {
      auto pattern = static_cast<uint32_t>(random());
      matrix.scales.push_back(scale.isF32()   ? (pattern & 0x807fffff) | 0x3b800000
                              : scale.isF16() ? (pattern & 0x83ff) | 0x1c00
                                              : (pattern & 0x807f) | 0x3b80);
    }
    return matrix;
  }

  TrellisAttr getAttr() const {
    return TrellisAttr::get(scale.getContext(), halves / 2, halves % 2 == 1, scale);
  }
  /// Of the weights in a column.
  unsigned getBits(int64_t column) const {
    return halves / 2 + (halves % 2 == 1 && column % 2 == 1 ? 1 : 0);
  }
  double getScale(int64_t row) const { return decodeFloat(scales[row], scale); }

  /// The bits of a row one after the other, eight zeros before them.
  std::vector<bool> getStream(int64_t row) const {
    std::vector<bool> stream(8);
    for (int64_t column = 0; column < columns; ++column)
      for (unsigned bit = 0; bit < getBits(column); ++bit)
        stream.push_back(codes[row * columns + column] >> bit & 1);
    return stream;
  }
  double getValue(int64_t row, int64_t column) const {
    std::vector<bool> stream = getStream(row);
    unsigned window = 0, end = 0;
    for (int64_t each = 0; each <= column; ++each)
      end += getBits(each);
    for (int bit = 0; bit < 8; ++bit)
      window |= static_cast<unsigned>(stream[end + bit]) << bit;
    return (table[window] - 128) * getScale(row);
  }
  std::vector<uint8_t> getCanonicalForm() const {
    std::vector<uint8_t> bytes;
    auto align = [&] { bytes.resize((bytes.size() + 63) / 64 * 64); };
    for (int64_t row = 0; row < rows; ++row) {
      std::vector<bool> stream = getStream(row);
      for (size_t bit = 8; bit < stream.size(); ++bit) {
        if (bit % 8 == 0)
          bytes.push_back(0);
        bytes.back() |= stream[bit] << bit % 8;
      }
    }
    align();
    bytes.insert(bytes.end(), table.begin(), table.end());
    align();
    for (uint32_t number : scales)
      for (unsigned i = 0; i < scale.getIntOrFloatBitWidth() / 8; ++i)
        bytes.push_back(number >> (8 * i) & 0xff);
    return bytes;
  }
};

} // namespace llmc::test

#endif // LLMC_TEST_UNIT_DIALECT_TRELLISTESTSUPPORT_H
