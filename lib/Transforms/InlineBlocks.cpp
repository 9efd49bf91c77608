//===- InlineBlocks.cpp - bodies of blocks in the place of their calls ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/LLMC/IR/LLMC.h"
#include "llmc/Transforms/Blocks.h"
#include "llmc/Transforms/Passes.h"

#include "mlir/Analysis/CallGraph.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SCCIterator.h"

using namespace mlir;
using namespace llmc;

namespace llmc {
#define GEN_PASS_DEF_INLINEBLOCKS
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc

/// Far above any model's: functions that call each other can ask for any number of operations.
static constexpr int64_t maxOperations = 1 << 18;

/// Clones the callee's body before the call, and adds the calls in it to `calls`.
static void inlineCall(func::CallOp call, func::FuncOp callee,
                       SmallVectorImpl<func::CallOp> &calls) {
  IRMapping mapping;
  mapping.map(callee.getArguments(), call.getOperands());
  OpBuilder builder(call);
  Block &body = callee.front();
  for (Operation &op : body.without_terminator())
    if (auto nested = dyn_cast<func::CallOp>(builder.clone(op, mapping)))
      calls.push_back(nested);
  for (auto [result, value] : llvm::zip(call.getResults(), body.getTerminator()->getOperands()))
    result.replaceAllUsesWith(mapping.lookupOrDefault(value));
  call.erase();
}

/// Erases those of `functions` that are called from nothing but each other.
static void eraseUnreached(ModuleOp module, SymbolTable &symbols,
                           const llvm::DenseSet<Operation *> &functions) {
  SmallVector<Operation *> reached;
  for (Operation &op : *module.getBody())
    if (!functions.contains(&op))
      reached.push_back(&op);
  llvm::DenseSet<Operation *> kept;
  for (size_t i = 0; i < reached.size(); ++i) {
    std::optional<SymbolTable::UseRange> uses = SymbolTable::getSymbolUses(reached[i]);
    if (!uses)
      return;
    for (SymbolTable::SymbolUse use : *uses) {
      Operation *used = symbols.lookup(use.getSymbolRef().getRootReference());
      if (used && functions.contains(used) && kept.insert(used).second)
        reached.push_back(used);
    }
  }
  for (auto function : llvm::make_early_inc_range(module.getOps<func::FuncOp>()))
    if (functions.contains(function) && !kept.contains(function))
      symbols.erase(function);
}

/// A function that is inlined wherever it is called.
static bool isInlined(func::FuncOp function, func::FuncOp step) {
  return function && function != step && function.isPrivate() && !function.isExternal() &&
         function.getBody().hasOneBlock();
}

/// Refuses functions that inlining would never come to the end of.
static LogicalResult checkCallsEnd(ModuleOp module, func::FuncOp step) {
  const CallGraph graph(module);
  for (auto nodes = llvm::scc_begin(&graph); !nodes.isAtEnd(); ++nodes) {
    if (!nodes.hasCycle())
      continue;
    for (CallGraphNode *node : *nodes) {
      auto function = node->isExternal()
                          ? func::FuncOp()
                          : dyn_cast<func::FuncOp>(node->getCallableRegion()->getParentOp());
      if (isInlined(function, step))
        return function.emitOpError("expected functions that do not call themselves, found @")
               << function.getName();
    }
  }
  return success();
}

LogicalResult llmc::inlineBlocks(ModuleOp module) {
  SymbolTable symbols(module);
  auto step = symbols.lookup<func::FuncOp>(LLMCDialect::stepFunctionName);
  if (!step || step.isExternal())
    return success();
  if (failed(checkCallsEnd(module, step)))
    return failure();
  SmallVector<func::CallOp> calls(step.getOps<func::CallOp>());
  llvm::DenseSet<Operation *> inlined;
  int64_t operations = 0;
  while (!calls.empty()) {
    func::CallOp call = calls.pop_back_val();
    auto callee = symbols.lookup<func::FuncOp>(call.getCallee());
    if (!isInlined(callee, step))
      continue;
    operations += callee.front().getOperations().size();
    if (operations > maxOperations)
      return call.emitOpError("expected blocks of at most ")
             << maxOperations << " operations in all, found more when inlining @"
             << callee.getName();
    inlineCall(call, callee, calls);
    inlined.insert(callee);
  }
  eraseUnreached(module, symbols, inlined);
  return success();
}

LogicalResult llmc::changeFlat(ModuleOp module, function_ref<LogicalResult()> change) {
  auto step = module.lookupSymbol<func::FuncOp>(LLMCDialect::stepFunctionName);
  if (llvm::any_of(module.getOps(),
                   [](Operation &op) { return op.getName().getDialectNamespace() == "onnx"; }))
    return module.emitError("expected a raised module, found one of the carrier: --raise-onnx "
                            "raises it");
  bool hadBlocks = step && !step.getOps<func::CallOp>().empty();
  if (failed(inlineBlocks(module)) || failed(change()))
    return failure();
  if (hadBlocks)
    outlineBlocks(module);
  return success();
}

namespace {

struct InlineBlocksPass : public llmc::impl::InlineBlocksBase<InlineBlocksPass> {
  using InlineBlocksBase::InlineBlocksBase;

  void runOnOperation() override {
    if (failed(inlineBlocks(getOperation())))
      signalPassFailure();
  }
};

} // namespace
