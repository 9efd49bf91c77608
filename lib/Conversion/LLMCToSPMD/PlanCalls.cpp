//===- PlanCalls.cpp - what functions take, and calls of them ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FunctionPlanner.h"
#include "llmc/Conversion/Kernels/Kernels.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace llmc;

using spmd::Field;

/// Calls nested deeper than this are refused: no model needs them.
static constexpr size_t maxCallDepth = 64;

bool llmc::isActivations(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.getRank() == 2 && tensor.isDynamicDim(0) && !tensor.isDynamicDim(1) &&
         tensor.getElementType().isF32();
}

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

/// The rotations that a function and all that it calls apply.
static SmallVector<RotationKey> collectRotations(func::FuncOp source) {
  llvm::SetVector<Operation *> functions;
  functions.insert(source);
  llvm::SetVector<RotationKey> rotations;
  for (size_t i = 0; i < functions.size(); ++i)
    functions[i]->walk([&](Operation *op) {
      if (auto rope = dyn_cast<RopeOp>(op))
        rotations.insert(getRotationKey(rope));
      else if (auto call = dyn_cast<func::CallOp>(op))
        if (func::FuncOp callee = getCallee(call))
          functions.insert(callee);
    });
  return rotations.takeVector();
}

void FunctionPlanner::createFunction(StringRef name, ArrayRef<Type> types) {
  builder.setInsertionPointToEnd(context.code.getBody());
  function = func::FuncOp::create(
      builder, location, (name + (context.oneRow ? "_row_" : "_rows_") + context.target.name).str(),
      builder.getFunctionType(types, {}));
  function.setPrivate();
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

void FunctionPlanner::placeArguments(ArrayRef<Partition> partitions,
                                     ArrayRef<RotationKey> rotations) {
  auto next = function.getArguments().begin() + 2;
  for (BlockArgument argument : source.getArguments()) {
    if (isa<RowsType>(argument.getType()))
      continue;
    Place &place = places[argument] = makeArgument(*next++);
    if (!isActivations(argument.getType()))
      continue;
    place.stride = getRowStride(getWidth(argument));
    place.partition = partitions.front();
    partitions = partitions.drop_front();
  }
  for (RotationKey key : rotations)
    rotationTables[key] = makeArgument(*next++);
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

FailureOr<PlanContext::Planned> FunctionPlanner::plan(ArrayRef<Partition> partitions) {
  PlanContext::Key key{source, SmallVector<Partition>(partitions)};
  if (auto existing = context.planned.find(key); existing != context.planned.end())
    return existing->second;
  if (failed(checkResults()))
    return failure();
  SmallVector<RotationKey> rotations = collectRotations(source);
  Type pointer = LLVM::LLVMPointerType::get(builder.getContext());
  SmallVector<Type> types{spmd::StepType::get(builder.getContext()), pointer};
  for (Type type : source.getArgumentTypes())
    if (!isa<RowsType>(type))
      types.push_back(isa<KVCacheType>(type) ? Type(builder.getI64Type()) : pointer);
  types.append(rotations.size() + source.getNumResults(), pointer);
  // The prefix keeps names apart from those of kernels.
  std::string name = "function." + source.getName().str();
  if (llvm::is_contained(partitions, Partition::OutputRows))
    for (Partition partition : partitions)
      name += partition == Partition::OutputRows ? ".output" : ".all";
  createFunction(name, types);
  frame = function.getArgument(1);
  placeArguments(partitions, rotations);

  FailureOr<PlanContext::Planned> planned = planFunction();
  if (failed(planned))
    return failure();
  planned->rotations = std::move(rotations);
  for (Value result : source.front().getTerminator()->getOperands())
    planned->resultPartitions.push_back(place(result).partition);
  planned->leading = leading;
  planned->hasBarrier = hasBarrier;
  if (hasBarrier)
    planned->trailing.assign(hazards.get().begin(), hazards.get().end());
  return context.planned[key] = *planned;
}

//===----------------------------------------------------------------------===//
// The step
//===----------------------------------------------------------------------===//

Value FunctionPlanner::loadActivations(int64_t index) {
  Type pointer = LLVM::LLVMPointerType::get(builder.getContext());
  Value all = spmd::FieldOp::create(builder, location, pointer, step, Field::Activations);
  Value address = pointerTo(all, index * static_cast<int64_t>(sizeof(float *)));
  return LLVM::LoadOp::create(builder, location, pointer, address);
}

LogicalResult FunctionPlanner::placeStepArguments(ArrayRef<int64_t> cacheOffsets, bool isPart) {
  Type pointer = LLVM::LLVMPointerType::get(builder.getContext());
  auto cacheOffset = cacheOffsets.begin();
  int64_t activations = 0;
  for (BlockArgument argument : source.getArguments()) {
    if (isa<RowsType>(argument.getType()))
      continue;
    if (isRowIntegers(argument.getType())) {
      places[argument] =
          makeArgument(spmd::FieldOp::create(builder, location, pointer, step, Field::Tokens));
    } else if (isa<KVCacheType>(argument.getType())) {
      places[argument] = makeArgument(constant(*cacheOffset++));
    } else if (isPart && isActivations(argument.getType())) {
      Place &place = places[argument] = makeArgument(loadActivations(activations++));
      place.stride = getRowStride(getWidth(argument));
    } else {
      return source.emitOpError("expected tokens, rows and caches as arguments of a step, found ")
             << argument.getType();
    }
  }
  return success();
}

FailureOr<PlanContext::Planned> FunctionPlanner::planStep(ArrayRef<int64_t> cacheOffsets) {
  isStep = true;
  if (failed(checkResults()))
    return failure();
  Value logits = source.front().getTerminator()->getOperand(0);
  // Other kernels than a linear's write rows up to their stride.
  if (!logits.getDefiningOp<LinearOp>() && !getFusedLinear(logits.getDefiningOp()) &&
      getRowStride(getWidth(logits)) != getWidth(logits))
    return source.emitOpError("expected logits that a linear computes, or a multiple of 32 of "
                              "them, found ")
           << getWidth(logits);
  createFunction(source.getName(), spmd::StepType::get(builder.getContext()));
  Type pointer = LLVM::LLVMPointerType::get(builder.getContext());
  frame = spmd::FieldOp::create(builder, location, pointer, step, Field::Arena);
  if (failed(placeStepArguments(cacheOffsets, /*isPart=*/false)))
    return failure();
  resultPlaces[logits] =
      makeArgument(spmd::FieldOp::create(builder, location, pointer, step, Field::Logits));
  FailureOr<PlanContext::Planned> planned = planFunction();
  if (failed(planned))
    return failure();
  if (place(logits).partition != Partition::OutputRows)
    return source.emitOpError("expected logits of the rows that llmc.output_rows keeps");
  return planned;
}

FailureOr<PlanContext::Planned> FunctionPlanner::planPart(ArrayRef<int64_t> cacheOffsets) {
  if (failed(checkResults()))
    return failure();
  createFunction(source.getName(), spmd::StepType::get(builder.getContext()));
  frame = spmd::FieldOp::create(builder, location, LLVM::LLVMPointerType::get(builder.getContext()),
                                step, Field::Arena);
  if (failed(placeStepArguments(cacheOffsets, /*isPart=*/true)))
    return failure();
  int64_t activations = llvm::count_if(source.getArgumentTypes(), isActivations);
  for (Value result : source.front().getTerminator()->getOperands())
    resultPlaces[result] = makeArgument(loadActivations(activations++));
  return planFunction();
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
  SmallVector<Partition> partitions;
  for (Value operand : op.getOperands()) {
    if (isa<RowsType>(operand.getType()))
      continue;
    given.push_back(place(operand));
    if (isActivations(operand.getType()))
      partitions.push_back(given.back().partition);
  }
  FailureOr<PlanContext::Planned> planned = FunctionPlanner(context, callee).plan(partitions);
  if (failed(planned))
    return failure();
  for (RotationKey key : planned->rotations)
    given.push_back(getRotation(key));
  for (auto [result, partition] : llvm::zip(op.getResults(), planned->resultPartitions)) {
    given.push_back(makeResult(result));
    given.back().partition = partition;
    places[result] = given.back();
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
  SmallVector<Value> arguments{step, pointerTo(frame, calleeFrame.offset)};
  for (const Place &place : given)
    arguments.push_back(place.address);
  call(planned->function, arguments);
  frameAllocator.release(calleeFrame);
  return success();
}
