//===- PlanMemory.cpp - where values lie, and which barriers that needs ---===//
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

//===----------------------------------------------------------------------===//
// Places
//===----------------------------------------------------------------------===//

Extent FunctionPlanner::getExtent(Value value) { return extents.lookup_or(value, Extent::Whole); }

Type FunctionPlanner::getBufferType(Value value) {
  return spmd::BufferType::get(value.getContext(), value.getType(), getExtent(value));
}

FunctionPlanner::Place FunctionPlanner::makePlace(Value value) {
  if (auto given = resultPlaces.find(value); given != resultPlaces.end())
    return given->second;
  Place place;
  place.owned = frameAllocator.allocate(getBufferBytes(cast<RankedTensorType>(value.getType()),
                                                       context.oneRow ? 1 : context.maxRows));
  place.buffer = spmd::BufferOp::create(builder, value.getLoc(), getBufferType(value), frame,
                                        place.owned->offset);
  place.begin = place.owned->offset;
  place.end = place.begin + place.owned->bytes;
  return place;
}

FunctionPlanner::Place FunctionPlanner::makeArgument(Value buffer) {
  Place place;
  place.buffer = buffer;
  place.space = spaces++;
  place.end = INT64_MAX;
  return place;
}

FunctionPlanner::Place FunctionPlanner::makeInput(Type value, Extent extent, Input input) {
  Place place;
  place.buffer = spmd::InputOp::create(
      builder, location, spmd::BufferType::get(builder.getContext(), value, extent), step, input);
  place.space = -1;
  return place;
}

void FunctionPlanner::placeParameter(Operation *op) {
  Value value = op->getResult(0);
  if (isa<PositionsOp>(op)) {
    extents[value] = Extent::Rows;
    places[value] = makeInput(value.getType(), Extent::Rows, Input::Positions);
    return;
  }
  Place place;
  place.buffer = spmd::WeightOp::create(builder, op->getLoc(), getBufferType(value), step,
                                        cast<ParameterValueOp>(op).getParameter());
  place.space = -1;
  places[value] = place;
}

FunctionPlanner::Place &FunctionPlanner::place(Value value) { return places.find(value)->second; }

void FunctionPlanner::countUses(Operation *op) {
  for (Value operand : op->getOperands())
    if (--remainingUses[operand] == 0)
      unused.insert(operand);
}

void FunctionPlanner::releaseUnused() {
  for (Value value : unused.takeVector())
    if (auto found = places.find(value); found != places.end() && found->second.owned)
      frameAllocator.release(*found->second.owned);
}

//===----------------------------------------------------------------------===//
// Barriers
//===----------------------------------------------------------------------===//

Access FunctionPlanner::access(const Place &place, bool write, Extent extent) {
  return {place.space, place.begin, place.end, write, extent};
}

void FunctionPlanner::recordAccesses(ArrayRef<Access> accesses) {
  if (hazards.conflicts(accesses)) {
    spmd::BarrierOp::create(builder, location, step);
    hazards.clear();
    hasBarrier = true;
  }
  hazards.add(accesses);
  if (!hasBarrier)
    llvm::append_range(leading, accesses);
}
