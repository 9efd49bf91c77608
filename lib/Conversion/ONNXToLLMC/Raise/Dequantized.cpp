//===- Dequantized.cpp - weights that DequantizeLinear gives ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raise/Dequantized.h"
#include "Evaluate/Evaluate.h"
#include "llmc/Dialect/LLMC/IR/SmallFloat.h"

using namespace mlir;
using namespace llmc;

/// Scales or zeros as rows × columns of the blocks of a matrix of `shape`.
static std::optional<ConstantView> spread(const ConstantView &view, ArrayRef<int64_t> shape,
                                          int64_t axis, int64_t block) {
  ConstantView result = view;
  if (block > 0) {
    SmallVector<int64_t> wanted(shape);
    wanted[axis] = wanted[axis] / block + (wanted[axis] % block != 0);
    return ArrayRef(view.shape) == ArrayRef(wanted) ? std::optional(result) : std::nullopt;
  }
  result.shape.assign(shape.begin(), shape.end());
  result.strides.assign(2, 0);
  if (view.getNumElements() == 1)
    return result;
  if (view.shape.size() != 1 || view.shape[0] != shape[axis])
    return std::nullopt;
  result.strides[axis] = view.strides[0];
  return result;
}

/// Integers of up to 32 bits and floats of up to 8.
static bool isCode(Type element) {
  if (auto integer = dyn_cast<IntegerType>(element))
    return integer.getWidth() > 1 && integer.getWidth() <= 32;
  return isa<FloatType>(element) && element.getIntOrFloatBitWidth() <= 8;
}

/// Floats, powers of two, or floats of 8 bits that are multiplied by one number.
static bool isScale(Type element, bool ofMatrix) {
  return ofMatrix ? isa<Float8E4M3FNType>(element)
                  : element.isF32() || element.isF16() || element.isBF16() ||
                        isa<Float8E8M0FNUType>(element);
}

/// Zero points of floats are there for their type alone: 0.
static bool areZero(const ConstantView &zeros) {
  auto values = isa<FloatType>(zeros.element) ? zeros.load() : std::nullopt;
  return values && llvm::all_of(*values, [](double zero) { return zero == 0; });
}

std::optional<Dequantized> Dequantized::get(ConstantView codes, ConstantView scales,
                                            std::optional<ConstantView> zeros, int64_t axis,
                                            int64_t block, std::optional<ConstantView> matrix) {
  if (codes.shape.size() != 2 || !isCode(codes.element) ||
      !isScale(scales.element, matrix.has_value()) || codes.getNumElements() < 1 ||
      (zeros && zeros->element != codes.element) || block < 0 ||
      (matrix && (!matrix->element.isF32() || matrix->getNumElements() != 1)))
    return std::nullopt;
  if (zeros && areZero(*zeros))
    zeros.reset();
  axis = scales.getNumElements() == 1 && block == 0 ? 0 : normalizeAxis(axis, 2);
  if (axis < 0)
    return std::nullopt;
  std::optional<ConstantView> spreadScales = spread(scales, codes.shape, axis, block);
  std::optional<ConstantView> spreadZeros =
      zeros ? spread(*zeros, codes.shape, axis, block) : std::nullopt;
  if (!spreadScales || (zeros && !spreadZeros))
    return std::nullopt;
  Dequantized result{std::move(codes), std::move(*spreadScales), std::move(spreadZeros),
                     std::move(matrix)};
  if (block > 0)
    (axis == 0 ? result.rowBlock : result.columnBlock) = block;
  return result;
}

Dequantized Dequantized::transpose() const {
  Dequantized result = *this;
  result.codes = codes.transpose({1, 0});
  result.scales = scales.transpose({1, 0});
  if (zeros)
    result.zeros = zeros->transpose({1, 0});
  std::swap(result.rowBlock, result.columnBlock);
  return result;
}

Dequantized Dequantized::takeRows(int64_t start, int64_t size, int64_t step) const {
  Dequantized result = *this;
  result.codes = codes.slice(0, start, size, step);
  result.scales = scales.slice(0, start, size, step);
  if (zeros)
    result.zeros = zeros->slice(0, start, size, step);
  return result;
}

/// Whether scales are shared along rows.
static bool isAlongRows(const Dequantized &weight) {
  return weight.rowBlock == 1 &&
         (weight.columnBlock > 1 || weight.scales.strides[1] == 0 || weight.codes.shape[1] == 1);
}

bool Dequantized::isGrouped() const {
  auto integer = dyn_cast<IntegerType>(codes.element);
  return integer && integer.getWidth() <= 8 && isAlongRows(*this) &&
         !isa<Float8E8M0FNUType>(scales.element);
}

SmallFloatAttr Dequantized::getSmallFloat() const {
  if (!SmallFloat::get(codes.element) || zeros || !isAlongRows(*this))
    return {};
  return SmallFloatAttr::get(codes.element.getContext(), codes.element, getGroup(), scales.element,
                             matrix ? matrix->element : Type());
}

int64_t Dequantized::getGroup() const {
  if (columnBlock == 1 && scales.strides[0] == 0)
    return GroupedAttr::tensorGroup;
  const bool isRow = columnBlock == 1 || columnBlock >= codes.shape[1];
  return isRow ? GroupedAttr::channelGroup : columnBlock;
}

std::optional<std::vector<double>> Dequantized::load() const {
  if (codes.getNumElements() > maxEvaluatedElements)
    return std::nullopt;
  return loadRows(0, codes.shape[0]);
}

std::optional<std::vector<double>> Dequantized::loadRows(int64_t begin, int64_t count) const {
  int64_t width = codes.shape[1];
  auto values = codes.slice(0, begin, count).load();
  // The rows of scales that these rows share.
  int64_t first = begin / rowBlock, last = (begin + count - 1) / rowBlock;
  auto scale = scales.slice(0, first, last - first + 1).load();
  auto zero = zeros ? zeros->slice(0, first, last - first + 1).load()
                    : std::optional(std::vector<double>());
  auto factor = matrix ? matrix->load() : std::optional(std::vector<double>{1});
  if (!values || !scale || !zero || !factor)
    return std::nullopt;
  for (int64_t i = 0, size = values->size(); i < size; ++i) {
    int64_t row = (begin + i / width) / rowBlock - first;
    int64_t at = row * scales.shape[1] + i % width / columnBlock;
    (*values)[i] = ((*values)[i] - (zeros ? (*zero)[at] : 0)) * ((*scale)[at] * factor->front());
  }
  return values;
}
