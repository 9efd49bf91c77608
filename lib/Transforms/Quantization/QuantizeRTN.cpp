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

#include <chrono>

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
                         MutableArrayRef<SelectedWeight> weights,
                         CompressionReport &result) override {
    using Clock = std::chrono::steady_clock;
    ProgressLine progress(getArgument(), weights.size());
    for (SelectedWeight &weight : weights) {
      Clock::time_point start = Clock::now();
      FailureOr<WeightValues> values = WeightValues::read(weight.parameter);
      if (failed(values))
        return failure();
      FailureOr<QuantizedWeight> quantized =
          roundToNearest(weight.parameter, *values, plan.encoding, plan.searchClip);
      if (failed(quantized))
        return failure();
      std::chrono::duration<double> taken = Clock::now() - start;
      result.add(replaceWeight(weight, std::move(*quantized), plan, taken.count()));
      progress.advance("rounding");
    }
    return success();
  }
};

} // namespace
