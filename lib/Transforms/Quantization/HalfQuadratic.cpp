//===- HalfQuadratic.cpp - grids whose outliers weigh little ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Quantization/Grid.h"

#include "llvm/ADT/STLExtras.h"

#include <cassert>

using namespace mlir;
using namespace llmc;

namespace {

/// The iterations of one group: an error is split into an outlier and a rest, in turns the outliers
/// that are best for a minimum and the minimum that is best for the outliers.
class Iterations {
public:
  Iterations(GroupedAttr encoding, ArrayRef<float> weights, const HalfQuadratic &constants)
      : encoding(encoding), weights(weights), constants(constants) {}

  Grid run(Grid grid) {
    Grid best = grid;
    double least = getError(grid), weight = constants.weight;
    for (int iteration = 0; iteration < constants.iterations; ++iteration) {
      grid.minimum = getMinimum(grid, weight);
      weight *= constants.growth;
      double error = getError(grid);
      if (!(error < least))
        break;
      least = error;
      best = grid;
    }
    return best;
  }

private:
  /// The mean distance of weights less their outliers from their codes' steps.
  float getMinimum(const Grid &grid, double weight) const {
    double sum = 0;
    for (float value : weights) {
      unsigned code = grid.encode(value);
      double error = static_cast<double>(value) - grid.decode(code);
      sum += value - getOutlier(error, weight) - static_cast<double>(grid.scale) * code;
    }
    return roundToType(encoding.getScale(),
                       static_cast<float>(sum / static_cast<double>(weights.size())));
  }

  /// The shrinkage operator of |·|^p (equation 5): what is left of an error beyond a threshold that
  /// is the lower the larger the error is.
  double getOutlier(double error, double weight) const {
    double magnitude = std::fabs(error);
    if (magnitude == 0)
      return 0;
    double kept = magnitude - std::pow(magnitude, constants.norm - 1) / weight;
    return kept > 0 ? std::copysign(kept, error) : 0;
  }

  /// Σ |w − w'|, by which iterations end.
  double getError(const Grid &grid) const {
    double sum = 0;
    for (float value : weights)
      sum += std::fabs(static_cast<double>(value) - grid.decode(grid.encode(value)));
    return sum;
  }

  GroupedAttr encoding;
  ArrayRef<float> weights;
  const HalfQuadratic &constants;
};

} // namespace

Grid llmc::fitHalfQuadratic(GroupedAttr encoding, ArrayRef<float> weights,
                            const HalfQuadratic &constants) {
  assert(encoding.getZero() == ZeroPoint::Float && "expected a floating-point minimum");
  Grid grid = fitGrid(encoding, weights);
  if (grid.scale == 0 || !std::isfinite(grid.scale))
    return grid;
  return Iterations(encoding, weights, constants).run(grid);
}
