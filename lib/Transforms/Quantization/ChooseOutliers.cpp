//===- ChooseOutliers.cpp - which weights stay as they are while others are rounded ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Quantization/Grid.h"
#include "llmc/Transforms/Quantization/Outliers.h"

#include "mlir/IR/Threading.h"

#include <algorithm>
#include <numeric>

using namespace mlir;
using namespace llmc;

namespace {

/// A group of weights, of which one can be left out.
class LeaveOneOut {
public:
  LeaveOneOut(GroupedAttr encoding, ArrayRef<float> weights, ArrayRef<float> importance)
      : encoding(encoding), weights(weights), importance(importance),
        range(getRange(encoding, weights)), grid(fitGrid(encoding, weights)),
        error(getSquaredError(grid, weights, importance)) {}

  /// How much less the others lose without weight `index`, and that.
  double getGain(size_t index) const {
    // The grid is that of the others too, unless it ends there.
    float weight = weights[index];
    if (weights.size() == 1 || (weight > range.low && weight < range.high))
      return getSquaredError(grid, weight, importance[index]);
    std::vector<float> others(weights), ofOthers(importance);
    others.erase(others.begin() + static_cast<ptrdiff_t>(index));
    ofOthers.erase(ofOthers.begin() + static_cast<ptrdiff_t>(index));
    return error - getSquaredError(fitGrid(encoding, others), others, ofOthers);
  }

private:
  GroupedAttr encoding;
  ArrayRef<float> weights, importance;
  WeightRange range;
  Grid grid;
  double error;
};

} // namespace

SmallVector<bool, 0> llmc::chooseOutliers(MLIRContext *context, const WeightValues &values,
                                          GroupedAttr grid, int64_t count,
                                          ArrayRef<float> importance) {
  SmallVector<bool, 0> chosen(values.data.size(), false);
  int64_t columns = values.columns, size = grid.getGroupSize(columns);
  parallelFor(context, 0, values.rows, [&](size_t index) {
    ArrayRef<float> weights = values.row(static_cast<int64_t>(index));
    std::vector<double> gains;
    for (int64_t begin = 0; begin < columns; begin += size) {
      int64_t width = std::min(size, columns - begin);
      LeaveOneOut group(grid, weights.slice(begin, width), importance.slice(begin, width));
      for (int64_t place = 0; place < width; ++place)
        gains.push_back(group.getGain(place));
    }
    std::vector<int64_t> order(columns);
    std::iota(order.begin(), order.end(), 0);
    std::partial_sort(order.begin(), order.begin() + count, order.end(), [&](int64_t a, int64_t b) {
      return std::pair(-gains[a], a) < std::pair(-gains[b], b);
    });
    for (int64_t column : ArrayRef(order).take_front(count))
      chosen[static_cast<int64_t>(index) * columns + column] = true;
  });
  return chosen;
}
