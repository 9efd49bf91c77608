//===- CacheLayout.cpp - how keys and values lie in a sequence's state ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/LLMC/IR/CacheLayout.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace llmc;

CacheLayout CacheLayout::get(KVCacheType type) {
  CacheLayout layout;
  layout.heads = type.getHeads();
  layout.headSize = type.getHeadSize();
  layout.capacity = llvm::alignTo(type.getCapacity(), keyBlock);
  layout.keys = type.getKeys();
  layout.values = type.getValues();
  int64_t elements = layout.capacity * layout.headSize;
  layout.keyHeadBytes = llvm::alignTo(elements * layout.keys.getIntOrFloatBitWidth() / 8, 64);
  layout.valueHeadBytes = llvm::alignTo(elements * layout.values.getIntOrFloatBitWidth() / 8, 64);
  layout.valueOffset = layout.heads * layout.keyHeadBytes;
  layout.size = layout.valueOffset + layout.heads * layout.valueHeadBytes;
  return layout;
}
