//===- PlanCalls.cpp - what functions take, and calls of them ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FunctionPlanner.h"

using namespace mlir;
using namespace llmc;

using spmd::Extent;
using spmd::Input;

/// Calls nested deeper than this are refused: no model needs them.
static constexpr size_t maxCallDepth = 64;

static bool isRowIntegers(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.getRank() == 1 && tensor.isDynamicDim(0);
}

static func::FuncOp getCallee(func::CallOp call) {
  return SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(call, call.getCalleeAttr());
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

void FunctionPlanner::createFunction(StringRef name, ArrayRef<Type> types) {
  builder.setInsertionPointToEnd(context.plan.getBody());
  function =
      func::FuncOp::create(builder, location, (name + (context.oneRow ? "_row" : "_rows")).str(),
                           builder.getFunctionType(types, {}));
  function.setPrivate();
  if (context.oneRow)
    function->setAttr(spmd::SPMDDialect::oneRowAttrName, builder.getUnitAttr());
  builder.setInsertionPointToStart(function.addEntryBlock());
  step = function.getArgument(0);
}

LogicalResult FunctionPlanner::checkResults() {
  if (!source.getBody().hasOneBlock())
    return source.emitOpError("expected a body of one block");
  llvm::DenseSet<Value> seen;
  for (Value result : source.front().getTerminator()->getOperands()) {
    if (!isActivations(result.getType()))
      return source.emitOpError("expected functions to give activations, found ")
             << result.getType();
    if (isa<BlockArgument>(result) || !seen.insert(result).second)
      return source.emitOpError("expected functions to compute each of their results");
  }
  return success();
}

void FunctionPlanner::placeArguments(ArrayRef<Extent> given) {
  auto next = function.getArguments().begin() + 2;
  for (BlockArgument argument : source.getArguments()) {
    if (isa<RowsType>(argument.getType())) {
      places[argument] = makeInput(argument.getType(), Extent::Whole, Input::Rows);
      continue;
    }
    if (isActivations(argument.getType())) {
      extents[argument] = given.front();
      given = given.drop_front();
    } else if (isRowIntegers(argument.getType())) {
      extents[argument] = Extent::Rows;
    }
    (*next).setType(getBufferType(argument));
    places[argument] = makeArgument(*next++);
  }
  for (Value result : source.front().getTerminator()->getOperands())
    resultPlaces[result] = makeArgument(*next++);
}

FailureOr<PlanContext::Planned> FunctionPlanner::planFunction() {
  context.active.push_back(source);
  LogicalResult done = planBody();
  context.active.pop_back();
  if (failed(done))
    return failure();
  func::ReturnOp::create(builder, location);
  PlanContext::Planned planned;
  planned.function = function;
  planned.frameBytes = frameAllocator.getSize();
  return planned;
}

FailureOr<PlanContext::Planned> FunctionPlanner::plan(ArrayRef<Extent> given) {
  PlanContext::Key key{source, SmallVector<Extent>(given)};
  if (auto existing = context.planned.find(key); existing != context.planned.end())
    return existing->second;
  if (failed(checkResults()))
    return failure();
  MLIRContext *mlirContext = builder.getContext();
  // The types of buffers follow, those of results when it is known which rows they have.
  SmallVector<Type> types{spmd::StepType::get(mlirContext), spmd::FrameType::get(mlirContext)};
  for (Type type : source.getArgumentTypes())
    if (!isa<RowsType>(type))
      types.push_back(spmd::BufferType::get(mlirContext, type, Extent::Whole));
  for (Type type : source.getResultTypes())
    types.push_back(spmd::BufferType::get(mlirContext, type, Extent::Whole));
  // The prefix keeps names apart from those of kernels.
  std::string name = "function." + source.getName().str();
  if (llvm::is_contained(given, Extent::OutputRows))
    for (Extent extent : given)
      name += extent == Extent::OutputRows ? ".output" : ".all";
  createFunction(name, types);
  frame = function.getArgument(1);
  placeArguments(given);

  FailureOr<PlanContext::Planned> planned = planFunction();
  if (failed(planned))
    return failure();
  for (Value result : source.front().getTerminator()->getOperands()) {
    planned->resultExtents.push_back(getExtent(result));
    resultPlaces[result].buffer.setType(getBufferType(result));
  }
  function.setFunctionType(
      builder.getFunctionType(function.getBody().front().getArgumentTypes(), {}));
  planned->leading = leading;
  planned->hasBarrier = hasBarrier;
  if (hasBarrier)
    planned->trailing.assign(hazards.get().begin(), hazards.get().end());
  return context.planned[key] = *planned;
}

//===----------------------------------------------------------------------===//
// The step
//===----------------------------------------------------------------------===//

LogicalResult FunctionPlanner::placeStepArguments(ArrayRef<int64_t> cacheOffsets, bool isPart) {
  auto cacheOffset = cacheOffsets.begin();
  int64_t activations = 0;
  for (BlockArgument argument : source.getArguments()) {
    Type type = argument.getType();
    if (isa<RowsType>(type)) {
      places[argument] = makeInput(type, Extent::Whole, Input::Rows);
    } else if (isRowIntegers(type)) {
      extents[argument] = Extent::Rows;
      places[argument] = makeInput(type, Extent::Rows, Input::Tokens);
    } else if (isa<KVCacheType>(type)) {
      places[argument] = makeArgument(
          spmd::StateOp::create(builder, location, getBufferType(argument), step, *cacheOffset++));
    } else if (isPart && isActivations(type)) {
      extents[argument] = Extent::Rows;
      places[argument] = makeArgument(spmd::ActivationsOp::create(
          builder, location, getBufferType(argument), step, activations++));
    } else {
      return source.emitOpError("expected tokens, rows and caches as arguments of a step, found ")
             << type;
    }
  }
  return success();
}

FailureOr<PlanContext::Planned> FunctionPlanner::planStep(ArrayRef<int64_t> cacheOffsets) {
  if (failed(checkResults()))
    return failure();
  createFunction(source.getName(), spmd::StepType::get(builder.getContext()));
  frame =
      spmd::ArenaOp::create(builder, location, spmd::FrameType::get(builder.getContext()), step);
  if (failed(placeStepArguments(cacheOffsets, /*isPart=*/false)))
    return failure();
  Value logits = source.front().getTerminator()->getOperand(0);
  auto buffer = spmd::BufferType::get(builder.getContext(), logits.getType(), Extent::OutputRows);
  resultPlaces[logits] =
      makeArgument(spmd::InputOp::create(builder, location, buffer, step, Input::Logits));
  FailureOr<PlanContext::Planned> planned = planFunction();
  if (failed(planned))
    return failure();
  if (getExtent(logits) != Extent::OutputRows)
    return source.emitOpError("expected logits of the rows that llmc.output_rows keeps");
  return planned;
}

FailureOr<PlanContext::Planned> FunctionPlanner::planPart(ArrayRef<int64_t> cacheOffsets) {
  if (failed(checkResults()))
    return failure();
  createFunction(source.getName(), spmd::StepType::get(builder.getContext()));
  frame =
      spmd::ArenaOp::create(builder, location, spmd::FrameType::get(builder.getContext()), step);
  if (failed(placeStepArguments(cacheOffsets, /*isPart=*/true)))
    return failure();
  int64_t activations = llvm::count_if(source.getArgumentTypes(), isActivations);
  auto results = source.front().getTerminator()->getOperands();
  for (Value result : results)
    resultPlaces[result] = makeArgument(
        spmd::ActivationsOp::create(builder, location, getBufferType(result), step, activations++));
  FailureOr<PlanContext::Planned> planned = planFunction();
  if (failed(planned))
    return failure();
  for (Value result : results)
    resultPlaces[result].buffer.setType(getBufferType(result));
  return planned;
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

LogicalResult FunctionPlanner::planCall(func::CallOp op) {
  func::FuncOp callee = getCallee(op);
  if (!callee || callee.isExternal())
    return op.emitOpError("expected a function with a body, found ") << op.getCalleeAttr();
  if (llvm::is_contained(context.active, callee.getOperation()))
    return op.emitOpError("expected functions that do not call themselves, found ")
           << op.getCalleeAttr();
  if (context.active.size() >= maxCallDepth)
    return op.emitOpError("expected calls nested at most ") << maxCallDepth << " deep";
  // What the callee is given: its spaces 1, 2 … are these places.
  SmallVector<Place> given;
  SmallVector<Extent> givenExtents;
  for (Value operand : op.getOperands()) {
    if (isa<RowsType>(operand.getType()))
      continue;
    given.push_back(place(operand));
    if (isActivations(operand.getType()))
      givenExtents.push_back(getExtent(operand));
  }
  FailureOr<PlanContext::Planned> planned = FunctionPlanner(context, callee).plan(givenExtents);
  if (failed(planned))
    return failure();
  for (auto [result, extent] : llvm::zip(op.getResults(), planned->resultExtents)) {
    extents[result] = extent;
    given.push_back(places[result] = makePlace(result));
  }
  FrameBuffer calleeFrame = frameAllocator.allocate(planned->frameBytes);
  auto translate = [&](Access access) {
    if (access.space == 0) {
      access.begin += calleeFrame.offset;
      access.end += calleeFrame.offset;
    } else if (access.space > 0) {
      const Place &place = given[access.space - 1];
      access.space = place.space;
      access.begin = place.begin;
      access.end = place.end;
    }
    return access;
  };
  recordAccesses(llvm::map_to_vector(planned->leading, translate));
  if (planned->hasBarrier) {
    hasBarrier = true;
    hazards.clear();
    hazards.add(llvm::map_to_vector(planned->trailing, translate));
  }
  Value part =
      spmd::FrameOp::create(builder, op.getLoc(), frame.getType(), frame, calleeFrame.offset);
  SmallVector<Value> arguments{step, part};
  for (const Place &place : given)
    arguments.push_back(place.buffer);
  func::CallOp::create(builder, op.getLoc(), planned->function, arguments);
  frameAllocator.release(calleeFrame);
  return success();
}
