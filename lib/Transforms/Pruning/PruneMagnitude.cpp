//===- PruneMagnitude.cpp - keeps of each few weights the largest ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Support/ProgressLine.h"
#include "llmc/Support/Stopwatch.h"
#include "llmc/Transforms/CompressionPass.h"
#include "llmc/Transforms/Passes.h"
#include "llmc/Transforms/Pruning/PruningPass.h"

#include <cmath>

namespace llmc {
#define GEN_PASS_DEF_PRUNEMAGNITUDE
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc

using namespace mlir;
using namespace llmc;

namespace {

struct PruneMagnitude : CompressionPass<llmc::impl::PruneMagnitudeBase<PruneMagnitude>> {
  using CompressionPass::CompressionPass;

private:
  bool takesRounded() const override { return true; }

  FailureOr<bool> takesHead(ModuleOp module) override {
    FailureOr<PruningPattern> found =
        PatternOptions{pattern.getValue(), sparsity.getValue(), allocation}.get(module);
    if (failed(found))
      return failure();
    chosen = *found;
    if (allocation == SparsityAllocation::OWL)
      return module.emitError(
          "allocation: expected uniform or global, found owl, which looks at activations: "
          "prune-wanda and prune-sparsegpt do");
    return includeHead.getValue();
  }

  LogicalResult compress(ModuleOp module, SmallVectorImpl<SelectedWeight> &weights,
                         CompressionReport &result) override {
    leavePruned(module, weights);
    if (failed(spread(module, weights)))
      return failure();
    ProgressLine progress(getArgument(), weights.size());
    for (SelectedWeight &weight : weights) {
      if (failed(prune(weight, result)))
        return failure();
      progress.advance("pruning");
    }
    return success();
  }

  LogicalResult spread(ModuleOp module, ArrayRef<SelectedWeight> weights) {
    FailureOr<PatternAllocation> found =
        PatternAllocation::spread(module, weights, chosen, allocation, /*calibration=*/nullptr);
    if (succeeded(found))
      patterns = std::move(*found);
    return found;
  }

  LogicalResult prune(SelectedWeight &weight, CompressionReport &result) {
    const PruningPattern &pattern = patterns.get(weight.parameter);
    const Stopwatch watch;
    if (failed(checkShape(weight.parameter, pattern)))
      return failure();
    FailureOr<WeightValues> values = WeightValues::read(weight.parameter);
    if (failed(values))
      return failure();
    std::vector<double> scores;
    for (float value : values->data)
      scores.push_back(std::fabs(value));
    SmallVector<bool, 0> kept(scores.size());
    pattern.choose(scores, kept);
    FailureOr<QuantizedWeight> pruned = pruneWeight(weight.parameter, *values, pattern, kept);
    if (failed(pruned))
      return failure();
    result.add(replaceWeight(weight, std::move(*pruned), keepRounding, watch.getSeconds()));
    return success();
  }

  PruningPattern chosen;
  PatternAllocation patterns; ///< of each matrix
};

} // namespace
