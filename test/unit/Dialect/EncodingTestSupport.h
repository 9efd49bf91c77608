//===- EncodingTestSupport.h - grouped matrices made by hand ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Codes, scales and zero points as plain arrays, and a writer of the canonical form that shares no
// code with the dialect: it follows the words of LLMCAttrs.td.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TEST_UNIT_DIALECT_ENCODINGTESTSUPPORT_H
#define LLMC_TEST_UNIT_DIALECT_ENCODINGTESTSUPPORT_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include <cstdint>
#include <string>
#include <vector>

namespace llmc::test {

/// One way to store a matrix.
struct EncodingCase {
  unsigned bits;
  int64_t group; ///< or GroupedAttr::channelGroup, GroupedAttr::tensorGroup
  ZeroPoint zero;
  mlir::Type scale;
  int64_t rows, columns;

  GroupedAttr getAttr() const;
  /// Groups of a row.
  int64_t getGroups() const;
  std::string describe() const;
};

/// Every width, group, zero point and type of scales, on a matrix of `rows` × `columns`.
std::vector<EncodingCase> getAllCases(mlir::MLIRContext *context, int64_t rows, int64_t columns);

/// A matrix as plain arrays.
struct GroupedMatrix {
  EncodingCase spec;
  std::vector<unsigned> codes;          ///< [rows, columns]
  std::vector<uint32_t> scales, minima; ///< bit patterns, [rows, groups] or [1, 1]
  std::vector<uint8_t> zeros;           ///< [rows, groups] or [1, 1]
  std::vector<double> scaleValues, minimumValues;

  /// Random, every code value possible; the same for the same seed. Scales and minima are any
  /// numbers, or if `moderate` of magnitudes from 2^-8 to 2^-7.
  static GroupedMatrix random(const EncodingCase &spec, uint64_t seed, bool moderate = false);

  int64_t getScaleIndex(int64_t row, int64_t column) const;
  /// The exact value, in double.
  double getValue(int64_t row, int64_t column) const;
  std::vector<uint8_t> getCanonicalForm() const;
};

/// The value of a pattern of f32, f16 or bf16, from its sign, exponent and mantissa.
double decodeFloat(uint32_t bits, mlir::Type type);

} // namespace llmc::test

#endif // LLMC_TEST_UNIT_DIALECT_ENCODINGTESTSUPPORT_H
