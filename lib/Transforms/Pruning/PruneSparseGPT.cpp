//===- PruneSparseGPT.cpp - prunes weights and lets the others make up for them ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Passes.h"
#include "llmc/Transforms/Pruning/PruningPass.h"
#include "llmc/Transforms/Quantization/CalibratedQuantizationPass.h"

namespace llmc {
#define GEN_PASS_DEF_PRUNESPARSEGPT
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc

using namespace mlir;
using namespace llmc;

namespace {

struct PruneSparseGPT : CalibratedQuantizationPass<llmc::impl::PruneSparseGPTBase<PruneSparseGPT>> {
  using CalibratedQuantizationPass::CalibratedQuantizationPass;

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

  bool calibratesHead(const QuantizationPlan &) const override { return includeHead; }

  void dropWeights(ModuleOp module, SmallVectorImpl<SelectedWeight> &weights) override {
    leavePruned(module, weights);
  }

  LogicalResult prepare(ModuleOp module, ArrayRef<SelectedWeight> weights) override {
    const CalibrationOptions options = getCalibrationOptions();
    FailureOr<PatternAllocation> spread =
        PatternAllocation::spread(module, weights, chosen, allocation, &options);
    if (failed(spread))
      return failure();
    patterns = std::move(*spread);
    for (const SelectedWeight &weight : weights)
      if (failed(checkShape(weight.parameter, patterns.get(weight.parameter))))
        return failure();
    return success();
  }

  void spellMethod(llvm::raw_ostream &stream) const override {
    stream << "pattern=" << pattern << " sparsity=" << sparsity.getValue()
           << " allocation=" << static_cast<int>(allocation.getValue())
           << " damp=" << damp.getValue() << " include-head=" << includeHead;
  }

  LogicalResult roundSite(CalibrationSite &site, const QuantizationPlan &plan,
                          CalibratedWeights &weights) override {
    auto prune = [&](ParameterOp parameter, WeightValues &values,
                     const InverseHessian &hessian) -> FailureOr<GPTQResult> {
      EncodingInterface encoding = getEncoding(parameter, values, plan, weights.isHead(parameter));
      if (!encoding)
        return failure();
      return pruneSparseGPT(parameter, values, hessian, {encoding, plan.getCalibratedFit()},
                            patterns.get(parameter));
    };
    return weights.replaceByHessian(site, {damp}, prune, times);
  }

  NamedTimes getTimes() const override { return times.list(); }

private:
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
  PatternAllocation patterns; ///< of each matrix
  HessianTimes times;
};

} // namespace
