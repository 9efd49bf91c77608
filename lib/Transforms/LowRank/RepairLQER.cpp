//===- RepairLQER.cpp - makes up for the part of a residual that meets large inputs ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/LowRank/LowRankPass.h"
#include "llmc/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace llmc {
#define GEN_PASS_DEF_REPAIRLQER
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc

using namespace mlir;
using namespace llmc;

namespace {

struct RepairLQER : RepairPass<SequentialPass<llmc::impl::RepairLQERBase<RepairLQER>>> {
  using RepairPass::RepairPass;

private:
  LogicalResult readOptions(ModuleOp module) override {
    if (scaling != ResidualScaling::None)
      return success();
    for (const std::string *given : {&calibration.getValue(), &statistics.getValue()})
      if (!given->empty())
        return module.emitError("scaling: expected no calibration with scaling=none, found '")
               << *given << "'";
    return success();
  }

  LogicalResult factorize(ModuleOp module, const RankPlan &plan, ArrayRef<SelectedWeight> weights,
                          LowRankWeights &layers, CompressionReport &result) override {
    if (scaling == ResidualScaling::None)
      return factorizeAlike(getArgument(), plan, weights, layers);
    FailureOr<std::string> key = addOriginals(spellKey(plan, ""), weights);
    if (failed(key))
      return failure();
    LowRankWalk walk;
    walk.options = getCalibrationOptions();
    walk.key = *key;
    walk.statistics = MeanMagnitude;
    walk.getMetric = [](CalibrationSite &site) -> FailureOr<InputMetric> {
      ArrayRef<float> magnitudes = site.statistics.meanMagnitude;
      return InputMetric(std::vector<double>(magnitudes.begin(), magnitudes.end()));
    };
    return factorizeCalibrated(module, walk, plan, layers, result);
  }
};

} // namespace
