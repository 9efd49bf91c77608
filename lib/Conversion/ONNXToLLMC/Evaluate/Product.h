//===- Product.h - products with matrices that are read piece by piece ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_PRODUCT_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_PRODUCT_H

#include "Evaluate/Evaluate.h"

#include <functional>

namespace llmc {

/// The right side of a product, inner × columns, which gives some of its lines at a time: rows, or
/// columns where those are what lies together.
struct Factor {
  int64_t inner, columns;
  bool givesColumns;
  /// Writes lines `first` … `first + count` one after the other; false where they can't be read.
  std::function<bool(int64_t first, int64_t count, double *out)> read;

  int64_t getLineSize() const { return givesColumns ? inner : columns; }
};

/// A matrix of the last two axes of `tensor`, the `index`-th of them; of values or a constant.
Factor makeFactor(const HostTensor &tensor, int64_t index, bool isTransposed);

/// left (rows × inner) · right, row-major; nothing where the right side can't be read.
std::optional<std::vector<double>> multiply(llvm::ArrayRef<double> left, int64_t rows,
                                            const Factor &right);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_PRODUCT_H
