//===- StripActivationRounding.cpp - linears on their inputs as they are ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/LLMC/IR/LLMC.h"
#include "llmc/Transforms/Passes.h"

namespace llmc {
#define GEN_PASS_DEF_STRIPACTIVATIONROUNDING
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc

namespace {

struct StripActivationRoundingPass
    : public llmc::impl::StripActivationRoundingBase<StripActivationRoundingPass> {
  using StripActivationRoundingBase::StripActivationRoundingBase;

  void runOnOperation() override {
    getOperation().walk([](llmc::LinearOp linear) { linear.removeActivationAttr(); });
  }
};

} // namespace
