//===- Weight.h - weights of the file, and numbers computed from them ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_WEIGHT_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_WEIGHT_H

#include "Raise/Dequantized.h"

namespace llmc {

/// Weights in blocks of integers, as MatMulNBits and GatherBlockQuantized store them.
struct BlockQuantized {
  unsigned bits;
  int64_t block;
  int64_t rows, columns;
  ConstantView codes;                ///< bytes, row by row, low bits first, blocks padded
  ConstantView scales;               ///< rows × blocks
  std::optional<ConstantView> zeros; ///< packed like the codes, a byte each, or numbers
  bool packedZeros = true;
};

/// A weight of the model: a part of the file, quantized blocks, or numbers computed from constants.
struct Weight {
  ConstantView view; ///< out × in, or a vector
  std::shared_ptr<const BlockQuantized> quantized;
  int64_t begin = 0, count = 0; ///< rows taken of `quantized`
  std::optional<Dequantized> dequantized;
  /// Rows of these integers in an order of their own; null: as they are.
  std::shared_ptr<const std::vector<int64_t>> order;
  std::shared_ptr<const std::vector<double>> values;
  mlir::Type element; ///< that `values` are kept in; null: fp32
  llvm::SmallVector<int64_t> shape;

  /// Rows `start`, `start + step` …, `size` of them; nothing where that can't be had.
  std::optional<Weight> takeRows(int64_t start, int64_t size, int64_t step) const;
  /// Rows in any order, copied; nothing where the bytes can't be read.
  std::optional<Weight> gatherRows(llvm::ArrayRef<int64_t> rows) const;
  /// Each row (or element of a vector) times a factor, computed; nothing where that would lose an
  /// encoding or the bytes can't be read.
  std::optional<Weight> scaleRows(llvm::ArrayRef<double> factors) const;
  /// Rows and columns swapped; not of quantized blocks, nor of integers in an order of their own.
  Weight transpose() const;
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_WEIGHT_H
