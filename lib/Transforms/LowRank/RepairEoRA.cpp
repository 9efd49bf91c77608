//===- RepairEoRA.cpp - makes up for the part of a residual that changes outputs most ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/LowRank/LowRankPass.h"
#include "llmc/Transforms/Passes.h"
#include "llmc/Transforms/Quantization/CalibratedWeights.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace llmc {
#define GEN_PASS_DEF_REPAIREORA
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc

using namespace mlir;
using namespace llmc;

namespace {

struct RepairEoRA : RepairPass<SequentialPass<llmc::impl::RepairEoRABase<RepairEoRA>>> {
  using RepairPass::RepairPass;

private:
  LogicalResult readOptions(ModuleOp module) override { return checkDamp(module, damp); }

  LogicalResult factorize(ModuleOp module, const RankPlan &plan, ArrayRef<SelectedWeight> weights,
                          LowRankWeights &layers, CompressionReport &result) override {
    FailureOr<std::string> key = addOriginals(spellKey(plan, spellDamp(damp)), weights);
    if (failed(key))
      return failure();
    return factorizeCalibrated(module, makeMomentWalk(getCalibrationOptions(), *key, damp), plan,
                               layers, result);
  }
};

} // namespace
