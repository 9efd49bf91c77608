//===- QuantizeCodebook.cpp - rounds weights to numbers that are learned from them ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Passes.h"
#include "llmc/Transforms/Quantization/CalibratedQuantizationPass.h"
#include "llmc/Transforms/Quantization/Codebook.h"

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
    : CalibratedQuantizationPass<llmc::impl::QuantizeCodebookBase<QuantizeCodebook>> {
  using CalibratedQuantizationPass::CalibratedQuantizationPass;

  void completeRequest(QuantizationRequest &request) const override {
    request.format = "codebook";
    request.sharing = sharing;
  }

  void spellMethod(llvm::raw_ostream &) const override {}

  LogicalResult roundSite(CalibrationSite &site, const QuantizationPlan &plan,
                          CalibratedWeights &weights) override {
    ArrayRef<double> secondMoment = site.statistics.secondMoment;
    std::vector<float> importance = getImportance(secondMoment, site.statistics.width);
    auto round = [&](ParameterOp parameter,
                     const WeightValues &values) -> FailureOr<QuantizedWeight> {
      FailureOr<EncodingInterface> encoding = weights.getEncoding(parameter, values, plan);
      if (failed(encoding))
        return failure();
      FailureOr<QuantizedWeight> rounded =
          cluster(parameter, values, *encoding, plan, weights.isHead(parameter), importance);
      if (succeeded(rounded))
        rounded->outputError =
            getOutputError(parameter.getContext(), *rounded, values, secondMoment);
      return rounded;
    };
    FailureOr<double> taken = weights.replaceEach(site, round);
    if (failed(taken))
      return failure();
    clustering += *taken;
    return success();
  }

  NamedTimes getTimes() const override { return {{"clustering", clustering}}; }

private:
  /// Rounds to numbers that are learned, or to nearest where the encoding is another.
  FailureOr<QuantizedWeight> cluster(ParameterOp parameter, const WeightValues &values,
                                     EncodingInterface encoding, const QuantizationPlan &plan,
                                     bool isHead, ArrayRef<float> importance) {
    if (!isa<CodebookAttr>(plan.getStorage(parameter.getSymName(), isHead).encoding))
      return roundToNearest(parameter, values, encoding, plan.getNearestFit());
    auto quantizer = getQuantizer(values, encoding, [&](EncodingInterface inner, auto shape) {
      return makeCodebookQuantizer(cast<CodebookAttr>(inner), shape, values.data, importance);
    });
    return roundToNearest(parameter, values, encoding, *quantizer, importance);
  }

  double clustering = 0; ///< seconds
};

} // namespace
