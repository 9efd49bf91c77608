//===- GridSearch.cpp - grids that lose least ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GridKernels.h"
#include "llmc/Support/HostVariant.h"
#include "llmc/Transforms/Quantization/Grid.h"

#include <limits>

using namespace mlir;
using namespace llmc;

const GridKernels &llmc::getGridKernels() {
#if defined(__x86_64__)
  switch (getHostVariant()) {
  case HostVariant::AVX512:
    return gridKernels_avx512;
  case HostVariant::AVX2:
    return gridKernels_avx2;
  case HostVariant::Baseline:
    break;
  }
#endif
  return gridKernels_baseline;
}

namespace {

/// A grid on its way: its numbers are not yet those of the encoding's types.
struct ScaleCandidate {
  double scale = 0, minimum = 0;
  int zero = 0; ///< the code that stands for the minimum
};

/// The search of one group.
class GridSearch {
public:
  GridSearch(GroupedAttr encoding, ArrayRef<float> weights, ArrayRef<float> importance)
      : encoding(encoding), weights(weights), importance(importance),
        last((1 << encoding.getBits()) - 1), hasMinimum(encoding.getZero() == ZeroPoint::Float),
        sumKernel(hasMinimum ? getGridKernels().addSumsWithMinimum : getGridKernels().addSums) {
    if (hasMinimum)
      for (float value : importance)
        totalImportance += value;
  }

  Grid run() {
    Grid plain = fitGrid(encoding, weights);
    auto [low, high] = getRange(encoding, weights);
    // There is nothing to choose, or nothing that fits.
    if (low == high || plain.scale == 0 || !std::isfinite(plain.scale))
      return plain;
    addStarts(low, high);
    if (!(bestError < std::numeric_limits<double>::infinity()))
      return plain;
    refine();
    Grid found = toGrid(best);
    return getSquaredError(found, weights, importance) < getSquaredError(plain, weights, importance)
               ? found
               : plain;
  }

private:
  /// Ranges from a little more than that of the weights, in equal ratios, to where only weights far
  /// beyond the others are left inside.
  void addStarts(double low, double high) {
    constexpr int starts = 32;
    constexpr double least = 0.18;
    // From where the shorter side of a grid without a zero point covers all.
    double kept = (last + 1.0) / std::max(last - 1.0, 1.0);
    double ratio = std::pow(least / kept, 1.0 / (starts - 1));
    for (int start = 0; start < starts; ++start, kept *= ratio)
      addStart(kept, low, high);
    flush();
  }

  void addStart(double kept, double low, double high) {
    if (encoding.getZero() == ZeroPoint::None) {
      int zero = (last + 1) / 2;
      double scale = kept * std::max(high, -low) / zero;
      add({scale, 0, zero});
      add({-scale, 0, zero});
      return;
    }
    double scale = kept * (high - low) / last;
    if (hasMinimum) {
      double middle = low + (high - low) / 2;
      add({scale, middle + kept * (low - middle), 0});
      return;
    }
    int zero = static_cast<int>(std::clamp(std::floor(-kept * low / scale), 0.0, double(last)));
    add({scale, 0, zero});
    add({scale, 0, std::min(zero + 1, last)});
  }

  /// Tries scales near the best one's, the middle of its grid kept, until neighbours give nearly
  /// the same codes.
  void refine() {
    constexpr double narrowing = static_cast<double>(gridLanes) / 2;
    for (double reach = 0.06, step = 1; step > 0.25; reach /= narrowing) {
      step = reach * (last + 1) / gridLanes; // of the ends of neighbours' grids
      ScaleCandidate center = best;
      double middle = center.minimum + center.scale * last / 2;
      for (int lane = 0; lane < gridLanes; ++lane) {
        double scale = center.scale * (1 + reach * (2.0 * lane / (gridLanes - 1) - 1));
        add({scale, hasMinimum ? middle - scale * last / 2 : 0.0, center.zero});
      }
      flush();
    }
  }

  void add(const ScaleCandidate &candidate) {
    pending[pendingCount++] = candidate;
    if (pendingCount == gridLanes)
      flush();
  }

  /// Tries the pending candidates, each with the best scale and minimum for the codes that it
  /// gives.
  void flush() {
    if (pendingCount == 0)
      return;
    GridSums sums = measure();
    for (int lane = 0; lane < pendingCount; ++lane)
      improve(pending[lane], sums, lane);
    pendingCount = 0;
  }

  GridSums measure() const {
    GridCandidates lanes;
    for (int lane = 0; lane < gridLanes; ++lane) {
      // Lanes without a candidate repeat the last one.
      const ScaleCandidate &candidate = pending[std::min(lane, pendingCount - 1)];
      lanes.scale[lane] = static_cast<float>(candidate.scale);
      lanes.inverse[lane] = static_cast<float>(1 / candidate.scale);
      lanes.minimum[lane] = static_cast<float>(candidate.minimum);
      lanes.low[lane] = static_cast<float>(-candidate.zero);
      lanes.high[lane] = static_cast<float>(last - candidate.zero);
    }
    GridSums sums = {};
    sumKernel(weights.data(), importance.data(), static_cast<long>(weights.size()), lanes, sums);
    return sums;
  }

  /// Least squares: the changes of scale and minimum that lose least with the same codes.
  void improve(ScaleCandidate candidate, const GridSums &sums, int lane) {
    double codes = sums.codes[lane], product = sums.product[lane], lost = sums.errors[lane];
    if (!hasMinimum) {
      double change = codes > 0 ? product / codes : 0;
      candidate.scale += change;
      keep(candidate, lost - change * product);
      return;
    }
    double code = sums.code[lane], error = sums.error[lane];
    double determinant = codes * totalImportance - code * code;
    if (!(determinant > 1e-6 * codes * totalImportance))
      return keep(candidate, lost);
    double change = (product * totalImportance - code * error) / determinant;
    double shift = (codes * error - code * product) / determinant;
    candidate.scale += change;
    candidate.minimum += shift;
    keep(candidate, lost - change * product - shift * error);
  }

  /// What is no number loses to everything. Only grids without a zero point have two directions.
  void keep(const ScaleCandidate &candidate, double error) {
    bool possible =
        encoding.getZero() == ZeroPoint::None ? candidate.scale != 0 : candidate.scale > 0;
    if (!possible || !(error < bestError))
      return;
    best = candidate;
    bestError = error;
  }

  Grid toGrid(const ScaleCandidate &candidate) const {
    Grid grid;
    grid.last = last;
    grid.zero = candidate.zero;
    grid.scale = roundToType(encoding.getScale(), static_cast<float>(candidate.scale));
    grid.minimum = roundToType(encoding.getScale(), static_cast<float>(candidate.minimum));
    return grid;
  }

  GroupedAttr encoding;
  ArrayRef<float> weights, importance;
  int last; ///< the largest code
  bool hasMinimum;
  decltype(GridKernels::addSums) sumKernel;
  double totalImportance = 0;
  ScaleCandidate pending[gridLanes];
  int pendingCount = 0;
  ScaleCandidate best;
  double bestError = std::numeric_limits<double>::infinity();
};

} // namespace

Grid llmc::searchGrid(GroupedAttr encoding, ArrayRef<float> weights, ArrayRef<float> importance) {
  return GridSearch(encoding, weights, importance).run();
}
