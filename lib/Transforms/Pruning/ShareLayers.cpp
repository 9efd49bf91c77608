//===- ShareLayers.cpp - neighbouring layers compute with one set of weights ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Blocks.h"
#include "llmc/Transforms/Passes.h"
#include "llmc/Transforms/Pruning/LayerPruning.h"
#include "llmc/Transforms/Pruning/StructureReport.h"

namespace llmc {
#define GEN_PASS_DEF_SHARELAYERS
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc

using namespace mlir;
using namespace llmc;

namespace {

struct ShareLayers : llmc::impl::ShareLayersBase<ShareLayers> {
  using ShareLayersBase::ShareLayersBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(changeFlat(module, [&] { return share(module); })))
      signalPassFailure();
  }

private:
  LogicalResult share(ModuleOp module) {
    FailureOr<StructureReport> result = StructureReport::start(module, getArgument(), report);
    if (failed(result))
      return failure();
    FailureOr<std::vector<Layer>> layers = findStepLayers(module);
    if (failed(layers) || failed(checkRange(module, layers->size())))
      return failure();
    const auto count = static_cast<int64_t>(layers->size());
    const int64_t last = end < 0 ? count : end.getValue();
    for (int64_t at = begin; at < last; at += group) {
      ArrayRef<Layer> shared = ArrayRef(*layers).slice(at, std::min<int64_t>(group, last - at));
      const std::string name = getFirstParameter(shared.front()).str();
      if (failed(shareParameters(shared, weights == SharedWeights::Mean)))
        return failure();
      result->add({"layers " + std::to_string(at) + " to " +
                       std::to_string(at + static_cast<int64_t>(shared.size()) - 1),
                   {{"weights", name}}});
    }
    return result->finish(table);
  }

  LogicalResult checkRange(ModuleOp module, size_t found) {
    const auto count = static_cast<int64_t>(found);
    if (group < 2 || group > count)
      return module.emitError("group: expected 2 to ")
             << count << " layers that share their weights, found " << group.getValue();
    if (begin < 0 || begin >= count)
      return module.emitError("begin: expected the number of a layer, 0 to ")
             << count - 1 << ", found " << begin.getValue();
    if (end != -1 && (end <= begin || end > count))
      return module.emitError("end: expected ")
             << begin + 1 << " to " << count << " layers, found " << end.getValue();
    return success();
  }
};

} // namespace
