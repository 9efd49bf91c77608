//===- QuantizeGPTQ.cpp - rounds weights so that the layers' outputs change least ---===//
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
#include "llmc/Transforms/Quantization/QuantizationPass.h"

namespace llmc {
#define GEN_PASS_DEF_QUANTIZEGPTQ
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc

using namespace mlir;
using namespace llmc;

namespace {

struct QuantizeGPTQ : QuantizationPass<SequentialPass<llmc::impl::QuantizeGPTQBase<QuantizeGPTQ>>> {
  using QuantizationPass::QuantizationPass;

  LogicalResult checkPlan(ModuleOp module, const QuantizationPlan &plan) override {
    SmallVector<EncodingInterface> encodings = plan.getEncodings();
    if (failed(checkDamp(module, damp)))
      return failure();
    if (actOrder && !staticGroups && llvm::any_of(encodings, hasGroups))
      return module.emitError(
          "act-order: expected static-groups=true or group-size=channel with it: groups of columns "
          "out of order would need a gather when running");
    if (auto found = llvm::find_if(encodings, isSequential); actOrder && found != encodings.end())
      return module.emitError("act-order: expected act-order=false with ")
             << *found << ", which rounds columns from left to right";
    return CompressionReport::checkPath(module, report, getNamedPaths());
  }

  LogicalResult quantize(ModuleOp module, const QuantizationPlan &plan,
                         SmallVectorImpl<SelectedWeight> &weights,
                         CompressionReport &result) override {
    // What no linear reads has no inputs to be calibrated with, and a head of more bits than the
    // rest does not need it.
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

  /// What decides which bytes come out, besides the model and the tokens.
  std::string spellKey(const QuantizationPlan &plan) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    stream << getArgument() << " damp=" << damp.getValue() << " act-order=" << actOrder
           << " static-groups=" << staticGroups << " true-sequential=" << trueSequential << " ";
    spellOptions(plan, stream);
    return text;
  }

  LogicalResult roundSite(CalibrationSite &site, const QuantizationPlan &plan,
                          CalibratedWeights &weights) {
    const Stopwatch watch;
    FailureOr<InverseHessian> prepared = prepareHessian(site, damp, actOrder);
    if (failed(prepared))
      return failure();
    double shared = watch.getSeconds();
    factorization += shared;
    FailureOr<double> taken = weights.replaceEach(
        site,
        [&](ParameterOp parameter, const WeightValues &values) -> FailureOr<QuantizedWeight> {
          const WeightStorage &storage =
              plan.getStorage(parameter.getSymName(), weights.isHead(parameter));
          FailureOr<EncodingInterface> encoding =
              adaptEncoding(parameter, values, storage.encoding);
          if (failed(encoding))
            return failure();
          GPTQOptions options{*encoding, plan.getCalibratedFit(), staticGroups};
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

  double factorization = 0, update = 0; ///< seconds
};

} // namespace
