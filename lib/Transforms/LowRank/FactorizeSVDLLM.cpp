//===- FactorizeSVDLLM.cpp - the two factors that change the outputs least ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/LowRank/LowRankPass.h"
#include "llmc/Transforms/Passes.h"

namespace llmc {
#define GEN_PASS_DEF_FACTORIZESVDLLM
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc
#include "llmc/Transforms/Quantization/CalibratedWeights.h"

using namespace mlir;
using namespace llmc;

namespace {

struct FactorizeSVDLLM
    : FactorizePass<SequentialPass<llmc::impl::FactorizeSVDLLMBase<FactorizeSVDLLM>>> {
  using FactorizePass::FactorizePass;

private:
  LogicalResult readOptions(ModuleOp module) override { return checkDamp(module, damp); }

  LogicalResult factorize(ModuleOp module, const RankPlan &plan, ArrayRef<SelectedWeight>,
                          LowRankWeights &layers, CompressionReport &result) override {
    return factorizeCalibrated(
        module, makeMomentWalk(getCalibrationOptions(), spellKey(plan, spellDamp(damp)), damp),
        plan, layers, result);
  }
};

} // namespace
