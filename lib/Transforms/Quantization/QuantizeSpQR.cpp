//===- QuantizeSpQR.cpp - rounds weights but for outliers, to integers whose scales are too ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Calibration/CalibratedPass.h"
#include "llmc/Support/Stopwatch.h"
#include "llmc/Transforms/Passes.h"
#include "llmc/Transforms/Quantization/CalibratedWeights.h"
#include "llmc/Transforms/Quantization/GPTQ.h"
#include "llmc/Transforms/Quantization/Outliers.h"
#include "llmc/Transforms/Quantization/QuantizationPass.h"

#include <cmath>

namespace llmc {
#define GEN_PASS_DEF_QUANTIZESPQR
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc

using namespace mlir;
using namespace llmc;

/// How groups are fitted where outliers are chosen, before scales are rounded; null where an
/// encoding has none of integers with a zero point.
static GroupedAttr getGrid(EncodingInterface encoding) {
  MLIRContext *context = encoding.getContext();
  auto make = [&](unsigned bits, int64_t group) {
    return GroupedAttr::get(context, bits, group, ZeroPoint::Integer, Float32Type::get(context));
  };
  if (auto bilevel = dyn_cast<BilevelAttr>(encoding))
    return make(bilevel.getBits(), bilevel.getGroup());
  if (auto grouped = dyn_cast<GroupedAttr>(encoding); grouped && grouped.getGroup() >= 0)
    return make(grouped.getBits(), grouped.getGroup());
  return {};
}

namespace {

struct QuantizeSpQR : QuantizationPass<SequentialPass<llmc::impl::QuantizeSpQRBase<QuantizeSpQR>>> {
  using QuantizationPass::QuantizationPass;

  LogicalResult readOptions(ModuleOp module) override {
    if (!(outliers >= 0 && outliers <= 1))
      return module.emitError("outliers: expected a share from 0 to 1, found ")
             << outliers.getValue();
    if (failed(checkDamp(module, damp)))
      return failure();
    if (scaleGroup < 1)
      return module.emitError("scale-group: expected a positive number, found ")
             << scaleGroup.getValue();
    constexpr int64_t defaultScaleGroup = 16;
    if (scaleBits == 0 && scaleGroup != defaultScaleGroup)
      return module.emitError("scale-group: expected scale-bits of at least 1 with it, found 0");
    return success();
  }

  void completeRequest(QuantizationRequest &request) const override {
    request.format = scaleBits == 0 ? "int" : "bilevel";
    request.groupSize = groupSize;
    request.search = mse;
    if (scaleBits == 0) {
      request.symmetric = false;
      if (groupSize.empty())
        request.groupSize = "16";
    } else {
      request.scaleBits = scaleBits;
      request.scaleGroup = scaleGroup;
    }
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
    result.setTimes(listTimes(*times, {{"factorization", factorization}, {"update", update}}));
    return success();
  }

private:
  /// What decides which bytes come out, besides the model and the tokens.
  std::string spellKey(const QuantizationPlan &plan) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    stream << getArgument() << " damp=" << damp.getValue() << " outliers=" << outliers.getValue()
           << " true-sequential=" << trueSequential << " ";
    spellOptions(plan, stream);
    return text;
  }

  LogicalResult roundSite(CalibrationSite &site, const QuantizationPlan &plan,
                          CalibratedWeights &weights) {
    const Stopwatch watch;
    FailureOr<InverseHessian> prepared = prepareHessian(site, damp, /*descending=*/false);
    if (failed(prepared))
      return failure();
    double shared = watch.getSeconds();
    factorization += shared;
    std::vector<float> importance = prepared->getImportance();
    FailureOr<double> taken = weights.replaceEach(
        site,
        [&](ParameterOp parameter, WeightValues &values) -> FailureOr<QuantizedWeight> {
          const WeightStorage &storage =
              plan.getStorage(parameter.getSymName(), weights.isHead(parameter));
          FailureOr<EncodingInterface> encoding =
              adaptEncoding(parameter, values, storage.encoding);
          if (failed(encoding))
            return failure();
          if (GroupedAttr grid = getGrid(storage.encoding))
            encoding = keepOutliers(parameter, values, *encoding, grid, importance);
          if (failed(encoding))
            return failure();
          GPTQOptions options{*encoding, plan.getCalibratedFit()};
          FailureOr<GPTQResult> quantized = quantizeGPTQ(parameter, values, *prepared, options);
          if (failed(quantized))
            return failure();
          return std::move(quantized->weight);
        },
        shared);
    if (failed(taken))
      return failure();
    update += *taken;
    return success();
  }

  /// Chooses the outliers of a matrix, and gives its encoding with them.
  FailureOr<EncodingInterface> keepOutliers(ParameterOp parameter, WeightValues &values,
                                            EncodingInterface encoding, GroupedAttr grid,
                                            ArrayRef<float> importance) {
    auto count =
        static_cast<int64_t>(std::nearbyint(outliers * static_cast<double>(values.columns)));
    if (count == 0)
      return encoding;
    MLIRContext *context = parameter.getContext();
    // A weight that f16 can't hold is an outlier like any.
    bool isLarge = getLargestMagnitude(values.data) > largestHalf;
    Type element = isLarge ? Type(Float32Type::get(context)) : Type(Float16Type::get(context));
    auto emitError = [&] { return parameter.emitOpError(); };
    auto result = OutliersAttr::getChecked(emitError, context, count, element, Attribute(encoding));
    if (!result || failed(result.verifyEncoding({values.rows, values.columns},
                                                Float32Type::get(context), emitError)))
      return failure();
    values.outliers = chooseOutliers(context, values, grid, count, importance);
    return EncodingInterface(result);
  }

  /// What is listed has been changed to make up for errors of others: half of what f16 holds.
  static constexpr float largestHalf = 32752;

  double factorization = 0, update = 0; ///< seconds
};

} // namespace
