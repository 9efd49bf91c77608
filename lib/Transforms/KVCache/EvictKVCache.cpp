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

using namespace mlir;
using namespace llmc;

namespace llmc {
#define GEN_PASS_DEF_EVICTKVCACHE
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc

static std::string spellPositions(KVCacheType type) {
  std::string newest = "the newest " + std::to_string(type.getWindow());
  if (type.getFirst() == 0)
    return newest + " positions";
  return "the first " + std::to_string(type.getFirst()) + " and " + newest + " positions";
}

/// The widest window of the attentions that read a cache, or of what is made of it; none where one
/// has none.
static std::optional<int64_t> getWindow(Value cache) {
  std::optional<int64_t> widest = 0;
  auto widen = [&](std::optional<int64_t> window) {
    widest = widest && window ? std::optional(std::max(*widest, *window)) : std::nullopt;
  };
  for (Operation *user : cache.getUsers()) {
    if (auto attention = dyn_cast<AttentionOp>(user))
      widen(attention.getWindow());
    for (Value result : user->getResults())
      if (isa<KVCacheType>(result.getType()))
        widen(getWindow(result));
  }
  return widest;
}

namespace {

struct EvictKVCache : public llmc::impl::EvictKVCacheBase<EvictKVCache> {
  using EvictKVCacheBase::EvictKVCacheBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(changeFlat(module, [&] { return evict(module); })))
      signalPassFailure();
  }

private:
  LogicalResult evict(ModuleOp module) {
    FailureOr<int64_t> first = getFirst(module);
    if (failed(first))
      return failure();
    auto change =
        changeCaches(module, [&](int64_t, BlockArgument cache) { return convert(cache, *first); });
    if (failed(change))
      return failure();
    report(module, *change);
    return success();
  }

  /// How many of the first positions stay.
  FailureOr<int64_t> getFirst(ModuleOp module) {
    if (policy != "window" && policy != "sinks")
      return module.emitError("expected policy=window or policy=sinks, found '")
             << policy.getValue() << "'";
    if (budget <= 0)
      return module.emitError("expected a budget of at least 1 position, found ")
             << budget.getValue();
    constexpr int64_t unset = -1, usual = 4;
    int64_t first = sinks != unset ? sinks : policy == "sinks" ? usual : 0;
    if (policy == "window" && first != 0)
      return module.emitError("expected sinks with policy=sinks alone, found ")
             << sinks.getValue() << " with policy=window";
    if (first < 0 || first >= budget)
      return module.emitError("expected sinks of at least 0, and fewer than the budget of ")
             << budget.getValue() << " positions, found " << first;
    return first;
  }

  /// The type of a cache that keeps the first positions and the newest. Reports why that can't be,
  /// if so.
  KVCacheType convert(BlockArgument cache, int64_t first) {
    auto type = cast<KVCacheType>(cache.getType());
    auto fail = [&] { return emitError(cache.getLoc()) << type << ": "; };
    // What a layer's own window has left is read no more.
    std::optional<int64_t> window = getWindow(cache);
    if (window && *window > 0)
      return type.withBudget(fail, std::min<int64_t>(budget, *window), /*first=*/0);
    return type.withBudget(fail, budget, first);
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
