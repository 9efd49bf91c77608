//===- PruneSparseGPT.cpp - prunes weights and lets the others make up for them ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Calibration/CalibratedPass.h"
#include "llmc/Support/Stopwatch.h"
#include "llmc/Transforms/Passes.h"
#include "llmc/Transforms/Pruning/PruningPass.h"
#include "llmc/Transforms/Quantization/CalibratedWeights.h"
#include "llmc/Transforms/Quantization/QuantizationPass.h"

namespace llmc {
#define GEN_PASS_DEF_PRUNESPARSEGPT
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc

using namespace mlir;
using namespace llmc;

namespace {

struct PruneSparseGPT
    : QuantizationPass<SequentialPass<llmc::impl::PruneSparseGPTBase<PruneSparseGPT>>> {
  using QuantizationPass::QuantizationPass;

  bool rounds() const override { return format != "none"; }

  bool takesHeadAsFloats() const override { return includeHead; }

  LogicalResult readOptions(ModuleOp module) override {
    FailureOr<PruningPattern> found =
        PatternOptions{pattern.getValue(), sparsity.getValue(), allocation}.get(module);
    if (failed(found))
      return failure();
    chosen = *found;
    if (failed(checkDamp(module, damp)))
      return failure();
    if (rounds() && includeHead && headFormat == "none")
      return module.emitError(
          "include-head: expected a head-format with it, found head-format=none");
    return CompressionReport::checkPath(module, report, getNamedPaths());
  }

  LogicalResult quantize(ModuleOp module, const QuantizationPlan &plan,
                         SmallVectorImpl<SelectedWeight> &weights,
                         CompressionReport &result) override {
    leavePruned(module, weights);
    SmallVector<SelectedWeight> others = takeUncalibrated(weights, includeHead);
    const CalibrationOptions options = getCalibrationOptions();
    FailureOr<PatternAllocation> spread =
        PatternAllocation::spread(module, weights, chosen, allocation, &options);
    if (failed(spread))
      return failure();
    patterns = std::move(*spread);
    for (SelectedWeight &weight : weights)
      if (failed(checkShape(weight.parameter, patterns.get(weight.parameter))))
        return failure();
    RoundingStatement state = keepRounding;
    if (rounds())
      state = [&](SelectedWeight &weight) { return stateRounding(weight, plan); };
    CalibratedWeights calibrated(state, weights, result);
    FailureOr<CalibrationTimes> times =
        calibrated.walk(module, options, {spellKey(plan), SecondMoment, rounds() ? &plan : nullptr},
                        [&](CalibrationSite &site) { return pruneSite(site, plan, calibrated); });
    if (failed(times))
      return failure();
    for (SelectedWeight &weight : others)
      if (rounds() && failed(roundWeight(weight, plan, result)))
        return failure();
    result.setTimes(listTimes(*times, {{"factorization", factorization}, {"update", update}}));
    return success();
  }

private:
  /// What decides which bytes come out, besides the model and the tokens.
  std::string spellKey(const QuantizationPlan &plan) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    stream << getArgument() << " pattern=" << pattern << " sparsity=" << sparsity.getValue()
           << " allocation=" << static_cast<int>(allocation.getValue())
           << " damp=" << damp.getValue() << " true-sequential=" << trueSequential
           << " include-head=" << includeHead << " ";
    if (rounds())
      spellOptions(plan, stream);
    else
      spellSelection(stream);
    return text;
  }

  LogicalResult pruneSite(CalibrationSite &site, const QuantizationPlan &plan,
                          CalibratedWeights &weights) {
    const Stopwatch watch;
    FailureOr<InverseHessian> prepared = prepareHessian(site, damp, /*descending=*/false);
    if (failed(prepared))
      return failure();
    double shared = watch.getSeconds();
    factorization += shared;
    FailureOr<double> taken = weights.replaceEach(
        site,
        [&](ParameterOp parameter, WeightValues &values) -> FailureOr<QuantizedWeight> {
          GPTQOptions options{getEncoding(parameter, values, plan, weights.isHead(parameter)),
                              plan.getCalibratedFit(), false};
          if (!options.encoding)
            return failure();
          FailureOr<GPTQResult> pruned =
              pruneSparseGPT(parameter, values, *prepared, options, patterns.get(parameter));
          if (failed(pruned))
            return failure();
          return std::move(pruned->weight);
        },
        shared);
    if (failed(taken))
      return failure();
    update += *taken;
    return success();
  }

  /// What a parameter is stored as, or null, which is reported. Decoded values of rounded weights
  /// that are not rounded again become f32.
  EncodingInterface getEncoding(ParameterOp parameter, const WeightValues &values,
                                const QuantizationPlan &plan, bool isHead) {
    RankedTensorType type = parameter.getTensorType();
    Attribute kept = TypeAttr::get(type.getElementType());
    if (rounds())
      kept =
          widenScales(parameter, values, plan.getStorage(parameter.getSymName(), isHead).encoding);
    const PruningPattern &pattern = patterns.get(parameter);
    int64_t count = pattern.getKept(type.getNumElements());
    return pattern.store(kept, count, [&] { return parameter.emitOpError(); });
  }

  PruningPattern chosen;
  PatternAllocation patterns;           ///< of each matrix
  double factorization = 0, update = 0; ///< seconds
};

} // namespace
