//===- UnitScores.h - which channels and heads count least ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A unit is what can only be left out as a whole: a channel, or the channels of a head. An et al.
// 2024, "Fluctuation-based adaptive structured pruning for large language models" (FLAP), is where
// the scores (section 3.2, and the baselines of section 4), their standardization (section 3.3) and
// the compensation (section 3.4) come from.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_PRUNING_UNITSCORES_H
#define LLMC_TRANSFORMS_PRUNING_UNITSCORES_H

#include "llmc/Transforms/Pruning/StructureOptions.h"
#include "llmc/Transforms/Quantization/QuantizedWeight.h"

namespace llmc {

/// What is known of the inputs x of a linear, for each of them; empty where nothing is.
struct InputSpread {
  std::vector<double> mean, variance;
};

/// How much each input counts for what W·x is:
///   FLAP       Var(x_j) · ‖W_:,j‖²
///   Wanda      √(mean of x_j²) · ‖W_:,j‖₁
///   Magnitude  ‖W_:,j‖, which needs to know nothing of x
std::vector<double> scoreColumns(const WeightValues &weights, const InputSpread &inputs,
                                 UnitScore score);

/// The units of one layer.
struct ScoredUnits {
  std::vector<double> scores;
  double cost = 1;      ///< weights that go with a unit
  int64_t multiple = 1; ///< what the number of those that stay is a multiple of, if they can be

  /// How many stay at least.
  int64_t getLeast() const {
    return std::min<int64_t>(multiple, static_cast<int64_t>(scores.size()));
  }
};

/// The largest share of the weights that can be left out.
double getLargestShare(llvm::ArrayRef<ScoredUnits> layers);

/// Which units of each layer stay where `ratio` of the weights is to go: with
/// UnitAllocation::Global those are left out that are lowest in standard deviations from the mean
/// of their layer's scores, with UnitAllocation::Uniform the lowest of each layer. What stays of a
/// layer is rounded to the nearest multiple then.
std::vector<llvm::SmallVector<bool, 0>> chooseUnits(llvm::ArrayRef<ScoredUnits> layers,
                                                    double ratio, UnitAllocation allocation);

/// W·m over the columns from `begin` on that do not stay, where m is the mean of their inputs: what
/// a bias has to make up for.
std::vector<double> getCompensation(const WeightValues &weights, llvm::ArrayRef<double> mean,
                                    llvm::ArrayRef<bool> stays, int64_t begin = 0);

} // namespace llmc

#endif // LLMC_TRANSFORMS_PRUNING_UNITSCORES_H
