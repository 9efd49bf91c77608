//===- QuantizeRTN.cpp - rounds weights to grouped integers, each to the nearest ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Analysis/Structure.h"
#include "llmc/Calibration/CalibratedPass.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"
#include "llmc/Support/ProgressLine.h"
#include "llmc/Transforms/Passes.h"
#include "llmc/Transforms/Quantization/CalibratedWeights.h"
#include "llmc/Transforms/Quantization/ClipByInputs.h"
#include "llmc/Transforms/Quantization/QuantizationPass.h"
#include "llmc/Transforms/Quantization/QuantizedWeight.h"

namespace llmc {
#define GEN_PASS_DEF_QUANTIZERTN
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc

using namespace mlir;
using namespace llmc;

/// Which rows of a site's parameter may be clipped: not those that make queries and keys, whose
/// products count.
static std::vector<char> findClipped(const Structure &structure, CalibrationSite &site,
                                     ParameterOp parameter) {
  std::vector<char> clipped(parameter.getTensorType().getDimSize(0), true);
  for (LinearOp linear : site.linears) {
    if (!llvm::is_contained(getParametersOf(linear.getWeight()), parameter))
      continue;
    for (const LinearPart &part : structure.getParts(linear))
      if (part.role == Role::Query || part.role == Role::Key)
        std::fill_n(clipped.begin() + part.begin, part.size, false);
  }
  return clipped;
}

namespace {

struct QuantizeRTN : QuantizationPass<SequentialPass<llmc::impl::QuantizeRTNBase<QuantizeRTN>>> {
  using QuantizationPass::QuantizationPass;

  bool clipsByInputs() const override { return true; }

  bool needsInputs(const QuantizationPlan &plan) const override {
    return plan.search == ClipSearch::Inputs || plan.hasRanges();
  }

  LogicalResult checkPlan(ModuleOp module, const QuantizationPlan &plan) override {
    if (!needsInputs(plan) && plan.activationOutliers == 0)
      return refuseCalibration(module);
    for (EncodingInterface encoding : plan.getEncodings())
      if (plan.search == ClipSearch::Inputs && !canClip(encoding))
        return module.emitError(
                   "mse: expected formats whose groups are of a row each, and fitted by "
                   "themselves, with mse=inputs, found ")
               << encoding;
    return CompressionReport::checkPath(module, report, getNamedPaths());
  }

  LogicalResult quantize(ModuleOp module, const QuantizationPlan &plan,
                         SmallVectorImpl<SelectedWeight> &weights,
                         CompressionReport &result) override {
    if (!needsInputs(plan))
      return roundWithoutInputs(plan, weights, result);
    SmallVector<SelectedWeight> others = takeUncalibrated(weights, plan.headIsLikeOthers);
    if (failed(walk(module, plan, weights, result)))
      return failure();
    return roundWithoutInputs(plan, others, result);
  }

private:
  LogicalResult roundWithoutInputs(const QuantizationPlan &plan,
                                   MutableArrayRef<SelectedWeight> weights,
                                   CompressionReport &result) {
    ProgressLine progress(getArgument(), weights.size());
    for (SelectedWeight &weight : weights) {
      if (failed(roundWeight(weight, plan, result)))
        return failure();
      progress.advance("rounding");
    }
    return success();
  }

  /// Reports options of calibration, which would have no effect. A program gives all of them: what
  /// is as it is by default says nothing.
  LogicalResult refuseCalibration(ModuleOp module) {
    const CalibrationOptions given = getCalibrationOptions(), none;
    for (auto [option, isGiven] :
         {std::pair("calibration", given.calibration != none.calibration),
          std::pair("tokenizer", given.tokenizer != none.tokenizer),
          std::pair("samples", given.samples != none.samples),
          std::pair("sequence-length", given.sequenceLength != none.sequenceLength),
          std::pair("first-token-weight", given.firstTokenWeight != none.firstTokenWeight),
          std::pair("seed", given.seed != none.seed),
          std::pair("memory", given.memory != none.memory),
          std::pair("save-tokens", given.saveTokens != none.saveTokens),
          std::pair("save-statistics", given.saveStatistics != none.saveStatistics),
          std::pair("resume", given.resume != none.resume),
          std::pair("threads", given.threads != none.threads),
          std::pair("true-sequential", given.trueSequential != none.trueSequential),
          std::pair("statistics", given.statistics != none.statistics)})
      if (isGiven)
        return module.emitError() << option
                                  << ": expected mse=inputs, activation=i8-static or "
                                     "activation-outliers with it, which need inputs, found none";
    return success();
  }

  LogicalResult walk(ModuleOp module, const QuantizationPlan &plan,
                     MutableArrayRef<SelectedWeight> weights, CompressionReport &result) {
    auto step = module.lookupSymbol<func::FuncOp>(LLMCDialect::stepFunctionName);
    if (!step)
      return module.emitError("expected a raised module, with a function @")
             << LLMCDialect::stepFunctionName << ", found none";
    // Of the function as it is: the walk changes no operations.
    const Structure structure(step);
    auto state = [&](SelectedWeight &weight) { return stateRounding(weight, plan); };
    CalibratedWeights calibrated(state, weights, result);
    unsigned statistics = plan.search == ClipSearch::Inputs ? SecondMoment : 0u;
    FailureOr<CalibrationTimes> times = calibrated.walk(
        module, getCalibrationOptions(), {spellKey(plan), statistics, &plan},
        [&](CalibrationSite &site) { return roundSite(site, structure, plan, calibrated); });
    if (failed(times))
      return failure();
    result.setTimes(listTimes(*times, {{"rounding", rounding}}));
    return success();
  }

  /// What decides which bytes come out, besides the model and the tokens.
  std::string spellKey(const QuantizationPlan &plan) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    stream << getArgument() << " true-sequential=" << trueSequential << " ";
    spellOptions(plan, stream);
    return text;
  }

  LogicalResult roundSite(CalibrationSite &site, const Structure &structure,
                          const QuantizationPlan &plan, CalibratedWeights &weights) {
    FailureOr<double> taken = weights.replaceEach(
        site, [&](ParameterOp parameter, const WeightValues &values) -> FailureOr<QuantizedWeight> {
          const WeightStorage &storage =
              plan.getStorage(parameter.getSymName(), weights.isHead(parameter));
          FailureOr<EncodingInterface> encoding =
              adaptEncoding(parameter, values, storage.encoding);
          if (failed(encoding))
            return failure();
          if (plan.search != ClipSearch::Inputs)
            return roundToNearest(parameter, values, *encoding, plan.getNearestFit());
          return roundClipped(parameter, values, *encoding, site.statistics.secondMoment,
                              findClipped(structure, site, parameter));
        });
    if (failed(taken))
      return failure();
    rounding += *taken;
    return success();
  }

  double rounding = 0; ///< seconds
};

} // namespace
