//===- OutliersTestSupport.h - matrices with lists of outliers made by hand ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TEST_UNIT_DIALECT_OUTLIERSTESTSUPPORT_H
#define LLMC_TEST_UNIT_DIALECT_OUTLIERSTESTSUPPORT_H

#include "EncodingTestSupport.h"

#include <cstring>
#include <random>
#include <vector>

namespace llmc::test {

/// Any matrix made by hand, and what is listed beside it. Numbers are multiples of 2^-10 below 1.
template <typename Matrix>
struct OutliersMatrix {
  Matrix whole;
  int64_t count;
  mlir::Type element;
  int64_t rows, columns;
  std::vector<unsigned> positions; ///< [rows, count]
  std::vector<int> numbers;        ///< in units of 2^-10

  /// Columns in any order; some twice, the last one, and one that there is none of.
  static OutliersMatrix random(Matrix whole, int64_t count, mlir::Type element, uint64_t seed) {
    std::mt19937_64 random(seed);
    OutliersMatrix matrix{std::move(whole), count, element, 0, 0, {}, {}};
    matrix.rows = matrix.whole.rows;
    matrix.columns = matrix.whole.columns;
    for (int64_t i = 0; i < matrix.rows * count; ++i) {
      auto column = static_cast<unsigned>(random() % matrix.columns);
      if (i % 7 == 3)
        column = static_cast<unsigned>(matrix.columns - 1);
      else if (i % 7 == 5)
        column = i % 2 == 0 ? 65535 : static_cast<unsigned>(matrix.columns);
      matrix.positions.push_back(column);
      matrix.numbers.push_back(8 * (static_cast<int>(random() % 255) - 127));
    }
    return matrix;
  }

  OutliersAttr getAttr() const {
    return OutliersAttr::get(element.getContext(), count, element, whole.getAttr());
  }
  double getListed(int64_t row, int64_t column) const {
    double sum = 0;
    for (int64_t i = row * count; i < (row + 1) * count; ++i)
      if (positions[i] == static_cast<uint64_t>(column))
        sum += numbers[i] / 1024.0;
    return sum;
  }
  double getValue(int64_t row, int64_t column) const {
    return whole.getValue(row, column) + getListed(row, column);
  }

  std::vector<uint8_t> getCanonicalForm() const {
    std::vector<uint8_t> bytes = whole.getCanonicalForm();
    auto fill = [&] { bytes.resize((bytes.size() + 63) / 64 * 64); };
    fill();
    for (unsigned position : positions)
      for (unsigned i = 0; i < 2; ++i)
        bytes.push_back(position >> (8 * i) & 0xff);
    fill();
    for (int number : numbers) {
      // Of f32, or its upper half, which holds seven bits exactly.
      auto value = static_cast<float>(number) / 1024;
      uint32_t pattern;
      std::memcpy(&pattern, &value, 4);
      unsigned size = element.getIntOrFloatBitWidth() / 8;
      for (unsigned i = 4 - size; i < 4; ++i)
        bytes.push_back(pattern >> (8 * i) & 0xff);
    }
    return bytes;
  }
};

} // namespace llmc::test

#endif // LLMC_TEST_UNIT_DIALECT_OUTLIERSTESTSUPPORT_H
