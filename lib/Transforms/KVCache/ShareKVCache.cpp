//===- ShareKVCache.cpp - neighbouring layers read one cache ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Blocks.h"
#include "llmc/Transforms/KVCache/CacheTypes.h"
#include "llmc/Transforms/Passes.h"
#include "llmc/Transforms/Pruning/LayerPruning.h"
#include "llmc/Transforms/Pruning/StructureReport.h"
#include "llmc/Transforms/Pruning/UnreadParts.h"

using namespace mlir;
using namespace llmc;

namespace llmc {
#define GEN_PASS_DEF_SHAREKVCACHE
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc

namespace {

/// Layers `first` to `last`, which read one cache.
struct SharingLayers {
  int64_t first, last;
};

} // namespace

//===----------------------------------------------------------------------===//
// What layers store alike
//===----------------------------------------------------------------------===//

/// What an attention reads: the keys and values that are stored behind all others.
static CacheAppendOp getAppend(AttentionOp attention) {
  return attention.getCache().getDefiningOp<CacheAppendOp>();
}

/// What becomes of a linear's result on its way to a cache, the last first.
static SmallVector<Operation *> findWay(Value stored) {
  SmallVector<Operation *> way;
  while (isa_and_nonnull<RopeOp, HadamardOp, ScaleOp, ActivationOp, RMSNormOp, LayerNormOp>(
      stored.getDefiningOp())) {
    way.push_back(stored.getDefiningOp());
    stored = stored.getDefiningOp()->getOperand(0);
  }
  return way;
}

static std::string spellStep(Operation *op) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << "'" << op->getName() << "' " << op->getAttrDictionary();
  return text;
}

/// Reports where `stored` by a layer is computed otherwise than `first` is by the first of its
/// group.
static LogicalResult checkWay(StringRef what, CacheAppendOp firstAppend, Value first,
                              CacheAppendOp append, Value stored) {
  const SmallVector<Operation *> expected = findWay(first), found = findWay(stored);
  const size_t most = std::max(expected.size(), found.size());
  for (size_t i = 0; i < most; ++i) {
    Operation *a = i < expected.size() ? expected[i] : nullptr;
    Operation *b = i < found.size() ? found[i] : nullptr;
    if (a && b && a->getName() == b->getName() && a->getAttrDictionary() == b->getAttrDictionary())
      continue;
    InFlightDiagnostic error = (b ? b : append.getOperation())->emitOpError("expected ");
    error << what << " made like those of the cache to read, by "
          << (a ? spellStep(a) : std::string("nothing else")) << ", found "
          << (b ? spellStep(b) : std::string("nothing else"));
    error.attachNote((a ? a : firstAppend.getOperation())->getLoc()) << "the others are made here";
    return error;
  }
  return success();
}

static LogicalResult checkAlike(AttentionOp first, AttentionOp other) {
  CacheAppendOp expected = getAppend(first), found = getAppend(other);
  for (auto [attention, append] : {std::pair(first, expected), std::pair(other, found)})
    if (!append)
      return attention.emitOpError("expected a cache to which llmc.cache_append has added, found ")
             << attention.getCache();
  KVCacheType type = expected.getCache().getType();
  if (type != found.getCache().getType()) {
    InFlightDiagnostic error = other.emitOpError("expected a cache like that to read, ")
                               << type << ", found " << found.getCache().getType();
    error.attachNote(first.getLoc()) << "the cache to read is this layer's";
    return error;
  }
  if (type.choosesPositions())
    return other.emitOpError("expected a cache of which attention chooses no positions, found ")
           << type << ", of which two layers would choose";
  if (failed(checkWay("keys", expected, expected.getKeys(), found, found.getKeys())))
    return failure();
  return checkWay("values", expected, expected.getValues(), found, found.getValues());
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {

struct ShareKVCache : public llmc::impl::ShareKVCacheBase<ShareKVCache> {
  using ShareKVCacheBase::ShareKVCacheBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(changeFlat(module, [&] { return share(module); })))
      signalPassFailure();
  }

private:
  LogicalResult share(ModuleOp module) {
    FailureOr<StructureReport> result = StructureReport::start(module, getArgument(), report);
    if (failed(result) || failed(findStepLayers(module)))
      return failure();
    auto step = module.lookupSymbol<func::FuncOp>(LLMCDialect::stepFunctionName);
    SmallVector<AttentionOp> attentions(step.getOps<AttentionOp>());
    auto groups = getGroups(module, static_cast<int64_t>(attentions.size()));
    if (failed(groups))
      return failure();
    const SmallVector<BlockArgument> caches = getCaches(module);
    const CacheBytes before = countBytes(module);
    SmallVector<CacheAppendOp> replaced;
    for (const SharingLayers &group : *groups) {
      AttentionOp first = attentions[group.first];
      for (int64_t layer = group.first + 1; layer <= group.last; ++layer) {
        AttentionOp other = attentions[layer];
        if (failed(checkAlike(first, other)))
          return failure();
        if (getAppend(other) == getAppend(first))
          continue;
        replaced.push_back(getAppend(other));
        other.getCacheMutable().assign(first.getCache());
      }
      result->add({"layers " + std::to_string(group.first) + " to " + std::to_string(group.last),
                   {{"cache", llvm::find(caches, getAppend(first).getCache()) - caches.begin()}}});
    }
    if (failed(eraseUnreadParts(step, replaced)) || failed(result->finish(table)))
      return failure();
    reportState(module, getArgument(), before, countBytes(module), table);
    return success();
  }

  /// Of `count` layers.
  FailureOr<SmallVector<SharingLayers>> getGroups(ModuleOp module, int64_t count) {
    SmallVector<std::string> texts(layers.begin(), layers.end());
    if (texts.empty())
      texts.push_back("2");
    int64_t size = 0;
    if (texts.size() == 1 && !StringRef(texts.front()).getAsInteger(10, size))
      return groupAll(module, count, size);
    SmallVector<SharingLayers> groups;
    for (StringRef text : texts) {
      SharingLayers group{};
      const auto [first, last] = text.split('-');
      if (first.getAsInteger(10, group.first) || last.getAsInteger(10, group.last))
        return module.emitError("layers: expected a number, or ranges FIRST-LAST, found '")
               << text << "'";
      if (group.last <= group.first || group.last >= count)
        return module.emitError("layers: expected a range of at least two of the layers 0 to ")
               << count - 1 << ", found '" << text << "'";
      for (const SharingLayers &other : groups)
        if (group.first <= other.last && other.first <= group.last)
          return module.emitError("layers: expected each layer in one range, found ")
                 << std::max(group.first, other.first) << " in two";
      groups.push_back(group);
    }
    return groups;
  }

  static FailureOr<SmallVector<SharingLayers>> groupAll(ModuleOp module, int64_t count,
                                                        int64_t size) {
    if (size < 2 || size > count)
      return module.emitError("layers: expected 2 to ")
             << count << " layers that share a cache, found " << size;
    SmallVector<SharingLayers> groups;
    for (int64_t first = 0; first + 1 < count; first += size)
      groups.push_back({first, std::min(first + size, count) - 1});
    return groups;
  }

  static CacheBytes countBytes(ModuleOp module) {
    CacheBytes bytes;
    for (BlockArgument cache : getCaches(module))
      bytes.add(cast<KVCacheType>(cache.getType()));
    return bytes;
  }
};

} // namespace
