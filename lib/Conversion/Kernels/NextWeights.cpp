//===- NextWeights.cpp - weights that workers read after a wait ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/Kernels/NextWeights.h"

using namespace mlir;
using namespace llmc;

/// Adds the weights of a stage's linears.
static void addWeights(ModuleOp code, cpu::StageOp stage, spmd::BarrierOp barrier,
                       SmallVectorImpl<NextWeights> &weights) {
  for (auto call : stage.getBody().front().getOps<func::CallOp>()) {
    auto kernel = code.lookupSymbol<func::FuncOp>(call.getCallee());
    if (std::optional<TilesAttribute> tiles = TilesAttribute::get(kernel))
      weights.push_back({kernel, call.getOperand(LinearKernel::weightsArgument), *tiles, barrier});
  }
}

SmallVector<NextWeights> llmc::findNextWeights(ModuleOp code, func::FuncOp function) {
  SmallVector<NextWeights> weights;
  spmd::BarrierOp place;
  bool passedLinears = false;
  for (Operation &op : function.front()) {
    if (auto barrier = dyn_cast<spmd::BarrierOp>(op); barrier && (!place || passedLinears)) {
      place = barrier;
      passedLinears = false;
    }
    // What another function computes may take long.
    if (isa<func::CallOp>(op))
      place = {};
    auto stage = dyn_cast<cpu::StageOp>(op);
    if (!stage)
      continue;
    size_t before = weights.size();
    addWeights(code, stage, place, weights);
    passedLinears |= weights.size() > before;
    // What there is no barrier for is known to have been passed, and no more.
    if (!place)
      weights.truncate(before);
  }
  return weights;
}
