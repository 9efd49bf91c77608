//===- PruneWanda.cpp - keeps weights that count most for the outputs ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Calibration/CalibratedPass.h"
#include "llmc/Transforms/CompressionPass.h"
#include "llmc/Transforms/Passes.h"
#include "llmc/Transforms/Pruning/PruningPass.h"
#include "llmc/Transforms/Pruning/Wanda.h"
#include "llmc/Transforms/Quantization/CalibratedWeights.h"

namespace llmc {
#define GEN_PASS_DEF_PRUNEWANDA
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc

using namespace mlir;
using namespace llmc;

namespace {

struct PruneWanda : CompressionPass<SequentialPass<llmc::impl::PruneWandaBase<PruneWanda>>> {
  using CompressionPass::CompressionPass;

private:
  bool takesRounded() const override { return true; }

  FailureOr<bool> takesHead(ModuleOp module) override {
    FailureOr<PruningPattern> found =
        PatternOptions{pattern.getValue(), sparsity.getValue(), allocation}.get(module);
    if (failed(found) || failed(CompressionReport::checkPath(module, report, getNamedPaths())))
      return failure();
    chosen = *found;
    return includeHead.getValue();
  }

  LogicalResult compress(ModuleOp module, SmallVectorImpl<SelectedWeight> &weights,
                         CompressionReport &result) override {
    leavePruned(module, weights);
    takeUncalibrated(weights, includeHead);
    const CalibrationOptions options = getCalibrationOptions();
    FailureOr<PatternAllocation> spread =
        PatternAllocation::spread(module, weights, chosen, allocation, &options);
    if (failed(spread))
      return failure();
    patterns = std::move(*spread);
    for (SelectedWeight &weight : weights)
      if (failed(checkShape(weight.parameter, patterns.get(weight.parameter))))
        return failure();
    CalibratedWeights calibrated(keepRounding, weights, result);
    double pruning = 0;
    FailureOr<CalibrationTimes> times = calibrated.walk(
        module, options, {spellKey(), SecondMoment, nullptr},
        [&](CalibrationSite &site) { return pruneSite(site, calibrated, pruning); });
    if (failed(times))
      return failure();
    result.setTimes(listTimes(*times, {{"pruning", pruning}}));
    return success();
  }

  /// What decides which bytes come out, besides the model and the tokens.
  std::string spellKey() {
    std::string text;
    llvm::raw_string_ostream stream(text);
    stream << getArgument() << " pattern=" << pattern << " sparsity=" << sparsity.getValue()
           << " allocation=" << static_cast<int>(allocation.getValue())
           << " true-sequential=" << trueSequential << " include-head=" << includeHead << " ";
    spellSelection(stream);
    return text;
  }

  LogicalResult pruneSite(CalibrationSite &site, CalibratedWeights &weights, double &seconds) {
    FailureOr<double> taken = weights.replaceEach(site, [&](ParameterOp parameter,
                                                            const WeightValues &values) {
      return pruneByWanda(parameter, values, site.statistics.secondMoment, patterns.get(parameter));
    });
    if (failed(taken))
      return failure();
    seconds += *taken;
    return success();
  }

  PruningPattern chosen;
  PatternAllocation patterns; ///< of each matrix
};

} // namespace
