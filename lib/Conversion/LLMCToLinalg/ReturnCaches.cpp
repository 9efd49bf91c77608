//===- ReturnCaches.cpp - caches as values that functions return ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/LLMCToLinalg/LLMCToLinalg.h"
#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace llmc;

static bool isCache(Value value) { return isa<KVCacheType>(value.getType()); }

static SmallVector<Type> getCacheTypes(TypeRange types) {
  SmallVector<Type> caches;
  llvm::copy_if(types, std::back_inserter(caches), llvm::IsaPred<KVCacheType>);
  return caches;
}

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

/// Two names of one cache would become two values.
static LogicalResult checkCall(func::CallOp call) {
  SmallVector<Value> caches;
  llvm::copy_if(call.getOperands(), std::back_inserter(caches), isCache);
  for (auto [index, cache] : llvm::enumerate(caches))
    if (llvm::is_contained(ArrayRef(caches).take_front(index), cache))
      return call.emitOpError("expected every cache to be passed once, found one passed twice");
  return success();
}

static LogicalResult checkFunction(func::FuncOp function) {
  for (Type type : function.getResultTypes())
    if (isa<KVCacheType>(type))
      return function.emitOpError(
                 "expected no caches as results, which are updated in place, found ")
             << type;
  bool hasCaches = !getCacheTypes(function.getArgumentTypes()).empty();
  if (hasCaches && !function.isExternal() && !function.getBody().hasOneBlock())
    return function.emitOpError("expected one block in a function of caches, found ")
           << function.getBody().getBlocks().size();
  WalkResult result = function.walk([&](Operation *op) -> WalkResult {
    if (op == function || llvm::none_of(op->getOperands(), isCache))
      return WalkResult::advance();
    if (op->getParentOp() != function)
      return op->emitOpError("expected a cache to be used in the body of a function, found ")
             << op->getParentOp()->getName() << " around";
    auto call = dyn_cast<func::CallOp>(op);
    return call ? WalkResult(checkCall(call)) : WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

//===----------------------------------------------------------------------===//
// Changes
//===----------------------------------------------------------------------===//

/// From here on `before` is called `after`.
static void replaceLaterUses(Value before, Value after) {
  Operation *definition = after.getDefiningOp();
  before.replaceUsesWithIf(
      after, [&](OpOperand &use) { return definition->isBeforeInBlock(use.getOwner()); });
}

/// Lets a call return the caches that it takes.
static void returnCachesOf(func::CallOp call) {
  SmallVector<Type> types(call.getResultTypes());
  llvm::append_range(types, getCacheTypes(call.getOperandTypes()));
  OpBuilder builder(call);
  auto changed =
      func::CallOp::create(builder, call.getLoc(), call.getCallee(), types, call.getOperands());
  unsigned results = call.getNumResults();
  call.replaceAllUsesWith(changed.getResults().take_front(results));
  call.erase();
  for (Value operand : llvm::to_vector(changed.getOperands()))
    if (isCache(operand))
      replaceLaterUses(operand, changed.getResult(results++));
}

static void returnCachesOf(func::FuncOp function) {
  SmallVector<Type> results(function.getResultTypes());
  llvm::append_range(results, getCacheTypes(function.getArgumentTypes()));
  // The attributes of results have a place for each.
  SmallVector<DictionaryAttr> attributes;
  function.getAllResultAttrs(attributes);
  function.setType(FunctionType::get(function.getContext(), function.getArgumentTypes(), results));
  if (!attributes.empty()) {
    attributes.resize(results.size(), DictionaryAttr::get(function.getContext()));
    function.setAllResultAttrs(attributes);
  }
  if (function.isExternal())
    return;
  // Every argument is named by the return; appends and calls replace it there as everywhere.
  Operation *end = function.front().getTerminator();
  for (BlockArgument argument : function.getArguments())
    if (isCache(argument))
      end->insertOperands(end->getNumOperands(), argument);
  for (Operation &op : llvm::make_early_inc_range(function.front())) {
    auto stage = dyn_cast<StageOpInterface>(op);
    if (Value updated = stage ? stage.getUpdatedOperand() : Value())
      replaceLaterUses(updated, stage.getUpdatedResult());
    else if (auto call = dyn_cast<func::CallOp>(op);
             call && llvm::any_of(call.getOperands(), isCache))
      returnCachesOf(call);
  }
}

LogicalResult llmc::returnCaches(ModuleOp module) {
  SmallVector<func::FuncOp> functions;
  module.walk([&](func::FuncOp function) { functions.push_back(function); });
  for (func::FuncOp function : functions)
    if (failed(checkFunction(function)))
      return failure();
  for (func::FuncOp function : functions)
    if (!getCacheTypes(function.getArgumentTypes()).empty())
      returnCachesOf(function);
  return success();
}
