//===- FactorizeKVCache.cpp - latents in the place of cached values ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Calibration/CalibratedPass.h"
#include "llmc/Transforms/Blocks.h"
#include "llmc/Transforms/KVCache/ValueLatents.h"
#include "llmc/Transforms/LowRank/LowRankWalk.h"
#include "llmc/Transforms/Passes.h"
#include "llmc/Transforms/Pruning/LayerPruning.h"
#include "llmc/Transforms/Pruning/StructureReport.h"
#include "llmc/Transforms/Quantization/CalibratedWeights.h"

using namespace mlir;
using namespace llmc;

namespace llmc {
#define GEN_PASS_DEF_FACTORIZEKVCACHE
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc

namespace {

struct FactorizeKVCache : CalibratedPass<llmc::impl::FactorizeKVCacheBase<FactorizeKVCache>> {
  using CalibratedPass::CalibratedPass;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(changeFlat(module, [&] { return factorize(module); })))
      signalPassFailure();
  }

private:
  LogicalResult factorize(ModuleOp module) {
    FailureOr<StructureReport> result =
        StructureReport::start(module, getArgument(), report, getNamedPaths());
    if (failed(result) || failed(checkOptions(module)) || failed(findStepLayers(module)))
      return failure();
    auto step = module.lookupSymbol<func::FuncOp>(LLMCDialect::stepFunctionName);
    FailureOr<std::vector<CachedValues>> found = findCachedValues(step);
    if (failed(found))
      return failure();
    std::vector<ValueLatents> latents(found->size());
    std::vector<double> losses(found->size());
    for (auto [values, own] : llvm::zip_equal(*found, latents))
      if (failed(chooseRank(values, own)))
        return failure();
    if (failed(findLatents(module, *found, latents, losses)))
      return failure();
    for (auto [values, own] : llvm::zip_equal(*found, latents))
      if (own.a.empty())
        return values.attention.emitError(
            "expected an output projection that is run on calibration "
            "tokens, found none");
    ParameterRewrite rewrite(module);
    for (auto [values, own, loss] : llvm::zip_equal(*found, latents, losses)) {
      result->add({values.getWeight().getSymName().str(), describe(values.getCache(), own, loss)});
      if (failed(replaceValues(values, own, rewrite)))
        return failure();
    }
    if (failed(rewrite.store()))
      return failure();
    FailureOr<CacheChange> change = retypeValues(module, *found, latents);
    if (failed(change) || failed(result->finish(table)))
      return failure();
    reportState(module, getArgument(), change->before, change->after, table);
    return success();
  }

  LogicalResult checkOptions(ModuleOp module) {
    if (failed(checkDamp(module, damp)))
      return failure();
    if (!saveStatistics.empty() || !resume.empty())
      return module.emitError(saveStatistics.empty() ? "resume" : "save-statistics")
             << ": expected none: what is seen is of a copy of the model, and is not kept";
    if (rank < 0)
      return module.emitError("rank: expected at least 1, found ") << rank.getValue();
    if (!keep.empty() && rank != 0)
      return module.emitError("keep: expected no rank with it, found rank=") << rank.getValue();
    constexpr double usual = 0.75;
    share = usual;
    if (!keep.empty() && (StringRef(keep).getAsDouble(share) || !(share > 0 && share <= 1)))
      return module.emitError("keep: expected a number above 0, and at most 1, found '")
             << keep << "'";
    if (multiple < 1)
      return module.emitError("multiple: expected at least 1, found ") << multiple.getValue();
    if (heads < 0)
      return module.emitError("heads: expected at least 0, found ") << heads.getValue();
    return success();
  }

  /// How many numbers latents have, and of which heads each is.
  LogicalResult chooseRank(CachedValues &values, ValueLatents &latents) {
    KVCacheType cache = values.getCache();
    latents.headsTogether = heads == 0 ? cache.getValueHeads() : heads.getValue();
    if (cache.getValueHeads() % latents.headsTogether != 0)
      return values.attention.emitError("heads: expected a number that divides the ")
             << cache.getValueHeads() << " heads of values of a cache, found "
             << latents.headsTogether;
    const LatentShape shape = LatentShape::get(values, latents);
    const int64_t most = std::min(shape.rows, shape.columns);
    const auto kept = static_cast<int64_t>(share * static_cast<double>(shape.rows));
    const int64_t whole = kept < multiple ? std::max<int64_t>(kept, 1) : kept / multiple * multiple;
    latents.rank = rank != 0 ? rank.getValue() : std::min(whole, most);
    if (latents.rank > most)
      return values.attention.emitError("rank: expected at most ")
             << most << ", the full rank of " << shape.rows << "x" << shape.columns << ", found "
             << latents.rank;
    return success();
  }

  //===--------------------------------------------------------------------===//
  // Latents
  //===--------------------------------------------------------------------===//

  /// Fits latents to results of attention: those of a copy of the model in which each query head
  /// sums up the values of all heads that have one latent with its own, some layers at a time.
  LogicalResult findLatents(ModuleOp module, MutableArrayRef<CachedValues> found,
                            MutableArrayRef<ValueLatents> latents, MutableArrayRef<double> losses) {
    for (size_t first = 0; first < found.size();) {
      const int64_t most = getCalibrationOptions().memory;
      int64_t bytes = countBytes(found[first], latents[first]);
      size_t last = first + 1;
      for (; last < found.size(); ++last) {
        bytes += countBytes(found[last], latents[last]);
        if (bytes > most)
          break;
      }
      OwningOpRef<ModuleOp> copy = module.clone();
      FailureOr<std::vector<CachedValues>> copied =
          findCachedValues(copy->lookupSymbol<func::FuncOp>(LLMCDialect::stepFunctionName));
      if (failed(copied) ||
          failed(spread(*copy, MutableArrayRef(*copied).slice(first, last - first),
                        latents.slice(first, last - first))) ||
          failed(see(*copy, MutableArrayRef(*copied).slice(first, last - first), found.slice(first),
                     latents.slice(first), losses.slice(first))))
        return failure();
      first = last;
    }
    return success();
  }

  /// What the copy takes for a layer more than the model.
  static int64_t countBytes(CachedValues &values, const ValueLatents &latents) {
    const int64_t ofReader =
        getParameterOf(values.readers.front().getWeight()).getTensorType().getNumElements();
    return latents.headsTogether * ofReader * static_cast<int64_t>(sizeof(float));
  }

  static LogicalResult spread(ModuleOp copy, MutableArrayRef<CachedValues> values,
                              ArrayRef<ValueLatents> latents) {
    ParameterRewrite rewrite(copy);
    std::vector<ValueLatents> whole;
    for (auto [each, own] : llvm::zip_equal(values, latents)) {
      FailureOr<ValueLatents> spread = spreadValues(each, own.headsTogether);
      if (failed(spread) || failed(replaceValues(each, *spread, rewrite)))
        return failure();
      whole.push_back(std::move(*spread));
    }
    return success(succeeded(rewrite.store()) && succeeded(retypeValues(copy, values, whole)));
  }

  /// Runs the copy, of whose layers `copied` are spread: the first of `found`.
  LogicalResult see(ModuleOp copy, MutableArrayRef<CachedValues> copied,
                    MutableArrayRef<CachedValues> found, MutableArrayRef<ValueLatents> latents,
                    MutableArrayRef<double> losses) {
    constexpr int64_t rowsSeen = 4096;
    llvm::DenseMap<Operation *, size_t> ofReader;
    for (auto [index, values] : llvm::enumerate(copied))
      ofReader[getParameterOf(values.readers.front().getWeight())] = index;
    CalibrationRequest request;
    request.statistics = 0;
    request.inputRows = rowsSeen;
    request.key = getArgument().str();
    request.select = [&](LinearOp, ParameterOp parameter) { return ofReader.contains(parameter); };
    request.visit = [&](CalibrationSite &site) -> LogicalResult {
      for (ParameterOp parameter : site.parameters) {
        const size_t index = ofReader.lookup(parameter);
        FailureOr<double> loss = fitLatents(
            found[index],
            getMoments(found[index], latents[index].headsTogether, site.statistics.inputs), damp,
            latents[index]);
        if (failed(loss))
          return failure();
        losses[index] = *loss;
      }
      return success();
    };
    return calibrate(copy, getCalibrationOptions(), request);
  }

  //===--------------------------------------------------------------------===//
  // Report
  //===--------------------------------------------------------------------===//

  static std::vector<std::pair<std::string, llvm::json::Value>>
  describe(KVCacheType cache, const ValueLatents &latents, double loss) {
    auto spell = [](int64_t heads, int64_t size) {
      return std::to_string(heads) + "x" + std::to_string(size);
    };
    return {{"values", spell(cache.getValueHeads(), cache.getValueSize())},
            {"latents", spell(static_cast<int64_t>(latents.a.size()), latents.rank)},
            {"output error", loss}};
  }

  double share = 0; ///< of the numbers of values that latents have
};

} // namespace
