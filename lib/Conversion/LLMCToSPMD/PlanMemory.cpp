//===- PlanMemory.cpp - where values lie, and the stages that touch them ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FunctionPlanner.h"
#include "llmc/Conversion/Kernels/Kernels.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace llmc;

using spmd::Count;
using spmd::Field;

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Value FunctionPlanner::constant(int64_t value) {
  return arith::ConstantOp::create(builder, location, builder.getI64IntegerAttr(value));
}

Value FunctionPlanner::pointerTo(Value base, int64_t offset) {
  if (offset == 0)
    return base;
  return spmd::AddressOp::create(builder, location, base.getType(), base,
                                 builder.getI64IntegerAttr(offset));
}

Value FunctionPlanner::scratch(int64_t bytes) {
  context.workerArenaBytes = std::max<int64_t>(context.workerArenaBytes, llvm::alignTo(bytes, 64));
  return spmd::FieldOp::create(builder, location, LLVM::LLVMPointerType::get(builder.getContext()),
                               step, Field::WorkerArena);
}

FunctionPlanner::Place FunctionPlanner::makeBuffer(int64_t bytesPerRow, Partition partition) {
  Place place;
  place.buffer = frameAllocator.allocate(bytesPerRow * (context.oneRow ? 1 : context.maxRows));
  place.address = pointerTo(frame, place.buffer->offset);
  place.begin = place.buffer->offset;
  place.end = place.begin + place.buffer->bytes;
  place.partition = partition;
  return place;
}

FunctionPlanner::Place FunctionPlanner::makeArgument(Value address) {
  Place place;
  place.address = address;
  place.space = spaces++;
  place.end = INT64_MAX;
  return place;
}

FunctionPlanner::Place FunctionPlanner::makeResult(Value value) {
  int64_t stride = getRowStride(getWidth(value));
  auto given = resultPlaces.find(value);
  Place place =
      given == resultPlaces.end() ? makeBuffer(stride * 4, Partition::Rows) : given->second;
  place.stride = stride;
  return place;
}

FunctionPlanner::Place &FunctionPlanner::place(Value value) { return places.find(value)->second; }

void FunctionPlanner::releaseOperands(Operation *op) {
  for (Value operand : op->getOperands()) {
    if (--remainingUses[operand] != 0)
      continue;
    auto found = places.find(operand);
    if (found != places.end() && found->second.buffer)
      frameAllocator.release(*found->second.buffer);
    for (auto entry = roundedPlaces.begin(); entry != roundedPlaces.end();) {
      if (entry->first.first != operand.getAsOpaquePointer()) {
        ++entry;
        continue;
      }
      for (const Place &part : {entry->second.codes, entry->second.scales, entry->second.sums})
        frameAllocator.release(*part.buffer);
      entry = roundedPlaces.erase(entry);
    }
  }
}

//===----------------------------------------------------------------------===//
// Stages
//===----------------------------------------------------------------------===//

Access FunctionPlanner::access(const Place &place, bool write, Partition partition) {
  return {place.space, place.begin, place.end, write, partition};
}

Value FunctionPlanner::rowCount(Partition partition) {
  // With one row there may still be no logits wanted.
  if (context.oneRow && partition == Partition::Rows)
    return constant(1);
  return spmd::CountOp::create(builder, location, builder.getI64Type(), step,
                               partition == Partition::OutputRows ? Count::OutputRows
                                                                  : Count::Rows);
}

void FunctionPlanner::emitBarrier() {
  if (hazards.empty())
    return;
  spmd::BarrierOp::create(builder, location, step);
  hazards.clear();
  hasBarrier = true;
}

void FunctionPlanner::recordAccesses(ArrayRef<Access> accesses) {
  if (hazards.conflicts(accesses))
    emitBarrier();
  hazards.add(accesses);
  if (!hasBarrier)
    llvm::append_range(leading, accesses);
}

void FunctionPlanner::emitStage(StringRef name, Value count, ArrayRef<Access> accesses,
                                function_ref<void(Value begin, Value end)> body) {
  recordAccesses(accesses);
  auto stage = spmd::StageOp::create(builder, location, builder.getStringAttr(name), step, count);
  Block &block = stage.getBody().emplaceBlock();
  block.addArguments({builder.getI64Type(), builder.getI64Type()}, {location, location});
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(&block);
  body(block.getArgument(0), block.getArgument(1));
}

void FunctionPlanner::call(func::FuncOp kernel, ValueRange arguments) {
  func::CallOp::create(builder, location, kernel, arguments);
}

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

std::string FunctionPlanner::nameOf(Operation *op) {
  if (auto linear = dyn_cast<LinearOp>(op)) {
    SmallVector<ParameterOp> parameters = getParametersOf(linear.getWeight());
    if (!parameters.empty())
      return joinNames(parameters);
  }
  return op->getName().stripDialect().str();
}
