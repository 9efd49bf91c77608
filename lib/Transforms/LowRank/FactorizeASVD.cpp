//===- FactorizeASVD.cpp - two factors, of errors weighed by how large inputs are ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Support/SpellNumber.h"
#include "llmc/Transforms/LowRank/LowRankPass.h"
#include "llmc/Transforms/Passes.h"

#include <cmath>

namespace llmc {
#define GEN_PASS_DEF_FACTORIZEASVD
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc

using namespace mlir;
using namespace llmc;

namespace {

struct FactorizeASVD : FactorizePass<SequentialPass<llmc::impl::FactorizeASVDBase<FactorizeASVD>>> {
  using FactorizePass::FactorizePass;

private:
  LogicalResult readOptions(ModuleOp module) override {
    if (!(alpha >= 0 && alpha <= 1))
      return module.emitError("alpha: expected a number from 0 to 1, found ") << spellNumber(alpha);
    return success();
  }

  LogicalResult factorize(ModuleOp module, const RankPlan &plan, ArrayRef<SelectedWeight>,
                          LowRankWeights &layers, CompressionReport &result) override {
    LowRankWalk walk;
    walk.options = getCalibrationOptions();
    walk.key = spellKey(plan, "alpha=" + Twine(std::to_string(alpha)));
    walk.statistics = MeanMagnitude;
    walk.getMetric = [&](CalibrationSite &site) -> FailureOr<InputMetric> {
      ArrayRef<float> magnitudes = site.statistics.meanMagnitude;
      std::vector<double> factors(magnitudes.begin(), magnitudes.end());
      for (double &factor : factors)
        factor = factor > 0 ? std::pow(factor, alpha.getValue()) : 0;
      return InputMetric(std::move(factors));
    };
    return factorizeCalibrated(module, walk, plan, layers, result);
  }
};

} // namespace
