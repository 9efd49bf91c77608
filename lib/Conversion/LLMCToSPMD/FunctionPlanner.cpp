//===- FunctionPlanner.cpp - plans one function of a model as stages ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FunctionPlanner.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace llmc;

using spmd::Field;

FunctionPlanner::FunctionPlanner(PlanContext &context, func::FuncOp source)
    : context(context), source(source), builder(source.getContext()), location(source.getLoc()) {}

/// Whether an operation's stage is shared out by rows.
static bool worksByRows(Operation *op) { return !isa<LinearOp, AttentionOp, func::CallOp>(op); }

SmallVector<Operation *> FunctionPlanner::order() {
  // An operation's level is the number of barriers that must come before it. Equal levels keep
  // their order, so what an operation needs comes first.
  DenseMap<Operation *, int64_t> levels;
  // A cache is written in place: whatever touches it keeps its order, also where no value says so.
  DenseMap<Value, Value> memory; // by later state of a cache
  DenseMap<Value, Operation *> lastTouch;
  SmallVector<Operation *> ops;
  for (Operation &op : source.front().without_terminator()) {
    int64_t level = 0;
    auto follow = [&](Operation *producer) {
      if (!producer || isa<ParameterValueOp, PositionsOp>(producer))
        return;
      bool together = worksByRows(producer) && worksByRows(&op);
      level = std::max(level, levels[producer] + (together ? 0 : 1));
    };
    for (Value operand : op.getOperands()) {
      follow(operand.getDefiningOp());
      if (!isa<KVCacheType>(operand.getType()))
        continue;
      Value cache = memory.lookup_or(operand, operand);
      for (Value result : op.getResults())
        if (isa<KVCacheType>(result.getType()))
          memory[result] = cache;
      Operation *&last = lastTouch[cache];
      follow(last);
      last = &op;
    }
    levels[&op] = level;
    ops.push_back(&op);
  }
  auto places = llvm::to_vector(llvm::seq<size_t>(0, ops.size()));
  llvm::sort(places, [&](size_t a, size_t b) {
    return std::pair(levels[ops[a]], a) < std::pair(levels[ops[b]], b);
  });
  return llvm::map_to_vector(places, [&](size_t place) { return ops[place]; });
}

LinearOp FunctionPlanner::getFusedLinear(Operation *op) {
  auto add = dyn_cast<arith::AddFOp>(op);
  if (!add)
    return nullptr;
  for (Value operand : add->getOperands())
    if (auto linear = operand.getDefiningOp<LinearOp>(); linear && linear->hasOneUse())
      return linear;
  return nullptr;
}

LogicalResult FunctionPlanner::planBody() {
  for (Operation &op : source.front())
    for (Value operand : op.getOperands())
      ++remainingUses[operand];
  for (Operation *op : order()) {
    if (failed(planOp(op)))
      return failure();
    // A fused linear reads its operands where the addition stands.
    auto linear = dyn_cast<LinearOp>(op);
    bool deferred =
        linear && linear->hasOneUse() && getFusedLinear(*linear->user_begin()) == linear;
    if (!deferred)
      releaseOperands(op);
    if (LinearOp fused = getFusedLinear(op))
      releaseOperands(fused);
  }
  return success();
}

LogicalResult FunctionPlanner::planOp(Operation *op) {
  if (LinearOp linear = getFusedLinear(op)) {
    auto add = cast<arith::AddFOp>(op);
    Value residual = add.getLhs() == linear.getResult() ? add.getRhs() : add.getLhs();
    return planLinear(linear, residual, add.getResult());
  }
  if (auto linear = dyn_cast<LinearOp>(op)) {
    if (linear->hasOneUse() && getFusedLinear(*linear->user_begin()) == linear)
      return success();
    return planLinear(linear, nullptr, linear.getResult());
  }
  if (auto embedding = dyn_cast<EmbeddingOp>(op))
    return planEmbedding(embedding);
  if (auto rows = dyn_cast<OutputRowsOp>(op))
    return planOutputRows(rows);
  if (auto norm = dyn_cast<RMSNormOp>(op))
    return planNorm(op, norm.getInput(), norm.getGain(), nullptr);
  if (auto norm = dyn_cast<LayerNormOp>(op))
    return planNorm(op, norm.getInput(), norm.getGain(), norm.getBias());
  if (auto rope = dyn_cast<RopeOp>(op))
    return planRope(rope);
  if (auto append = dyn_cast<CacheAppendOp>(op))
    return planAppend(append);
  if (auto attention = dyn_cast<AttentionOp>(op))
    return planAttention(attention);
  if (auto call = dyn_cast<func::CallOp>(op))
    return planCall(call);
  if (isa<ParameterValueOp>(op)) {
    auto parameter = SymbolTable::lookupNearestSymbolFrom<ParameterOp>(
        op, cast<ParameterValueOp>(op).getParameterAttr());
    Place place;
    place.address = pointerTo(spmd::FieldOp::create(builder, location,
                                                    LLVM::LLVMPointerType::get(op->getContext()),
                                                    step, Field::Weights),
                              context.weights.lookup(parameter).offset);
    place.space = -1; // weights are never written
    places[op->getResult(0)] = place;
    return success();
  }
  if (isa<PositionsOp>(op)) {
    Place place;
    place.address = spmd::FieldOp::create(
        builder, location, LLVM::LLVMPointerType::get(op->getContext()), step, Field::Positions);
    place.space = -1;
    places[op->getResult(0)] = place;
    return success();
  }
  if (isa<ActivationOp, ScaleOp, GateOp, arith::AddFOp>(op))
    return planElementwise(op);
  return op->emitOpError("has no kernel for CPUs");
}
