//===- QuantizeGPTQ.cpp - rounds weights so that the layers' outputs change least ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Passes.h"
#include "llmc/Transforms/Quantization/CalibratedQuantizationPass.h"
#include "llmc/Transforms/Quantization/GPTQ.h"

namespace llmc {
#define GEN_PASS_DEF_QUANTIZEGPTQ
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc

using namespace mlir;
using namespace llmc;

namespace {

struct QuantizeGPTQ : CalibratedQuantizationPass<llmc::impl::QuantizeGPTQBase<QuantizeGPTQ>> {
  using CalibratedQuantizationPass::CalibratedQuantizationPass;

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
    return CalibratedQuantizationPass::checkPlan(module, plan);
  }

  void spellMethod(llvm::raw_ostream &stream) const override {
    stream << "damp=" << damp.getValue() << " act-order=" << actOrder
           << " static-groups=" << staticGroups;
  }

  LogicalResult roundSite(CalibrationSite &site, const QuantizationPlan &plan,
                          CalibratedWeights &weights) override {
    auto round = [&](ParameterOp parameter, const WeightValues &values,
                     const InverseHessian &hessian) -> FailureOr<GPTQResult> {
      FailureOr<EncodingInterface> encoding = weights.getEncoding(parameter, values, plan);
      if (failed(encoding))
        return failure();
      return quantizeGPTQ(parameter, values, hessian,
                          {*encoding, plan.getCalibratedFit(), staticGroups});
    };
    return weights.replaceByHessian(site, {damp, actOrder}, round, times);
  }

  NamedTimes getTimes() const override { return times.list(); }

  HessianTimes times;
};

} // namespace
