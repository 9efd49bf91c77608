//===- FunctionConverter.cpp - a function of a plan for one instruction set ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FunctionConverter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace llmc;

using cpu::Field;
using spmd::Extent;

FunctionConverter::FunctionConverter(ModuleOp code, spmd::ProgramOp program,
                                     const KernelTarget &target, const KernelChoice &kernels,
                                     func::FuncOp plan)
    : code(code), program(program), target(target), kernels(kernels), plan(plan),
      builder(code.getContext()), location(plan.getLoc()),
      oneRow(plan->hasAttr(spmd::SPMDDialect::oneRowAttrName)) {}

//===----------------------------------------------------------------------===//
// Memory and numbers
//===----------------------------------------------------------------------===//

Type FunctionConverter::getConverted(Type type) {
  if (auto buffer = dyn_cast<spmd::BufferType>(type); buffer && isa<KVCacheType>(buffer.getValue()))
    return builder.getI64Type();
  return isa<spmd::StepType>(type) ? type : LLVM::LLVMPointerType::get(type.getContext());
}

Value FunctionConverter::constant(int64_t value) {
  return arith::ConstantOp::create(builder, location, builder.getI64IntegerAttr(value));
}

Value FunctionConverter::pointerTo(Value base, int64_t offset) {
  if (offset == 0)
    return base;
  return cpu::AddressOp::create(builder, location, base.getType(), base,
                                builder.getI64IntegerAttr(offset));
}

Value FunctionConverter::field(Field field) {
  return cpu::FieldOp::create(builder, location, LLVM::LLVMPointerType::get(builder.getContext()),
                              step, field);
}

Value FunctionConverter::rowCount(Extent extent) {
  // With one row there may still be no logits wanted.
  if (oneRow && extent == Extent::Rows)
    return constant(1);
  return cpu::CountOp::create(builder, location, builder.getI64Type(), step,
                              extent == Extent::OutputRows ? cpu::Count::OutputRows
                                                           : cpu::Count::Rows);
}

Value FunctionConverter::scratch(int64_t offset, int64_t bytes) {
  workerArenaBytes = std::max<int64_t>(workerArenaBytes, llvm::alignTo(offset + bytes, 64));
  return pointerTo(field(Field::WorkerArena), offset);
}

//===----------------------------------------------------------------------===//
// The function
//===----------------------------------------------------------------------===//

LogicalResult FunctionConverter::createFunction() {
  if (!plan.getBody().hasOneBlock() || plan.getNumArguments() == 0 ||
      !isa<spmd::StepType>(plan.getArgument(0).getType()) || plan.getNumResults() != 0)
    return plan.emitOpError("expected a function of a plan: one block that takes a step first and "
                            "gives nothing");
  SmallVector<Type> types;
  for (Type type : plan.getArgumentTypes()) {
    auto buffer = dyn_cast<spmd::BufferType>(type);
    if (!isa<spmd::StepType, spmd::FrameType>(type) &&
        (!buffer || isa<RowsType>(buffer.getValue())))
      return plan.emitOpError("expected a step, a frame and buffers of values as arguments, found ")
             << type;
    types.push_back(getConverted(type));
  }
  builder.setInsertionPointToEnd(code.getBody());
  function = func::FuncOp::create(builder, location, (plan.getName() + "_" + target.name).str(),
                                  builder.getFunctionType(types, {}));
  function.setPrivate();
  Block *entry = function.addEntryBlock();
  builder.setInsertionPointToStart(entry);
  step = function.getArgument(0);
  int64_t rows = oneRow ? 1 : program.getSizes().getMaxRows();
  for (auto [before, after] : llvm::zip(plan.getArguments(), entry->getArguments()))
    memories[before] = {after, rows};
  return success();
}

FailureOr<func::FuncOp> FunctionConverter::convert() {
  if (failed(createFunction()))
    return failure();
  for (Operation &op : plan.front().without_terminator())
    if (failed(convertOp(&op)))
      return failure();
  func::ReturnOp::create(builder, location);
  return function;
}

LogicalResult FunctionConverter::convertOp(Operation *op) {
  int64_t rows = oneRow ? 1 : program.getSizes().getMaxRows();
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](spmd::ArenaOp arena) {
        memories[arena] = {field(Field::Arena)};
        return success();
      })
      .Case([&](spmd::FrameOp frame) {
        memories[frame] = {pointerTo(memory(frame.getFrame()).address, frame.getOffset())};
        return success();
      })
      .Case([&](spmd::BufferOp buffer) {
        memories[buffer] = {pointerTo(memory(buffer.getFrame()).address, buffer.getOffset()), rows};
        return success();
      })
      .Case([&](spmd::StateOp state) {
        memories[state] = {constant(state.getOffset())};
        return success();
      })
      .Case([&](spmd::InputOp input) {
        convertInput(input);
        return success();
      })
      .Case([&](spmd::ActivationsOp activations) {
        convertActivations(activations);
        return success();
      })
      .Case([&](spmd::BarrierOp barrier) {
        spmd::BarrierOp::create(builder, barrier.getLoc(), step);
        return success();
      })
      .Case([&](spmd::WeightOp weight) { return convertWeight(weight); })
      .Case([&](func::CallOp call) { return convertCall(call); })
      .Case([&](spmd::StageOp stage) { return convertStage(stage); })
      .Default(
          [](Operation *other) { return other->emitOpError("is not one that plans are made of"); });
}

LogicalResult FunctionConverter::convertWeight(spmd::WeightOp op) {
  auto parameter = SymbolTable::lookupSymbolIn(program, op.getParameterAttr());
  auto offset = parameter->getAttrOfType<IntegerAttr>(spmd::SPMDDialect::offsetAttrName);
  if (!offset)
    return parameter->emitOpError("expected ")
           << spmd::SPMDDialect::offsetAttrName << ", its place in the packed weights";
  memories[op] = {pointerTo(field(Field::Weights), offset.getInt())};
  return success();
}

void FunctionConverter::convertInput(spmd::InputOp op) {
  Memory memory;
  memory.rows = program.getSizes().getMaxRows();
  switch (op.getInput()) {
  case spmd::Input::Tokens:
    memory.address = field(Field::Tokens);
    break;
  case spmd::Input::Positions:
    memory.address = field(Field::Positions);
    break;
  case spmd::Input::Rows:
    break;
  case spmd::Input::Logits:
    memory.address = field(Field::Logits);
    memory.exactRows = true;
    break;
  }
  memories[op] = memory;
}

void FunctionConverter::convertActivations(spmd::ActivationsOp op) {
  Value address =
      pointerTo(field(Field::Activations), op.getIndex() * static_cast<int64_t>(sizeof(float *)));
  memories[op] = {LLVM::LoadOp::create(builder, location,
                                       LLVM::LLVMPointerType::get(builder.getContext()), address),
                  program.getSizes().getMaxRows()};
}

/// Whether rows of this memory have room up to their padding.
static LogicalResult checkPadding(Operation *op, const Memory &memory, Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!memory.exactRows || !tensor || getRowStride(tensor.getDimSize(1)) == tensor.getDimSize(1))
    return success();
  return op->emitOpError("expected logits that a linear computes, or a multiple of 32 of them, "
                         "found ")
         << tensor.getDimSize(1);
}

LogicalResult FunctionConverter::convertCall(func::CallOp op) {
  SmallVector<Value> arguments;
  for (Value operand : op.getOperands()) {
    if (isa<spmd::StepType>(operand.getType())) {
      arguments.push_back(step);
      continue;
    }
    const Memory &given = memory(operand);
    if (!given.address)
      return op.emitOpError("expected buffers of values, found ") << operand.getType();
    if (auto buffer = dyn_cast<spmd::BufferType>(operand.getType());
        buffer && failed(checkPadding(op, given, buffer.getValue())))
      return failure();
    arguments.push_back(given.address);
  }
  func::CallOp::create(builder, op.getLoc(), (op.getCallee() + "_" + target.name).str(),
                       TypeRange(), arguments);
  return success();
}

//===----------------------------------------------------------------------===//
// Stages
//===----------------------------------------------------------------------===//

/// Which rows a stage shares out: those of what it writes, or of what a cache is given.
static Extent getStageExtent(spmd::StageOp op) {
  for (OperandRange buffers : {op.getWrites(), op.getReads()})
    for (Value buffer : buffers)
      if (Extent extent = cast<spmd::BufferType>(buffer.getType()).getExtent();
          extent != Extent::Whole)
        return extent;
  return Extent::Rows;
}

/// Gives the values of a stage's body their memory: that of buffers, or a row of the worker's own.
LogicalResult FunctionConverter::placeStageValues(spmd::StageOp op) {
  Block &body = op.getBody().front();
  for (auto [buffer, argument] : llvm::zip(op.getReads(), body.getArguments())) {
    Memory from = memory(buffer);
    memories[argument] = from;
  }
  for (auto [buffer, value] : llvm::zip(op.getWrites(), body.getTerminator()->getOperands())) {
    Memory to = memory(buffer);
    if (!value.getDefiningOp() || memories.contains(value))
      return op.emitOpError("expected a stage to compute what it yields, each value once");
    memories[value] = to;
  }
  int64_t offset = 0;
  for (Operation &inner : body.without_terminator())
    for (Value value : inner.getResults()) {
      Type type = value.getType();
      if (!isa<KVCacheType>(type) && !isActivations(type) && !isRoundedActivations(type))
        return inner.emitOpError("expected activations of f32, found ") << type;
      if (memories.contains(value) || isa<KVCacheType>(type))
        continue;
      int64_t bytes = llvm::alignTo(getBufferBytes(cast<RankedTensorType>(type), 1), 64);
      memories[value] = {scratch(offset, bytes), 1};
      offset += bytes;
    }
  stageBytes = offset;
  return success();
}

LogicalResult FunctionConverter::convertStage(spmd::StageOp op) {
  SmallVector<KernelCall> calls;
  extent = getStageExtent(op);
  if (failed(placeStageValues(op)) || failed(chooseKernels(op, calls)))
    return failure();
  if (!calls.empty())
    emitStage(op, calls);
  return success();
}

void FunctionConverter::emitStage(spmd::StageOp op, ArrayRef<KernelCall> calls) {
  Value pieces = calls.front().pieces ? calls.front().pieces : rowCount(extent);
  auto stage = cpu::StageOp::create(builder, op.getLoc(), op.getNameAttr(), step, pieces);
  Block &body = stage.getBody().emplaceBlock();
  body.addArguments({builder.getI64Type(), builder.getI64Type()}, {location, location});
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(&body);
  if (calls.size() == 1 || oneRow)
    emitCalls(calls, body.getArgument(0), body.getArgument(1));
  else
    emitRowByRow(calls, body.getArgument(0), body.getArgument(1));
}

void FunctionConverter::emitCalls(ArrayRef<KernelCall> calls, Value begin, Value end) {
  for (const KernelCall &call : calls) {
    SmallVector<Value> arguments;
    if (call.rows)
      arguments.push_back(call.rows);
    arguments.append({begin, end});
    for (const KernelArgument &argument : call.arguments)
      arguments.push_back(argument.value);
    func::CallOp::create(builder, location, call.function, arguments);
  }
}

void FunctionConverter::emitRowByRow(ArrayRef<KernelCall> calls, Value begin, Value end) {
  Value zero = constant(0), one = constant(1);
  auto loop = scf::ForOp::create(builder, location, begin, end, one);
  builder.setInsertionPointToStart(loop.getBody());
  SmallVector<KernelCall> ofRow(calls);
  Type pointer = LLVM::LLVMPointerType::get(builder.getContext());
  for (KernelCall &call : ofRow)
    for (KernelArgument &argument : call.arguments) {
      if (argument.rowBytes == 0)
        continue;
      Value offset = arith::MulIOp::create(builder, location, loop.getInductionVar(),
                                           constant(argument.rowBytes));
      argument.value = LLVM::GEPOp::create(builder, location, pointer, builder.getI8Type(),
                                           argument.value, ArrayRef<LLVM::GEPArg>{offset});
    }
  emitCalls(ofRow, zero, one);
}
