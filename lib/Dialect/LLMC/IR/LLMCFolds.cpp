//===- LLMCFolds.cpp - folds of the llmc operations ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Only what is exact to the bit for every input, infinities and NaN included.
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/LLMC/IR/LLMC.h"

using namespace mlir;
using namespace llmc;

/// What is left are rows whose logits are wanted: the same question keeps them all.
OpFoldResult OutputRowsOp::fold(FoldAdaptor) {
  auto earlier = getInput().getDefiningOp<OutputRowsOp>();
  if (earlier && earlier.getRows() == getRows() && earlier.getType() == getType())
    return getInput();
  return {};
}

/// x · 1 = x.
OpFoldResult ScaleOp::fold(FoldAdaptor) {
  return getFactor().convertToFloat() == 1 ? OpFoldResult(getInput()) : OpFoldResult();
}

/// relu(relu(x)) = relu(x): it gives back every value that it can give.
OpFoldResult ActivationOp::fold(FoldAdaptor) {
  auto earlier = getInput().getDefiningOp<ActivationOp>();
  if (getFunction() == Nonlinearity::Relu && earlier && earlier.getFunction() == Nonlinearity::Relu)
    return getInput();
  return {};
}
