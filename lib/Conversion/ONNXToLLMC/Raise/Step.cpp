//===- Step.cpp - the function that a raise builds ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raise/Step.h"

using namespace mlir;
using namespace llmc;

Step::Step(func::FuncOp function, int64_t capacity) : function(function), capacity(capacity) {
  function.addEntryBlock();
}

Value Step::getPositions(OpBuilder &builder, Location location) {
  if (!positions)
    positions = PositionsOp::create(
        builder, location, RankedTensorType::get({ShapedType::kDynamic}, builder.getI32Type()),
        getRows());
  return positions;
}

Value Step::getCache(int keyPast, int valuePast, int64_t heads, int64_t size, Location location) {
  // Exports without a cache get one per attention.
  std::pair<int, int> key{keyPast, valuePast};
  if (keyPast < 0)
    key = {-1, -static_cast<int>(caches.size()) - 2};
  Block &block = getBlock();
  auto [slot, added] = caches.try_emplace(key, block.getNumArguments());
  if (added) {
    MLIRContext *context = function.getContext();
    Type f32 = Float32Type::get(context);
    block.addArgument(KVCacheType::get(context, heads, size, capacity, f32, f32), location);
  }
  return block.getArgument(slot->second);
}

Value Step::getScaled(Value value, float factor, OpBuilder &builder, Location location) {
  Value &known = scaled[{value, llvm::bit_cast<uint32_t>(factor)}];
  if (!known)
    known =
        ScaleOp::create(builder, location, value.getType(), value, builder.getF32FloatAttr(factor));
  return known;
}
