//===- FunctionPlanner.cpp - plans one function of a model as stages ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FunctionPlanner.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace llmc;

using spmd::Extent;

FunctionPlanner::FunctionPlanner(PlanContext &context, func::FuncOp source)
    : context(context), source(source), builder(source.getContext()), location(source.getLoc()) {}

//===----------------------------------------------------------------------===//
// What is known of operations
//===----------------------------------------------------------------------===//

static bool isRowWise(Operation *op) {
  if (auto stageOp = dyn_cast<StageOpInterface>(op))
    return stageOp.isRowWise();
  return op->hasTrait<OpTrait::Elementwise>();
}

static SmallVector<Value> getRowOperands(Operation *op) {
  if (auto stageOp = dyn_cast<StageOpInterface>(op))
    return stageOp.getRowOperands();
  return SmallVector<Value>(op->getOperands());
}

static bool choosesRows(Operation *op) {
  auto stageOp = dyn_cast<StageOpInterface>(op);
  return stageOp && stageOp.choosesRows();
}

static Value getUpdatedOperand(Operation *op) {
  auto stageOp = dyn_cast<StageOpInterface>(op);
  return stageOp ? stageOp.getUpdatedOperand() : Value();
}

static bool isCache(Value value) { return isa<KVCacheType>(value.getType()); }

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

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
      bool together = isRowWise(producer) && isRowWise(&op);
      level = std::max(level, levels[producer] + (together ? 0 : 1));
    };
    for (Value operand : op.getOperands()) {
      follow(operand.getDefiningOp());
      if (!isCache(operand))
        continue;
      Value cache = memory.lookup_or(operand, operand);
      for (Value result : op.getResults())
        if (isCache(result))
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

LogicalResult FunctionPlanner::planBody() {
  for (Operation &op : source.front())
    for (Value operand : op.getOperands())
      ++remainingUses[operand];
  for (Operation *op : order()) {
    if (isa<ParameterValueOp, PositionsOp>(op)) {
      placeParameter(op);
      continue;
    }
    if (auto call = dyn_cast<func::CallOp>(op)) {
      emitStage();
      if (failed(planCall(call)))
        return failure();
      countUses(op);
      releaseUnused();
      continue;
    }
    // What reads the result takes it along.
    if (!isAbsorbed(op) && failed(addToStage(op)))
      return failure();
  }
  emitStage();
  return success();
}

//===----------------------------------------------------------------------===//
// Stages
//===----------------------------------------------------------------------===//

Operation *FunctionPlanner::getAbsorbing(Operation *op) {
  for (Value operand : op->getOperands()) {
    auto producer = operand.getDefiningOp<StageOpInterface>();
    if (producer && operand.hasOneUse() && producer.absorbs(op))
      return producer;
  }
  return nullptr;
}

bool FunctionPlanner::isAbsorbed(Operation *op) {
  return op->getNumResults() == 1 && op->hasOneUse() && getAbsorbing(*op->user_begin()) == op;
}

/// Stages compute the rows of a step, however many it has: a fixed number of rows is a weight's.
static LogicalResult checkActivations(Operation *op, ValueRange values, bool mayBeRounded) {
  for (Value value : values) {
    Type type = value.getType();
    if (!isActivations(type) && !(mayBeRounded && isRoundedActivations(type)) &&
        !getElementTypeOrSelf(type).isInteger())
      return op->emitOpError("expected activations of f32, found ") << value.getType();
  }
  return success();
}

FailureOr<Extent> FunctionPlanner::inferExtent(Operation *op) {
  SmallVector<Value> results;
  llvm::copy_if(op->getResults(), std::back_inserter(results), std::not_fn(isCache));
  SmallVector<Value> rows = getRowOperands(op);
  if (failed(checkActivations(op, rows, isa<LinearOp>(op))) ||
      failed(checkActivations(op, results, isa<RoundOp>(op))))
    return failure();
  bool needsAll = llvm::any_of(op->getOperandTypes(), llvm::IsaPred<RowsType>);
  for (Value value : rows) {
    if (needsAll && getExtent(value) == Extent::OutputRows)
      return op->emitOpError("expected all rows of the step, found those of llmc.output_rows");
    if (getExtent(value) != getExtent(rows.front()))
      return op->emitOpError("expected operands of the same rows");
  }
  if (choosesRows(op))
    return Extent::OutputRows;
  return rows.empty() ? Extent::Rows : getExtent(rows.front());
}

SmallVector<Access> FunctionPlanner::collectAccesses(ArrayRef<Operation *> ops, bool rowWise,
                                                     Extent extent) {
  SmallVector<Access> accesses;
  for (Operation *op : ops) {
    SmallVector<Value> rows = getRowOperands(op);
    Value updated = getUpdatedOperand(op);
    for (Value operand : op->getOperands()) {
      auto found = places.find(operand);
      if (found == places.end())
        continue;
      bool ownRows = rowWise && !choosesRows(op) && llvm::is_contained(rows, operand);
      accesses.push_back(
          access(found->second, operand == updated, ownRows ? extent : Extent::Whole));
    }
    for (Value result : op->getResults())
      if (auto found = places.find(result); found != places.end() && !isCache(result))
        accesses.push_back(access(found->second, true, rowWise ? extent : Extent::Whole));
  }
  return accesses;
}

bool FunctionPlanner::joinsStage(ArrayRef<Operation *> ops, bool rowWise, Extent extent) {
  if (!rowWise || !stage.rowWise || extent != stage.extent || llvm::any_of(ops, choosesRows))
    return false;
  SmallVector<Access> before = collectAccesses(stage.ops, true, extent);
  SmallVector<Access> after = collectAccesses(ops, true, extent);
  Hazards inside;
  inside.add(before);
  // A barrier before all of them must be one that the stage needs anyway.
  return !inside.conflicts(after) && (!hazards.conflicts(after) || hazards.conflicts(before));
}

LogicalResult FunctionPlanner::addToStage(Operation *op) {
  SmallVector<Operation *> ops;
  if (Operation *absorbing = getAbsorbing(op))
    ops.push_back(absorbing);
  ops.push_back(op);
  Extent extent = Extent::Whole;
  for (Operation *each : ops) {
    FailureOr<Extent> inferred = inferExtent(each);
    if (failed(inferred))
      return failure();
    extent = *inferred;
    for (Value result : each->getResults())
      if (!isCache(result))
        extents[result] = extent;
  }
  bool rowWise = llvm::all_of(ops, isRowWise);
  if (!joinsStage(ops, rowWise, extent))
    emitStage();
  stage.rowWise = rowWise;
  stage.extent = extent;
  llvm::append_range(stage.ops, ops);
  // What is updated in place is the same memory afterwards.
  if (Value updated = getUpdatedOperand(op)) {
    Place same = place(updated);
    places[cast<StageOpInterface>(op).getUpdatedResult()] = same;
  }
  if (!rowWise)
    emitStage();
  return success();
}

void FunctionPlanner::emitStage() {
  if (stage.ops.empty())
    return;
  for (Operation *op : stage.ops)
    countUses(op);
  // What the stage alone reads has no place: it never leaves it.
  SmallVector<Value> yielded, writes;
  for (Operation *op : stage.ops)
    for (Value result : op->getResults()) {
      if (!isCache(result) && !result.use_empty() && remainingUses[result] == 0)
        continue;
      if (!isCache(result))
        places[result] = makePlace(result);
      yielded.push_back(result);
      writes.push_back(place(result).buffer);
    }
  recordAccesses(collectAccesses(stage.ops, stage.rowWise, stage.extent));
  llvm::SetVector<Value> reads;
  for (Operation *op : stage.ops)
    for (Value operand : op->getOperands())
      if (!llvm::is_contained(stage.ops, operand.getDefiningOp()))
        reads.insert(operand);

  OpBuilder::InsertionGuard guard(builder);
  auto planned = spmd::StageOp::create(
      builder, stage.ops.back()->getLoc(), builder.getStringAttr(nameStage()),
      llvm::map_to_vector(reads, [&](Value value) { return place(value).buffer; }), writes);
  Block &body = planned.getBody().emplaceBlock();
  IRMapping mapping;
  for (Value value : reads)
    mapping.map(value, body.addArgument(value.getType(), value.getLoc()));
  builder.setInsertionPointToStart(&body);
  for (Operation *op : stage.ops)
    builder.clone(*op, mapping);
  spmd::YieldOp::create(builder, planned.getLoc(),
                        llvm::map_to_vector(yielded, [&](Value v) { return mapping.lookup(v); }));
  releaseUnused();
  stage = Stage();
}

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

/// Names of the same parameter of several blocks as one: "layers.*.mlp.up".
static std::string joinNames(MutableArrayRef<ParameterOp> parameters) {
  std::string joined = parameters.front().getSymName().str();
  for (ParameterOp parameter : parameters.drop_front()) {
    StringRef name = parameter.getSymName(), known = joined;
    if (name == known)
      continue;
    size_t shorter = std::min(name.size(), known.size()), prefix = 0, suffix = 0;
    while (prefix < shorter && name[prefix] == known[prefix])
      ++prefix;
    while (suffix < shorter - prefix &&
           name[name.size() - 1 - suffix] == known[known.size() - 1 - suffix])
      ++suffix;
    joined = (known.take_front(prefix).rtrim('*') + "*" + known.take_back(suffix).ltrim('*')).str();
  }
  return joined;
}

/// A linear's stage is called after its weight, others after what they compute.
std::string FunctionPlanner::nameStage() {
  llvm::SetVector<StringRef> names;
  for (Operation *op : stage.ops) {
    auto linear = dyn_cast<LinearOp>(op);
    SmallVector<ParameterOp> parameters =
        linear ? getParametersOf(linear.getWeight()) : SmallVector<ParameterOp>();
    if (!parameters.empty())
      return joinNames(parameters);
    names.insert(op->getName().stripDialect());
  }
  return llvm::join(names, "+");
}
