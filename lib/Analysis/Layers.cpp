//===- Layers.cpp - where a layer of a model ends and the next begins ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Analysis/Layers.h"
#include "llmc/Analysis/Structure.h"
#include "llmc/Support/ReadValues.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace llmc;

bool llmc::isActivations(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.getRank() == 2 && type.isDynamicDim(0);
}

bool llmc::isRepeated(Operation *op) {
  return isa<tensor::EmptyOp, linalg::FillOp>(op) || llvm::none_of(op->getResults(), isActivations);
}

/// The last reader of each value. Who reads a cache reads the keys and values in it.
static DenseMap<Value, int64_t> findLastReaders(ArrayRef<Operation *> operations) {
  DenseMap<Value, int64_t> ends;
  for (auto [position, op] : llvm::enumerate(operations)) {
    SmallVector<Value> read = getReadValues(op);
    while (!read.empty()) {
      Value value = read.pop_back_val();
      ends[value] = static_cast<int64_t>(position);
      if (Operation *producer = value.getDefiningOp(); producer && isRepeated(producer))
        llvm::append_range(read, getReadValues(producer));
    }
  }
  return ends;
}

LayerStarts llmc::findLayerStarts(ArrayRef<Operation *> operations) {
  const DenseMap<Value, int64_t> ends = findLastReaders(operations);
  int64_t head = 0;
  for (auto [position, op] : llvm::enumerate(operations))
    if (isa<LinearOp>(op))
      head = static_cast<int64_t>(position);
  LayerStarts found;
  llvm::SetVector<Value> alive;
  for (auto [index, op] : llvm::enumerate(operations)) {
    const auto position = static_cast<int64_t>(index);
    if (isa<AttentionOp>(op) && !found.places.empty() &&
        (found.starts.empty() || found.starts.back().value != found.places.back().value))
      found.starts.push_back({found.places.back(), position});
    for (Value result : op->getResults())
      if (isActivations(result) && ends.lookup(result) > position)
        alive.insert(result);
    alive.remove_if([&](Value value) { return ends.lookup(value) <= position; });
    if (alive.size() != 1)
      continue;
    if (position < head)
      found.lastOutput = alive.front();
    found.places.push_back({alive.front(), position + 1});
  }
  return found;
}

/// The first place where nothing that belongs to a block comes any more, or null.
static const NarrowPlace *findEnd(func::FuncOp function, ArrayRef<Operation *> operations,
                                  ArrayRef<NarrowPlace> places) {
  const Structure structure(function);
  int64_t last = 0;
  for (auto [position, op] : llvm::enumerate(operations))
    if (structure.getBlock(op))
      last = static_cast<int64_t>(position);
  const auto *place =
      llvm::find_if(places, [&](const NarrowPlace &place) { return place.position > last; });
  return place == places.end() ? nullptr : place;
}

std::vector<Layer> llmc::findLayers(func::FuncOp function) {
  SmallVector<Operation *> operations;
  for (Operation &op : function.getBody().front())
    operations.push_back(&op);
  const LayerStarts found = findLayerStarts(operations);
  SmallVector<NarrowPlace> ends(found.starts.begin(), found.starts.end());
  if (const NarrowPlace *end = findEnd(function, operations, found.places))
    ends.push_back(*end);
  std::vector<Layer> layers;
  for (size_t index = 0; index + 1 < ends.size(); ++index) {
    const auto *first = operations.begin();
    layers.push_back(
        {ends[index].value, ends[index + 1].value,
         SmallVector<Operation *>(first + ends[index].position, first + ends[index + 1].position)});
  }
  return layers;
}
