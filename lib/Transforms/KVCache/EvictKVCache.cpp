//===- EvictKVCache.cpp - fewer positions in caches ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Blocks.h"
#include "llmc/Transforms/KVCache/CacheTypes.h"
#include "llmc/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace llmc;

namespace llmc {
#define GEN_PASS_DEF_EVICTKVCACHE
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc

static std::string spellPositions(KVCacheType type) {
  SmallVector<std::string> parts;
  if (type.getFirst() != 0)
    parts.push_back("the first " + std::to_string(type.getFirst()));
  if (type.choosesPositions())
    parts.push_back(std::to_string(type.getHeavy()) + " of most weight" +
                    (type.getObserved() == 0
                         ? std::string()
                         : " by " + std::to_string(type.getObserved()) + " queries"));
  std::string text = llvm::join(parts, ", ");
  return text + (parts.empty() ? "" : " and ") + "the newest " + std::to_string(type.getWindow()) +
         " positions";
}

/// The attentions that read a cache, or what is made of it.
static SmallVector<AttentionOp> findReaders(Value cache) {
  SmallVector<AttentionOp> readers;
  for (Operation *user : cache.getUsers()) {
    if (auto attention = dyn_cast<AttentionOp>(user))
      readers.push_back(attention);
    for (Value result : user->getResults())
      if (isa<KVCacheType>(result.getType()))
        llvm::append_range(readers, findReaders(result));
  }
  return readers;
}

/// The widest window of the attentions that read a cache; none where one has none.
static std::optional<int64_t> getWindow(Value cache) {
  int64_t widest = 0;
  for (AttentionOp attention : findReaders(cache)) {
    if (!attention.getWindow())
      return std::nullopt;
    widest = std::max(widest, static_cast<int64_t>(*attention.getWindow()));
  }
  return widest;
}

static bool hasOwnWindow(Value cache) {
  std::optional<int64_t> window = getWindow(cache);
  return window && *window > 0;
}

/// Attention gives the cache that it updates where that chooses positions, and only there.
static void updateCaches(ModuleOp module) {
  SmallVector<AttentionOp> attentions;
  module.walk([&](AttentionOp attention) {
    if (attention.getCache().getType().choosesPositions() != (attention.getUpdated() != nullptr))
      attentions.push_back(attention);
  });
  for (AttentionOp attention : attentions) {
    KVCacheType cache = attention.getCache().getType();
    SmallVector<Type> types{attention.getResult().getType()};
    if (cache.choosesPositions())
      types.push_back(cache);
    OpBuilder builder(attention);
    auto changed = AttentionOp::create(builder, attention.getLoc(), types, attention->getOperands(),
                                       attention->getAttrs());
    attention.getResult().replaceAllUsesWith(changed.getResult());
    if (attention.getUpdated())
      attention.getUpdated().replaceAllUsesWith(attention.getCache());
    attention.erase();
  }
}

namespace {

/// Which positions stay: the first, those that are chosen, and the newest; and how many queries
/// choose together, 0 where each does.
struct Kept {
  int64_t first, heavy, newest, observed;
};

struct EvictKVCache : public llmc::impl::EvictKVCacheBase<EvictKVCache> {
  using EvictKVCacheBase::EvictKVCacheBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(changeFlat(module, [&] { return evict(module); })))
      signalPassFailure();
  }

private:
  LogicalResult evict(ModuleOp module) {
    FailureOr<Kept> kept = getKept(module);
    if (failed(kept))
      return failure();
    SmallVector<int64_t> heavy = shareHeavy(module, kept->heavy);
    auto change = changeCaches(module, [&](int64_t number, BlockArgument cache) {
      Kept own = *kept;
      own.heavy = heavy[number];
      return convert(cache, own);
    });
    if (failed(change))
      return failure();
    updateCaches(module);
    report(module, *change);
    return success();
  }

  FailureOr<Kept> getKept(ModuleOp module) {
    if (!llvm::is_contained({"window", "sinks", "h2o", "snapkv", "pyramid"}, policy.getValue()))
      return module.emitError("expected policy=window, policy=sinks, policy=h2o, policy=snapkv or "
                              "policy=pyramid, found '")
             << policy.getValue() << "'";
    if (budget <= 0)
      return module.emitError("expected a budget of at least 1 position, found ")
             << budget.getValue();
    FailureOr<int64_t> first = getFirst(module);
    if (failed(first))
      return failure();
    if (policy != "h2o" && recent != 0)
      return module.emitError("expected recent with policy=h2o alone, found ")
             << recent.getValue() << " with policy=" << policy.getValue();
    if (!isObserved() && observe != 0)
      return module.emitError("expected observe with policy=snapkv or policy=pyramid, found ")
             << observe.getValue() << " with policy=" << policy.getValue();
    if (policy == "h2o")
      return getHeavyHitters(module, *first);
    if (isObserved())
      return getObserved(module, *first);
    return Kept{*first, /*heavy=*/0, budget - *first, /*observed=*/0};
  }

  bool isObserved() const { return policy == "snapkv" || policy == "pyramid"; }

  /// How many of the first positions stay.
  FailureOr<int64_t> getFirst(ModuleOp module) {
    constexpr int64_t unset = -1, usual = 4;
    int64_t first = sinks != unset ? sinks : policy == "window" ? 0 : usual;
    if (policy == "window" && first != 0)
      return module.emitError("expected no sinks with policy=window, found ") << sinks.getValue();
    if (first < 0 || first >= budget)
      return module.emitError("expected sinks of at least 0, and fewer than the budget of ")
             << budget.getValue() << " positions, found " << first;
    return first;
  }

  /// Where each query chooses by what all before it have given weight to.
  FailureOr<Kept> getHeavyHitters(ModuleOp module, int64_t first) {
    int64_t newest = recent != 0 ? recent : std::max<int64_t>(1, budget / 2);
    int64_t heavy = budget - first - newest;
    if (newest < 1 || heavy < 1)
      return module.emitError("expected at least 1 recent position, and at least 1 more of the "
                              "budget of ")
             << budget.getValue() << " beside " << first << " sinks and these, found " << newest;
    return Kept{first, heavy, newest, /*observed=*/0};
  }

  /// Where some queries choose together, beside which as many before them stay.
  FailureOr<Kept> getObserved(ModuleOp module, int64_t first) {
    constexpr int64_t usual = 16;
    int64_t observed = observe != 0 ? observe : usual;
    if (observed < 1 || observed > budget / 2)
      return module.emitError(
                 "expected observe of at least 1, and of at most half of the budget of ")
             << budget.getValue() << " positions, found " << observed;
    // Half of them are chosen in the last layer of a pyramid.
    int64_t heavy = budget - first - 2 * observed, least = policy == "pyramid" ? 2 : 1;
    if (heavy < least)
      return module.emitError("expected a budget of at least ")
             << first + 2 * observed + least << " positions, " << first << " sinks, twice "
             << observed << " that observe and " << least << " to choose, found "
             << budget.getValue();
    return Kept{first, heavy, 2 * observed, observed};
  }

  /// How many positions each cache chooses, `heavy` on average.
  SmallVector<int64_t> shareHeavy(ModuleOp module, int64_t heavy) {
    SmallVector<int64_t> shares;
    int64_t count = 0;
    for (BlockArgument cache : getCaches(module)) {
      shares.push_back(heavy);
      count += !hasOwnWindow(cache);
    }
    // What no cache can keep is refused where it gets its type.
    constexpr int64_t most = int64_t(1) << 32;
    if (policy != "pyramid" || count < 2 || heavy > most)
      return shares;
    // Of the layers up to each, in units of 1 / (2 · (count − 1)): 3/2 of `heavy` for the first,
    // 1/2 for the last.
    int64_t layer = 0, before = 0, unit = 2 * (count - 1);
    for (auto [cache, share] : llvm::zip_equal(getCaches(module), shares)) {
      if (hasOwnWindow(cache))
        continue;
      ++layer;
      int64_t sum = layer * (3 * (count - 1) - (layer - 1)) * heavy;
      int64_t upTo = (2 * sum + unit) / (2 * unit);
      share = upTo - before;
      before = upTo;
    }
    return shares;
  }

  /// The type of a cache that keeps these positions and the newest. Reports why that can't be, if
  /// so.
  KVCacheType convert(BlockArgument cache, Kept kept) {
    auto type = cast<KVCacheType>(cache.getType());
    auto fail = [&] { return emitError(cache.getLoc()) << type << ": "; };
    // What a layer's own window has left is read no more.
    if (hasOwnWindow(cache))
      return type.withBudget(fail, std::min<int64_t>(budget, *getWindow(cache)), /*first=*/0,
                             /*heavy=*/0, /*observed=*/0);
    if (size_t readers = findReaders(cache).size(); kept.heavy != 0 && readers > 1) {
      fail() << "expected one layer to read a cache of which it chooses positions, found "
             << readers << ": policy=sinks and policy=window can be of caches that layers share";
      return {};
    }
    return type.withBudget(fail, kept.first + kept.heavy + kept.newest, kept.first, kept.heavy,
                           kept.observed);
  }

  void report(ModuleOp module, const CacheChange &change) {
    std::string spelled = change.spell(spellPositions);
    auto options = remark::RemarkOpts::name(getArgument()).category("compression");
    remark::passed(module.getLoc(), options)
        << remark::metric("caches", static_cast<int64_t>(change.types.size()))
        << remark::metric("positions", spelled)
        << remark::metric("state_bytes", change.after.state);
    if (table)
      llvm::errs() << getArgument() << ": " << spelled << ": " << change.after.state
                   << " bytes of state per session, " << change.before.state << " before\n";
  }
};

} // namespace
