//===- MaskedTestSupport.h - matrices of which some weights are kept ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TEST_UNIT_DIALECT_MASKEDTESTSUPPORT_H
#define LLMC_TEST_UNIT_DIALECT_MASKEDTESTSUPPORT_H

#include "EncodingTestSupport.h"

#include <random>

namespace llmc::test {

/// A mask that keeps about `share` of the weights; rows and runs of columns that are all kept or
/// not at all are among them.
inline llvm::SmallVector<bool, 0> makeMask(int64_t rows, int64_t columns, double share,
                                           uint64_t seed) {
  std::mt19937_64 random(seed);
  std::bernoulli_distribution isKept(share);
  llvm::SmallVector<bool, 0> kept;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < columns; ++column) {
      bool whole = row % 7 == 2 || (column / 8 + row / 16) % 5 == 1;
      kept.push_back(row % 7 != 5 && (whole || isKept(random)));
    }
  return kept;
}

struct MaskedMatrix {
  GroupedMatrix whole;
  llvm::SmallVector<bool, 0> kept; ///< [rows, columns]

  static MaskedMatrix random(double share, const EncodingCase &spec, uint64_t seed) {
    return {GroupedMatrix::random(spec, seed, /*moderate=*/true),
            makeMask(spec.rows, spec.columns, share, seed + 1)};
  }

  MaskedAttr getAttr() const {
    GroupedAttr inner = whole.spec.getAttr();
    return MaskedAttr::get(inner.getContext(), llvm::count(kept, true), inner);
  }
  bool isKept(int64_t row, int64_t column) const { return kept[row * whole.spec.columns + column]; }
  double getValue(int64_t row, int64_t column) const {
    return isKept(row, column) ? whole.getValue(row, column) : 0;
  }

  std::vector<uint8_t> getCanonicalForm() const {
    int64_t columns = whole.spec.columns;
    std::vector<uint8_t> bytes;
    for (int64_t row = 0; row < whole.spec.rows; ++row) {
      size_t begin = bytes.size();
      bytes.resize(begin + (columns + 7) / 8);
      for (int64_t column = 0; column < columns; ++column)
        bytes[begin + column / 8] |= isKept(row, column) << (column % 8);
    }
    auto fill = [&] { bytes.resize((bytes.size() + 63) / 64 * 64); };
    fill();
    size_t begin = bytes.size();
    int64_t bit = 0;
    for (size_t i = 0; i < kept.size(); ++i)
      for (unsigned digit = 0; kept[i] && digit < whole.spec.bits; ++digit, ++bit) {
        bytes.resize(begin + bit / 8 + 1);
        bytes[begin + bit / 8] |= (whole.codes[i] >> digit & 1) << (bit % 8);
      }
    fill();
    // What the whole matrix has behind its codes.
    std::vector<uint8_t> dense = whole.getCanonicalForm();
    int64_t ofCodes = whole.spec.rows * ((columns * whole.spec.bits + 7) / 8);
    bytes.insert(bytes.end(), dense.begin() + (ofCodes + 63) / 64 * 64, dense.end());
    return bytes;
  }
};

} // namespace llmc::test

#endif // LLMC_TEST_UNIT_DIALECT_MASKEDTESTSUPPORT_H
