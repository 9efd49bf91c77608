//===- QuantizeHQQ.cpp - rounds weights to grids whose outliers weigh little ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Support/ProgressLine.h"
#include "llmc/Support/SpellNumber.h"
#include "llmc/Transforms/Passes.h"
#include "llmc/Transforms/Quantization/Grid.h"
#include "llmc/Transforms/Quantization/QuantizationPass.h"
#include "llmc/Transforms/Quantization/QuantizedWeight.h"

namespace llmc {
#define GEN_PASS_DEF_QUANTIZEHQQ
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc

using namespace mlir;
using namespace llmc;

namespace {

struct QuantizeHQQ : QuantizationPass<llmc::impl::QuantizeHQQBase<QuantizeHQQ>> {
  using QuantizationPass::QuantizationPass;

  void completeRequest(QuantizationRequest &request) const override {
    request.groupSize = groupSize;
    request.symmetric = false;
    request.zero = ZeroPoint::Float;
    request.search = ClipSearch::Off;
  }

  LogicalResult quantize(ModuleOp module, const QuantizationPlan &plan,
                         SmallVectorImpl<SelectedWeight> &weights,
                         CompressionReport &result) override {
    FailureOr<HalfQuadratic> constants = getConstants(module);
    if (failed(constants))
      return failure();
    ProgressLine progress(getArgument(), weights.size());
    for (SelectedWeight &weight : weights) {
      auto makeQuantizer = [&](EncodingInterface encoding, ArrayRef<int64_t> shape) {
        auto grouped = cast<GroupedAttr>(encoding);
        return makeGridQuantizer(grouped, shape, [=](ArrayRef<float> group, ArrayRef<float>) {
          return fitHalfQuadratic(grouped, group, *constants);
        });
      };
      // The head has grids that cover its weights, as with other passes, and other formats have
      // none.
      const WeightStorage &storage = plan.getStorage(weight.parameter.getSymName(), weight.isHead);
      auto grouped = dyn_cast<GroupedAttr>(storage.encoding);
      bool ownHead = weight.isHead && !plan.headIsLikeOthers;
      bool shifts = !ownHead && grouped && grouped.getZero() == ZeroPoint::Float;
      if (failed(shifts ? roundWeight(weight, plan, result, makeQuantizer)
                        : roundWeight(weight, plan, result)))
        return failure();
      progress.advance("rounding");
    }
    return success();
  }

private:
  FailureOr<HalfQuadratic> getConstants(ModuleOp module) const {
    auto fail = [&](StringRef option) { return module.emitError(option) << ": expected "; };
    HalfQuadratic constants;
    constants.norm = norm;
    constants.weight = beta;
    constants.iterations = static_cast<int>(iterations);
    if (!(norm > 0 && norm <= 1))
      return fail("norm") << "a number above 0 and up to 1, found " << spellNumber(norm);
    if (!(beta > 0 && std::isfinite(double(beta))))
      return fail("beta") << "a positive number, found " << spellNumber(beta);
    if (iterations > 1000)
      return fail("iterations") << "at most 1000, found " << unsigned(iterations);
    return constants;
  }
};

} // namespace
