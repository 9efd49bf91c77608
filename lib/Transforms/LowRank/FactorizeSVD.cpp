//===- FactorizeSVD.cpp - two factors that are nearest to the weights ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/LowRank/LowRankPass.h"
#include "llmc/Transforms/Passes.h"

namespace llmc {
#define GEN_PASS_DEF_FACTORIZESVD
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc

using namespace mlir;
using namespace llmc;

namespace {

struct FactorizeSVD : FactorizePass<llmc::impl::FactorizeSVDBase<FactorizeSVD>> {
  using FactorizePass::FactorizePass;

private:
  LogicalResult factorize(ModuleOp, const RankPlan &plan, ArrayRef<SelectedWeight> weights,
                          LowRankWeights &layers, CompressionReport &) override {
    return factorizeAlike(getArgument(), plan, weights, layers);
  }
};

} // namespace
