//===- Weight.cpp - weights of the file, and numbers computed from them ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raise/Weight.h"

using namespace mlir;
using namespace llmc;

std::optional<Weight> Weight::takeRows(int64_t start, int64_t size, int64_t step) const {
  // Blocks of rows share scales, and those of MatMulNBits are taken one after the other.
  bool isApart = quantized ? step != 1 : dequantized && dequantized->rowBlock > 1;
  if (order || isApart) {
    SmallVector<int64_t> rows;
    for (int64_t i = 0; i < size; ++i)
      rows.push_back(start + i * step);
    return gatherRows(rows);
  }
  Weight result = *this;
  result.shape[0] = size;
  if (quantized) {
    result.begin = begin + start;
    result.count = size;
    return result;
  }
  if (dequantized) {
    result.dequantized = dequantized->takeRows(start, size, step);
    return result;
  }
  if (!values) {
    result.view = view.slice(0, start, size, step);
    return result;
  }
  SmallVector<int64_t> rows;
  for (int64_t i = 0; i < size; ++i)
    rows.push_back(start + i * step);
  return gatherRows(rows);
}

std::optional<Weight> Weight::gatherRows(ArrayRef<int64_t> rows) const {
  if (quantized || dequantized) {
    Weight result = *this;
    result.shape[0] = rows.size();
    std::vector<int64_t> places(rows.begin(), rows.end());
    if (order)
      for (int64_t &place : places)
        place = (*order)[place];
    result.order = std::make_shared<const std::vector<int64_t>>(std::move(places));
    return result;
  }
  std::optional<std::vector<double>> loaded = values ? *values : view.load();
  if (!loaded)
    return std::nullopt;
  Weight result;
  result.shape = shape;
  result.shape[0] = rows.size();
  int64_t width = getProduct(ArrayRef(shape).drop_front());
  std::vector<double> gathered;
  gathered.reserve(rows.size() * width);
  for (int64_t row : rows)
    gathered.insert(gathered.end(), loaded->begin() + row * width,
                    loaded->begin() + (row + 1) * width);
  result.values = std::make_shared<const std::vector<double>>(std::move(gathered));
  result.element = values ? element : view.element;
  return result;
}

std::optional<Weight> Weight::scaleRows(ArrayRef<double> factors) const {
  if (quantized || dequantized)
    return std::nullopt;
  std::optional<std::vector<double>> loaded = values ? *values : view.load();
  auto rows = static_cast<int64_t>(factors.size());
  if (!loaded || rows == 0 || rows != shape[0])
    return std::nullopt;
  auto width = static_cast<int64_t>(loaded->size()) / rows;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t i = 0; i < width; ++i)
      (*loaded)[row * width + i] *= factors[row];
  Weight result;
  result.shape = shape;
  result.values = std::make_shared<const std::vector<double>>(std::move(*loaded));
  return result;
}

Weight Weight::transpose() const {
  Weight result = *this;
  int64_t rows = shape[0], columns = shape[1];
  std::swap(result.shape[0], result.shape[1]);
  if (dequantized) {
    result.dequantized = dequantized->transpose();
    return result;
  }
  if (!values) {
    result.view = view.transpose({1, 0});
    return result;
  }
  std::vector<double> swapped(values->size());
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c)
      swapped[c * rows + r] = (*values)[r * columns + c];
  result.values = std::make_shared<const std::vector<double>>(std::move(swapped));
  return result;
}
