//===- Grid.cpp - the numbers that a group of weights is rounded to ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Quantization/Grid.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace llmc;

WeightRange llmc::getRange(GroupedAttr encoding, ArrayRef<float> weights) {
  auto [low, high] = std::minmax_element(weights.begin(), weights.end());
  if (encoding.getZero() == ZeroPoint::Float)
    return {*low, *high};
  return {std::min(*low, 0.0f), std::max(*high, 0.0f)};
}

double llmc::getSquaredError(const Grid &grid, ArrayRef<float> weights,
                             ArrayRef<float> importance) {
  double sum = 0;
  for (auto [index, weight] : llvm::enumerate(weights)) {
    double error = static_cast<double>(grid.decode(grid.encode(weight))) - weight;
    sum += (importance.empty() ? 1.0f : importance[index]) * error * error;
  }
  return sum;
}

/// Without a zero point there is one more number on the negative side of the codes: the larger end
/// of the range goes there, with its sign in the scale; or that number is left out, so that the
/// grid is the same on both sides. What loses less in squares.
static Grid fitSymmetricGrid(GroupedAttr encoding, ArrayRef<float> weights, float extreme) {
  auto makeGrid = [&](int steps) {
    Grid grid;
    grid.last = (1u << encoding.getBits()) - 1;
    grid.zero = 1 << (encoding.getBits() - 1);
    grid.scale = roundToType(encoding.getScale(), -extreme / static_cast<float>(steps));
    return grid;
  };
  int half = 1 << (encoding.getBits() - 1);
  Grid all = makeGrid(half), even = makeGrid(half - 1);
  // A scale that can't be held is reported by whoever stores the grid.
  return getSquaredError(even, weights) < getSquaredError(all, weights) ? even : all;
}

Grid llmc::fitGrid(GroupedAttr encoding, ArrayRef<float> weights) {
  auto [low, high] = getRange(encoding, weights);
  if (encoding.getZero() == ZeroPoint::None)
    return fitSymmetricGrid(encoding, weights, high > -low ? high : low);
  Grid grid;
  grid.last = (1u << encoding.getBits()) - 1;
  grid.scale = roundToType(encoding.getScale(), (high - low) / static_cast<float>(grid.last));
  if (encoding.getZero() == ZeroPoint::Float)
    grid.minimum = roundToType(encoding.getScale(), low);
  else if (grid.scale > 0)
    grid.zero = static_cast<int>(
        std::clamp(std::nearbyint(-low / grid.scale), 0.0f, static_cast<float>(grid.last)));
  return grid;
}

GroupedMatrix::GroupedMatrix(GroupedAttr encoding, ArrayRef<int64_t> shape)
    : encoding(encoding), form(CanonicalForm::get(encoding, shape)), bytes(form.size) {}

void GroupedMatrix::setGrid(int64_t row, int64_t group, const Grid &grid) {
  form[GroupedAttr::scales].write(bytes.data(), row, group, grid.scale);
  if (encoding.getZero() == ZeroPoint::Integer)
    form[GroupedAttr::zeros].write(bytes.data(), row, group, static_cast<unsigned>(grid.zero));
  else if (encoding.getZero() == ZeroPoint::Float)
    form[GroupedAttr::zeros].write(bytes.data(), row, group, grid.minimum);
}

void GroupedMatrix::setCode(int64_t row, int64_t column, unsigned code) {
  form[GroupedAttr::codes].write(bytes.data(), row, column, code);
}
