//===- LowRankWalk.h - factoring weights, with and without calibration ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_LOWRANK_LOWRANKWALK_H
#define LLMC_TRANSFORMS_LOWRANK_LOWRANKWALK_H

#include "llmc/Transforms/LowRank/LowRankWeights.h"

namespace llmc {

/// Gives weights factors where all inputs count alike.
mlir::LogicalResult factorizeAlike(llvm::StringRef pass, const RankPlan &plan,
                                   llvm::ArrayRef<SelectedWeight> weights, LowRankWeights &layers);

/// What a method asks of calibration.
struct LowRankWalk {
  CalibrationOptions options;
  std::string key;
  unsigned statistics = 0; ///< of Statistics, beside the second moment, which the report needs
  /// How a site's inputs count. It may take the statistics.
  std::function<mlir::FailureOr<InputMetric>(CalibrationSite &)> getMetric;
};

/// Gives weights factors in the order of the program, each by inputs that come from layers that
/// have theirs; before that, where ranks depend on what is lost, by inputs of the model as it was.
mlir::LogicalResult factorizeCalibrated(mlir::ModuleOp module, const LowRankWalk &walk,
                                        const RankPlan &plan, LowRankWeights &layers,
                                        CompressionReport &report);

/// A method that takes the root of the inputs' second moment, raised by `damp` (InverseHessian).
LowRankWalk makeMomentWalk(CalibrationOptions options, std::string key, double damp);
/// "damp=0.01"
std::string spellDamp(double damp);

} // namespace llmc

#endif // LLMC_TRANSFORMS_LOWRANK_LOWRANKWALK_H
