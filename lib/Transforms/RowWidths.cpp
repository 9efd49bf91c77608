//===- RowWidths.cpp - widths of activations that follow from those of weights ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/RowWidths.h"
#include "llmc/Analysis/Structure.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace llmc;

static void setWidth(Value value, int64_t width) {
  auto type = cast<RankedTensorType>(value.getType());
  value.setType(RankedTensorType::get({type.getDimSize(0), width}, type.getElementType()));
}

/// What a function of elements writes into becomes as wide as what it reads.
static void fitInit(linalg::GenericOp generic) {
  OpOperand *init = generic.getDpsInitOperand(0);
  auto empty = init->get().getDefiningOp<tensor::EmptyOp>();
  if (!empty->hasOneUse()) {
    OpBuilder builder(generic);
    init->set(builder.clone(*empty)->getResult(0));
  }
  auto read = cast<RankedTensorType>(generic.getDpsInputs().front().getType());
  setWidth(init->get(), read.getDimSize(1));
}

void llmc::inferRowWidth(Operation *op) {
  if (auto linear = dyn_cast<LinearOp>(op))
    return setWidth(linear.getResult(),
                    cast<RankedTensorType>(linear.getWeight().getType()).getDimSize(0));
  if (auto embedding = dyn_cast<EmbeddingOp>(op))
    return setWidth(embedding.getResult(),
                    cast<RankedTensorType>(embedding.getTable().getType()).getDimSize(1));
  if (auto attention = dyn_cast<AttentionOp>(op))
    return attention.getResult().setType(
        AttentionOp::getResultType(attention.getQuery().getType(), attention.getCache().getType()));
  if (auto generic = dyn_cast<linalg::GenericOp>(op); generic && getFunctionInput(op))
    fitInit(generic);
  else if (!isNorm(op) && !op->hasTrait<OpTrait::Elementwise>() &&
           !isa<RopeOp, HadamardOp, ActivationOp, ScaleOp, GateOp, OutputRowsOp>(op))
    return;
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  auto read = dyn_cast<RankedTensorType>(op->getOperand(0).getType());
  if (type && read && type.getRank() == 2 && read.getRank() == 2)
    setWidth(op->getResult(0), read.getDimSize(1));
}

void llmc::inferRowWidths(func::FuncOp function) {
  for (Operation &op : function.getBody().front())
    inferRowWidth(&op);
}
