//===- Grid.cpp - the numbers that a group of weights is rounded to ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Quantization/Grid.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace llmc;

/// The number of the encoding's type that is nearest to `value`.
static float roundTo(Type type, float value) {
  uint8_t bytes[4];
  writeFloat(bytes, 0, type, value);
  return readFloat(bytes, 0, type);
}

/// The grid whose ends are those of a range.
static Grid makeGrid(GroupedAttr encoding, float low, float high) {
  unsigned bits = encoding.getBits();
  Grid grid;
  grid.last = (1u << bits) - 1;
  if (encoding.getZero() == ZeroPoint::None) {
    // There is one more number on the negative side of the codes: the larger end goes there, with
    // its sign in the scale.
    grid.zero = 1 << (bits - 1);
    float extreme = high > -low ? high : low;
    grid.scale = roundTo(encoding.getScale(), -extreme / static_cast<float>(grid.zero));
    return grid;
  }
  grid.scale = roundTo(encoding.getScale(), (high - low) / static_cast<float>(grid.last));
  if (encoding.getZero() == ZeroPoint::Float)
    grid.minimum = roundTo(encoding.getScale(), low);
  else if (grid.scale > 0)
    grid.zero = static_cast<int>(
        std::clamp(std::nearbyint(-low / grid.scale), 0.0f, static_cast<float>(grid.last)));
  return grid;
}

static double getError(const Grid &grid, ArrayRef<float> weights) {
  double error = 0;
  for (float weight : weights)
    error += std::pow(std::fabs(grid.decode(grid.encode(weight)) - weight), 2.4f);
  return error;
}

Grid llmc::fitGrid(GroupedAttr encoding, bool searchClip, ArrayRef<float> weights) {
  auto [least, largest] = std::minmax_element(weights.begin(), weights.end());
  float low = *least, high = *largest;
  if (encoding.getZero() != ZeroPoint::Float) {
    low = std::min(low, 0.0f);
    high = std::max(high, 0.0f);
  }
  Grid best = makeGrid(encoding, low, high);
  if (!searchClip)
    return best;
  // A range around zero shrinks to zero, any other to its middle.
  float middle = encoding.getZero() == ZeroPoint::Float ? low + (high - low) / 2 : 0.0f;
  double bestError = getError(best, weights);
  for (int step = 1; step < 80; ++step) {
    float kept = 1 - static_cast<float>(step) / 100;
    Grid grid = makeGrid(encoding, middle + kept * (low - middle), middle + kept * (high - middle));
    double error = getError(grid, weights);
    if (error < bestError) {
      best = grid;
      bestError = error;
    }
  }
  return best;
}

GroupedMatrix::GroupedMatrix(GroupedAttr encoding, ArrayRef<int64_t> shape)
    : encoding(encoding), layout(getGroupedLayout(encoding, shape)),
      groupsPerRow(encoding.getScaleShape(shape).second), bytes(layout.size) {}

void GroupedMatrix::setGrid(int64_t row, int64_t group, const Grid &grid) {
  int64_t index = row * groupsPerRow + group;
  writeFloat(bytes.data() + layout.scaleOffset, index, encoding.getScale(), grid.scale);
  if (encoding.getZero() == ZeroPoint::Integer)
    bytes[layout.zeroOffset + index] = static_cast<uint8_t>(grid.zero);
  else if (encoding.getZero() == ZeroPoint::Float)
    writeFloat(bytes.data() + layout.zeroOffset, index, encoding.getScale(), grid.minimum);
}

void GroupedMatrix::setCode(int64_t row, int64_t column, unsigned code) {
  writeCode(bytes.data() + row * layout.bytesPerRow, column, encoding.getBits(), code);
}
