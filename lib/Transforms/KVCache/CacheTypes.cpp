//===- CacheTypes.cpp - other types for the caches of a model ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/KVCache/CacheTypes.h"
#include "llmc/Dialect/LLMC/IR/CacheLayout.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Remarks.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace llmc;

void CacheBytes::add(KVCacheType type) {
  CacheLayout layout = CacheLayout::get(placePositions(type, usualRowsOfStep));
  position += layout.getPositionBytes();
  state = static_cast<int64_t>(llvm::alignTo(state, 64)) + layout.size;
}

void llmc::reportState(ModuleOp module, StringRef pass, const CacheBytes &before,
                       const CacheBytes &after, bool table) {
  auto options = remark::RemarkOpts::name(pass).category("compression");
  remark::passed(module.getLoc(), options) << remark::metric("bytes_per_position", after.position)
                                           << remark::metric("state_bytes", after.state);
  if (table)
    llvm::errs() << pass << ": " << after.position << " bytes per position, " << before.position
                 << " before; " << after.state << " bytes of state per session, " << before.state
                 << " before\n";
}

std::string CacheChange::spell(function_ref<std::string(KVCacheType)> spell) const {
  SmallVector<std::pair<std::string, int64_t>> runs;
  for (KVCacheType type : types) {
    std::string text = spell(type);
    if (runs.empty() || runs.back().first != text)
      runs.push_back({text, 0});
    ++runs.back().second;
  }
  std::string result;
  for (const auto &[text, count] : runs)
    result += (result.empty() ? "" : "; ") + std::to_string(count) +
              (count == 1 && runs.size() > 1 ? " cache, " : " caches, ") + text;
  return result;
}

static bool isCache(Value value) { return isa<KVCacheType>(value.getType()); }

/// Reports caches that are used elsewhere, if so.
static LogicalResult checkUses(func::FuncOp step) {
  for (auto call : step.getOps<func::CallOp>())
    if (llvm::any_of(call.getOperands(), isCache))
      return call.emitOpError("expected caches to be used in @")
             << step.getName() << " and its blocks alone, found one that @" << call.getCallee()
             << " takes";
  return success();
}

/// What updates a cache has its type.
static void retypeUpdates(func::FuncOp step) {
  step.walk([](Operation *op) {
    for (Value result : op->getResults())
      if (isCache(result))
        for (Value operand : op->getOperands())
          if (isCache(operand))
            result.setType(operand.getType());
  });
}

SmallVector<BlockArgument> llmc::getCaches(ModuleOp module) {
  SmallVector<BlockArgument> caches;
  auto step = module.lookupSymbol<func::FuncOp>(LLMCDialect::stepFunctionName);
  if (step && !step.isExternal())
    llvm::copy_if(step.getArguments(), std::back_inserter(caches), isCache);
  return caches;
}

FailureOr<CacheChange>
llmc::changeCaches(ModuleOp module,
                   function_ref<KVCacheType(int64_t number, BlockArgument cache)> convert) {
  CacheChange change;
  SmallVector<BlockArgument> caches = getCaches(module);
  if (caches.empty())
    return module.emitError("expected a model with caches, found none");
  for (auto [number, cache] : llvm::enumerate(caches)) {
    KVCacheType type = convert(static_cast<int64_t>(number), cache);
    if (!type)
      return failure();
    change.before.add(cast<KVCacheType>(cache.getType()));
    change.after.add(type);
    change.types.push_back(type);
  }
  auto step = module.lookupSymbol<func::FuncOp>(LLMCDialect::stepFunctionName);
  if (failed(checkUses(step)))
    return failure();
  for (auto [cache, type] : llvm::zip_equal(caches, change.types))
    cache.setType(type);
  retypeUpdates(step);
  step.setFunctionType(FunctionType::get(
      module.getContext(), step.getBody().front().getArgumentTypes(), step.getResultTypes()));
  return change;
}
