//===- QuantizeCodebook.cpp - rounds weights to numbers that are learned from them ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Calibration/CalibratedPass.h"
#include "llmc/Transforms/Passes.h"
#include "llmc/Transforms/Quantization/CalibratedWeights.h"
#include "llmc/Transforms/Quantization/Codebook.h"
#include "llmc/Transforms/Quantization/QuantizationPass.h"

#include <algorithm>

namespace llmc {
#define GEN_PASS_DEF_QUANTIZECODEBOOK
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc

using namespace mlir;
using namespace llmc;

/// The diagonal of inputs' second moment, as a part of its largest. A hundredth of its mean is
/// added as GPTQ does: what calibration hasn't seen counts a little too.
static std::vector<float> getImportance(ArrayRef<double> secondMoment, int64_t width) {
  constexpr double damp = 0.01;
  std::vector<double> diagonal(width);
  double mean = 0;
  for (int64_t column = 0; column < width; ++column) {
    diagonal[column] = secondMoment[column * width + column];
    mean += diagonal[column] / static_cast<double>(width);
  }
  double largest = *std::max_element(diagonal.begin(), diagonal.end()) + damp * mean;
  std::vector<float> importance;
  importance.reserve(width);
  for (double value : diagonal)
    importance.push_back(largest > 0 ? static_cast<float>((value + damp * mean) / largest) : 1.0f);
  return importance;
}

namespace {

struct QuantizeCodebook
    : QuantizationPass<SequentialPass<llmc::impl::QuantizeCodebookBase<QuantizeCodebook>>> {
  using QuantizationPass::QuantizationPass;

  void completeRequest(QuantizationRequest &request) const override {
    request.format = "codebook";
    request.sharing = sharing;
  }

  LogicalResult checkPlan(ModuleOp module, const QuantizationPlan &) override {
    return CompressionReport::checkPath(module, report, getNamedPaths());
  }

  LogicalResult quantize(ModuleOp module, const QuantizationPlan &plan,
                         SmallVectorImpl<SelectedWeight> &weights,
                         CompressionReport &result) override {
    SmallVector<SelectedWeight> others = takeUncalibrated(weights, plan.headIsLikeOthers);
    auto state = [&](SelectedWeight &weight) { return stateRounding(weight, plan); };
    CalibratedWeights calibrated(state, weights, result);
    FailureOr<CalibrationTimes> times =
        calibrated.walk(module, getCalibrationOptions(), {spellKey(plan), SecondMoment, &plan},
                        [&](CalibrationSite &site) { return roundSite(site, plan, calibrated); });
    if (failed(times))
      return failure();
    for (SelectedWeight &weight : others)
      if (failed(roundWeight(weight, plan, result)))
        return failure();
    result.setTimes(listTimes(*times, {{"clustering", clustering}}));
    return success();
  }

private:
  /// What decides which bytes come out, besides the model and the tokens.
  std::string spellKey(const QuantizationPlan &plan) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    stream << getArgument() << " true-sequential=" << trueSequential << " ";
    spellOptions(plan, stream);
    return text;
  }

  LogicalResult roundSite(CalibrationSite &site, const QuantizationPlan &plan,
                          CalibratedWeights &weights) {
    std::vector<float> importance =
        getImportance(site.statistics.secondMoment, site.statistics.width);
    FailureOr<double> taken =
        weights.replaceEach(site, [&](ParameterOp parameter, const WeightValues &values) {
          return roundParameter(parameter, values, plan, weights.isHead(parameter), importance,
                                site.statistics.secondMoment);
        });
    if (failed(taken))
      return failure();
    clustering += *taken;
    return success();
  }

  FailureOr<QuantizedWeight> roundParameter(ParameterOp parameter, const WeightValues &values,
                                            const QuantizationPlan &plan, bool isHead,
                                            ArrayRef<float> importance,
                                            ArrayRef<double> secondMoment) {
    const WeightStorage &storage = plan.getStorage(parameter.getSymName(), isHead);
    FailureOr<EncodingInterface> encoding = adaptEncoding(parameter, values, storage.encoding);
    if (failed(encoding))
      return failure();
    FailureOr<QuantizedWeight> rounded = failure();
    if (!isa<CodebookAttr>(storage.encoding)) {
      rounded = roundToNearest(parameter, values, *encoding, plan.getNearestFit());
    } else {
      auto quantizer = getQuantizer(values, *encoding, [&](EncodingInterface inner, auto shape) {
        return makeCodebookQuantizer(cast<CodebookAttr>(inner), shape, values.data, importance);
      });
      rounded = roundToNearest(parameter, values, *encoding, *quantizer, importance);
    }
    if (succeeded(rounded))
      rounded->outputError = getOutputError(parameter.getContext(), *rounded, values, secondMoment);
    return rounded;
  }

  double clustering = 0; ///< seconds
};

} // namespace
