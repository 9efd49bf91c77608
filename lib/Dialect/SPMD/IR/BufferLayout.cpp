//===- BufferLayout.cpp - how what a step computes lies in its buffers ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/SPMD/IR/BufferLayout.h"
#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace llmc;

bool llmc::isActivations(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.getRank() == 2 && tensor.isDynamicDim(0) && !tensor.isDynamicDim(1) &&
         tensor.getElementType().isF32() && !tensor.getEncoding();
}

bool llmc::isRoundedActivations(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && isa_and_nonnull<DynamicAttr>(tensor.getEncoding()) &&
         isActivations(tensor.dropEncoding());
}

RoundedLayout RoundedLayout::get(int64_t width, int64_t rows) {
  RoundedLayout layout;
  layout.codeRow = getRowStride(width);
  layout.scaleRow = layout.sumRow = layout.codeRow / 32 * 4;
  layout.scaleOffset = llvm::alignTo(layout.codeRow * rows, 64);
  layout.sumOffset = layout.scaleOffset + llvm::alignTo(layout.scaleRow * rows, 64);
  layout.size = layout.sumOffset + llvm::alignTo(layout.sumRow * rows, 64);
  return layout;
}

int64_t llmc::getBufferBytes(RankedTensorType type, int64_t rows) {
  int64_t width = type.getDimSize(1);
  if (isRoundedActivations(type))
    return RoundedLayout::get(width, rows).size;
  return getRowStride(width) * 4 * rows;
}
