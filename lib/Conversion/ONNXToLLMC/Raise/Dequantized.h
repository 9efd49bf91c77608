//===- Dequantized.h - weights that DequantizeLinear gives ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_DEQUANTIZED_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_DEQUANTIZED_H

#include "Evaluate/HostTensor.h"

#include "llmc/Dialect/LLMC/IR/LLMC.h"

namespace llmc {

/// A matrix of (code − zero) · scale. Element (r, c) has scale and zero (r / rowBlock,
/// c / columnBlock), whose views repeat by strides of 0.
struct Dequantized {
  ConstantView codes; ///< integers or floats of up to 8 bits, rows × columns
  ConstantView scales;
  std::optional<ConstantView> zeros;  ///< 0 where there are none
  std::optional<ConstantView> matrix; ///< one number that all scales are multiplied by
  int64_t rowBlock = 1, columnBlock = 1;

  /// As the operator says it: one scale in all, one per place of `axis`, or (block > 0) one per
  /// `block` places of it. Nothing where the shapes don't fit or the types are others.
  static std::optional<Dequantized> get(ConstantView codes, ConstantView scales,
                                        std::optional<ConstantView> zeros, int64_t axis,
                                        int64_t block,
                                        std::optional<ConstantView> matrix = std::nullopt);
  Dequantized transpose() const;
  /// As Weight::takeRows; the rows must not share scales in blocks.
  Dequantized takeRows(int64_t start, int64_t size, int64_t step) const;
  /// Whether codes are integers and scales shared along rows, so that #llmc.grouped holds the
  /// matrix exactly.
  bool isGrouped() const;
  /// The encoding that holds the matrix exactly where codes are floats and scales shared along
  /// rows; else null.
  SmallFloatAttr getSmallFloat() const;
  /// How many columns share a scale, as encodings say it: `channelGroup` is a row, `tensorGroup`
  /// all.
  int64_t getGroup() const;
  /// Whether one of both holds it, so that it need not be decoded.
  bool hasEncoding() const { return isGrouped() || getSmallFloat(); }
  /// The values, row by row; empty where the bytes can't be read or are too many.
  std::optional<std::vector<double>> load() const;
  /// The same of `count` rows from `begin` on, however many there are in all.
  std::optional<std::vector<double>> loadRows(int64_t begin, int64_t count) const;
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_DEQUANTIZED_H
