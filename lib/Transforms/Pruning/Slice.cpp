//===- Slice.cpp - leaves out directions of the residual stream ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Calibration/CalibratedPass.h"
#include "llmc/Transforms/Blocks.h"
#include "llmc/Transforms/Passes.h"
#include "llmc/Transforms/Pruning/StreamBases.h"
#include "llmc/Transforms/Pruning/StructureReport.h"
#include "llmc/Transforms/Rewrites/SliceResidual.h"
#include "llmc/Transforms/RowWidths.h"

#include <algorithm>
#include <cmath>

namespace llmc {
#define GEN_PASS_DEF_SLICE
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc

using namespace mlir;
using namespace llmc;

static constexpr double defaultShare = 0.75;

namespace {

struct Slice : CalibratedPass<llmc::impl::SliceBase<Slice>> {
  using CalibratedPass::CalibratedPass;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(changeFlat(module, [&] { return sliceModel(module); })))
      signalPassFailure();
  }

private:
  LogicalResult sliceModel(ModuleOp module) {
    FailureOr<StructureReport> result =
        StructureReport::start(module, getArgument(), report, getNamedPaths());
    FailureOr<double> share = getShare(module);
    FailureOr<ModelSize> before = ModelSize::get(module);
    if (failed(result) || failed(share) || failed(before))
      return failure();
    if (*share < 1 && failed(leaveOut(module, *share, before->parameters, *result)))
      return failure();
    return result->finish(table);
  }

  static func::FuncOp getStep(ModuleOp module) {
    return module.lookupSymbol<func::FuncOp>(LLMCDialect::stepFunctionName);
  }

  LogicalResult leaveOut(ModuleOp module, double share, int64_t parameters,
                         StructureReport &result) {
    if (!getStep(module))
      return module.emitError("expected a raised module, with a function @")
             << LLMCDialect::stepFunctionName << ", found none";
    ParameterRewrite preparation(module);
    if (failed(prepareSlicing(getStep(module), preparation)) || failed(preparation.store()))
      return failure();
    FailureOr<ModelSize> prepared = ModelSize::get(module);
    ParameterRewrite unused(module);
    FailureOr<ResidualSlicer> planned = ResidualSlicer::get(getStep(module), unused);
    if (failed(prepared) || failed(planned))
      return failure();
    const int64_t channels = planned->getWidth();
    FailureOr<int64_t> kept = getKept(module, share, channels);
    if (failed(kept) ||
        failed(checkGain(module, *planned, *kept, prepared->parameters, parameters)))
      return failure();
    const std::vector<std::string> places = planned->getPlaces().vec();
    FailureOr<std::vector<StreamBasis>> bases =
        findStreamBases(module, getCalibrationOptions(), spellKey(*kept), places, channels, *kept);
    if (failed(bases))
      return failure();
    return apply(module, *bases, channels, *kept, result);
  }

  /// The walk may have made the step anew.
  LogicalResult apply(ModuleOp module, ArrayRef<StreamBasis> bases, int64_t channels, int64_t kept,
                      StructureReport &result) {
    ParameterRewrite rewrite(module);
    FailureOr<ResidualSlicer> slicer = ResidualSlicer::get(getStep(module), rewrite);
    if (failed(slicer))
      return failure();
    for (auto [place, basis] : llvm::zip_equal(slicer->getPlaces(), bases))
      result.add({place, {{"channels", channels}, {"kept", kept}, {"share", basis.share}}});
    slicer->slice(
        kept, llvm::map_to_vector(bases, [](const StreamBasis &basis) { return basis.rotation; }));
    if (failed(rewrite.store()))
      return failure();
    inferRowWidths(getStep(module));
    return success();
  }

  //===--------------------------------------------------------------------===//
  // How many
  //===--------------------------------------------------------------------===//

  /// 1 where nothing is left out; without `keep`, that of it by default.
  FailureOr<double> getShare(ModuleOp module) {
    double share = defaultShare;
    if (!keep.empty() && width != 0)
      return module.emitError("expected one of keep and width, found both");
    if (!keep.empty() && (StringRef(keep).getAsDouble(share) || !(share > 0 && share <= 1)))
      return module.emitError("keep: expected a number above 0 and at most 1, found '")
             << keep << "'";
    if (width < 0)
      return module.emitError("width: expected at least 1 channel, found ") << width.getValue();
    if (multiple < 1)
      return module.emitError("multiple: expected at least 1, found ") << multiple.getValue();
    return share;
  }

  FailureOr<int64_t> getKept(ModuleOp module, double share, int64_t channels) {
    if (width > channels)
      return module.emitError("width: expected at most the ")
             << channels << " channels that the residual stream has, found " << width.getValue();
    if (width > 0)
      return width.getValue();
    const double multiples = share * static_cast<double>(channels) / static_cast<double>(multiple);
    return std::clamp<int64_t>(std::llround(multiples) * multiple,
                               std::min(multiple.getValue(), channels), channels);
  }

  /// Refuses to make a model larger than it was.
  static LogicalResult checkGain(ModuleOp module, const ResidualSlicer &slicer, int64_t kept,
                                 int64_t prepared, int64_t before) {
    auto count = [&](int64_t width) { return prepared + slicer.getGrowth(width); };
    if (count(kept) < before)
      return success();
    int64_t most = kept;
    while (most > 0 && count(most) >= before)
      --most;
    return module.emitError("expected a width at which the model is smaller, at most ")
           << most << " of " << slicer.getWidth() << " channels, found " << kept
           << ", at which it has " << count(kept) << " parameters instead of " << before
           << ": a linear of its own stands between two places that read the residual stream";
  }

  /// What decides which bytes come out, besides the model and the tokens.
  std::string spellKey(int64_t kept) {
    return getArgument().str() + " width=" + std::to_string(kept);
  }
};

} // namespace
