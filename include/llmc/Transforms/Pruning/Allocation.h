//===- Allocation.h - how many weights each matrix loses ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_PRUNING_ALLOCATION_H
#define LLMC_TRANSFORMS_PRUNING_ALLOCATION_H

#include "llmc/Calibration/Calibration.h"
#include "llmc/Transforms/Pruning/Pattern.h"
#include "llmc/Transforms/Pruning/StructureOptions.h"

#include "llvm/ADT/DenseMap.h"

namespace llmc {

/// Scores of a matrix' weights, none negative, by their size: as many bins as a float has values of
/// its first 16 bits, so that the scores of a bin are within 1 % of each other.
class ScoreHistogram {
public:
  void add(float score);
  int64_t getCount() const { return count; }
  double getSum() const { return sum; }
  /// How many scores are in the bins before that of `score`, and of its own the share that is below
  /// it where all lie evenly.
  double countBelow(double score) const;

private:
  std::vector<uint32_t> bins;
  int64_t count = 0;
  double sum = 0;
};

/// The share of each matrix that is below one threshold, which is chosen such that `sparsity` of
/// all weights are; at most 0.99.
std::vector<double> allocateGlobally(llvm::ArrayRef<ScoreHistogram> matrices, double sparsity);

/// The share that each matrix loses by the outliers of its layer (Yin et al. 2024, "Outlier weighed
/// layerwise sparsity (OWL)", section 3.2): with D the share of a layer's scores above 5 times
/// their mean, 1 − share rises with D by at most 0.16 from layer to layer; of all weights
/// `sparsity` go, at most 0.99 of each matrix. `layers` says which each matrix is of.
std::vector<double> allocateByOutliers(llvm::ArrayRef<ScoreHistogram> matrices,
                                       llvm::ArrayRef<int64_t> layers, double sparsity);

/// The pattern of each matrix.
class PatternAllocation {
public:
  PatternAllocation() = default;
  PatternAllocation(PruningPattern pattern) : common(pattern) {}

  const PruningPattern &get(ParameterOp parameter) const {
    auto found = others.find(parameter);
    return found == others.end() ? common : found->second;
  }

  /// Spreads the sparsity of a pattern over `weights`. Where `calibration` is given, scores are
  /// |w|·‖x‖ of the model as it is, which is run; else |w|. Reports what can't be.
  static mlir::FailureOr<PatternAllocation>
  spread(mlir::ModuleOp module, llvm::ArrayRef<SelectedWeight> weights, PruningPattern pattern,
         SparsityAllocation allocation, const CalibrationOptions *calibration);

private:
  PruningPattern common;
  llvm::DenseMap<mlir::Operation *, PruningPattern> others;
};

} // namespace llmc

#endif // LLMC_TRANSFORMS_PRUNING_ALLOCATION_H
