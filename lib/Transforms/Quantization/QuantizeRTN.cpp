//===- QuantizeRTN.cpp - rounds weights to grouped integers, each to the nearest ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Blocks.h"
#include "llmc/Transforms/Passes.h"
#include "llmc/Transforms/Quantization/QuantizedWeight.h"
#include "llmc/Transforms/WeightSelection.h"

#include <chrono>

namespace llmc {
#define GEN_PASS_DEF_QUANTIZERTN
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc

using namespace mlir;
using namespace llmc;

namespace {

struct QuantizeRTN : llmc::impl::QuantizeRTNBase<QuantizeRTN> {
  using QuantizeRTNBase::QuantizeRTNBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(changeFlat(module, [&] { return quantize(module); })))
      signalPassFailure();
  }

  LogicalResult quantize(ModuleOp module) {
    FailureOr<QuantizationPlan> plan = QuantizationPlan::get(
        module.getLoc(), bits, groupSize, symmetric, zero, scale, mse, activation, activationGroup);
    if (failed(plan))
      return failure();
    std::vector<std::string> ignored(ignore.begin(), ignore.end());
    FailureOr<SmallVector<SelectedWeight>> weights = selectWeights(module, ignored, includeHead);
    if (failed(weights))
      return failure();
    using Clock = std::chrono::steady_clock;
    CompressionReport result(getArgument());
    for (SelectedWeight &weight : *weights) {
      Clock::time_point start = Clock::now();
      FailureOr<WeightValues> values = WeightValues::read(weight.parameter);
      if (failed(values))
        return failure();
      FailureOr<QuantizedWeight> quantized =
          roundToNearest(weight.parameter, *values, plan->encoding, plan->searchClip);
      if (failed(quantized))
        return failure();
      std::chrono::duration<double> taken = Clock::now() - start;
      result.add(replaceWeight(weight, std::move(*quantized), *plan, taken.count()));
    }
    return result.finish(module, table, report);
  }
};

} // namespace
