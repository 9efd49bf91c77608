//===- ScaleSearch.h - the scale with which a group loses least ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_TRANSFORMS_QUANTIZATION_SCALESEARCH_H
#define LLMC_LIB_TRANSFORMS_QUANTIZATION_SCALESEARCH_H

#include "mlir/Support/LLVM.h"

#include <cmath>

namespace llmc {

/// Looks for the scale of a group with the least Σ h·(w − w')², never worse than the one it starts
/// with. `nearest(position)` is the format's number that is nearest to a weight divided by its
/// scale; `store(scale)` the scale that can be stored.
template <typename Nearest, typename Store>
class ScaleSearch {
public:
  ScaleSearch(llvm::ArrayRef<float> weights, llvm::ArrayRef<float> importance, Nearest nearest,
              Store store)
      : weights(weights), importance(importance), nearest(nearest), store(store) {}

  void start(float scale) {
    take(scale);
    from = scale;
  }

  /// Goes on from `scale` where the codes that it gives are the best, with a scale of their own.
  void tryScale(float scale) {
    if (double gain = fit(scale).getGain(); gain > most) {
      most = gain;
      from = scale;
    }
  }

  float finish() {
    // The scale that is best for the codes of the last one, again and again.
    for (int step = 0; step < 3; ++step) {
      from = store(fit(from).getScale(from));
      take(from);
    }
    return best;
  }

private:
  /// What least squares need for the codes that a scale gives.
  struct Sums {
    double products = 0, squares = 0;

    /// What the best scale for the codes takes off Σ h·w².
    double getGain() const { return squares > 0 ? products * products / squares : 0; }
    float getScale(float otherwise) const {
      return squares > 0 ? static_cast<float>(products / squares) : otherwise;
    }
  };

  double getImportance(size_t index) const { return importance.empty() ? 1.0 : importance[index]; }
  double getNumber(size_t index, float scale) const {
    return nearest(scale == 0 ? 0 : weights[index] / scale);
  }

  Sums fit(float scale) const {
    Sums sums;
    for (size_t index = 0; index < weights.size(); ++index) {
      double number = getNumber(index, scale);
      double weighted = getImportance(index) * number;
      sums.products += weighted * weights[index];
      sums.squares += weighted * number;
    }
    return sums;
  }

  void take(float scale) {
    double error = 0;
    for (size_t index = 0; index < weights.size(); ++index) {
      double difference = weights[index] - getNumber(index, scale) * scale;
      error += getImportance(index) * difference * difference;
    }
    if (error < least) {
      least = error;
      best = scale;
    }
  }

  llvm::ArrayRef<float> weights, importance;
  Nearest nearest;
  Store store;
  float from = 0;
  double most = 0;
  float best = INFINITY; ///< where no scale gives a finite error
  double least = INFINITY;
};

} // namespace llmc

#endif // LLMC_LIB_TRANSFORMS_QUANTIZATION_SCALESEARCH_H
