//===- QuantizeRTN.cpp - rounds weights to grouped integers, each to the nearest ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Support/ProgressLine.h"
#include "llmc/Transforms/Passes.h"
#include "llmc/Transforms/Quantization/QuantizationPass.h"
#include "llmc/Transforms/Quantization/QuantizedWeight.h"

namespace llmc {
#define GEN_PASS_DEF_QUANTIZERTN
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc

using namespace mlir;
using namespace llmc;

namespace {

struct QuantizeRTN : QuantizationPass<llmc::impl::QuantizeRTNBase<QuantizeRTN>> {
  using QuantizationPass::QuantizationPass;

  LogicalResult quantize(ModuleOp, const QuantizationPlan &plan,
                         SmallVectorImpl<SelectedWeight> &weights,
                         CompressionReport &result) override {
    ProgressLine progress(getArgument(), weights.size());
    for (SelectedWeight &weight : weights) {
      if (failed(roundWeight(weight, plan, result)))
        return failure();
      progress.advance("rounding");
    }
    return success();
  }
};

} // namespace
