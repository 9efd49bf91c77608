//===- SparseTestSupport.h - matrices of #llmc.sparse made by hand ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A whole matrix of grouped integers and which weights of it are kept, and a writer of the
// canonical form that shares no code with the dialect: it follows the words of SparseAttr.td.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TEST_UNIT_DIALECT_SPARSETESTSUPPORT_H
#define LLMC_TEST_UNIT_DIALECT_SPARSETESTSUPPORT_H

#include "EncodingTestSupport.h"

#include <algorithm>
#include <random>

namespace llmc::test {

struct SparseMatrix {
  int64_t count, of;
  GroupedMatrix whole;
  llvm::SmallVector<bool, 0> kept; ///< [rows, columns]

  static SparseMatrix random(int64_t count, int64_t of, const EncodingCase &spec, uint64_t seed) {
    SparseMatrix matrix{count, of, GroupedMatrix::random(spec, seed, /*moderate=*/true), {}};
    std::mt19937_64 random(seed + 1);
    for (int64_t first = 0; first < spec.rows * spec.columns; first += of) {
      std::vector<bool> some(of);
      std::fill_n(some.begin(), count, true);
      std::shuffle(some.begin(), some.end(), random);
      matrix.kept.append(some.begin(), some.end());
    }
    return matrix;
  }

  SparseAttr getAttr() const {
    GroupedAttr inner = whole.spec.getAttr();
    return SparseAttr::get(inner.getContext(), count, of, inner);
  }
  bool isKept(int64_t row, int64_t column) const { return kept[row * whole.spec.columns + column]; }
  double getValue(int64_t row, int64_t column) const {
    return isKept(row, column) ? whole.getValue(row, column) : 0;
  }

  std::vector<uint8_t> getCanonicalForm() const {
    int64_t bits = of == 2 ? 1 : of == 4 ? 2 : of == 8 ? 3 : 4;
    int64_t columns = whole.spec.columns, each = columns / of * count;
    std::vector<uint8_t> bytes;
    // The integers of the whole matrix, but for those that are left out.
    GroupedMatrix rest = whole;
    rest.spec.columns = each;
    rest.codes.clear();
    for (int64_t row = 0; row < whole.spec.rows; ++row) {
      size_t begin = bytes.size();
      bytes.resize(begin + (each * bits + 7) / 8);
      int64_t next = 0;
      for (int64_t column = 0; column < columns; ++column) {
        if (!isKept(row, column))
          continue;
        for (int64_t bit = 0; bit < bits; ++bit, ++next)
          if (column % of >> bit & 1)
            bytes[begin + next / 8] |= 1 << (next % 8);
        rest.codes.push_back(whole.codes[row * columns + column]);
      }
    }
    bytes.resize((bytes.size() + 63) / 64 * 64);
    std::vector<uint8_t> others = rest.getCanonicalForm();
    bytes.insert(bytes.end(), others.begin(), others.end());
    return bytes;
  }
};

} // namespace llmc::test

#endif // LLMC_TEST_UNIT_DIALECT_SPARSETESTSUPPORT_H
