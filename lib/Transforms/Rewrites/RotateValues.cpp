//===- RotateValues.cpp - the values of attention in another basis ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A head's result is a weighted sum of values: with values v·Q it is that times Q, which the output
// projection undoes on each head's columns.
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Rewrites/ModelRewrite.h"

#include "llmc/Analysis/Structure.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace llmc;

static InFlightDiagnostic refuse(Operation *op) { return op->emitError("rotate: where=values: "); }

/// Behind scales and choices of rows.
static Operation *getMaker(Value value) {
  while (isa_and_nonnull<ScaleOp, OutputRowsOp>(value.getDefiningOp()))
    value = value.getDefiningOp()->getOperand(0);
  return value.getDefiningOp();
}

/// Whether a linear makes an attention's values, as they are or times a number.
static bool areOfLinear(AttentionOp attention) {
  auto append = attention.getCache().getDefiningOp<CacheAppendOp>();
  Operation *maker = append ? getMaker(append.getValues()) : nullptr;
  if (auto slice = dyn_cast_or_null<tensor::ExtractSliceOp>(maker))
    maker = slice.getSource().getDefiningOp();
  return isa_and_nonnull<LinearOp>(maker);
}

static LogicalResult rotateHeads(AttentionOp attention, const InputScale &scale,
                                 const RotationRequest &request, ParameterRewrite &rewrite) {
  if (!scale.isPossible())
    return refuse(attention) << "expected values that can be rotated: " << scale.reason;
  if (!areOfLinear(attention))
    return refuse(attention) << "expected values that a linear computes";
  FailureOr<RotationRef> rotation = request.make(scale.headSize);
  if (failed(rotation))
    return failure();
  if (!*rotation)
    return refuse(attention) << "expected a Hadamard matrix of an order that divides "
                             << scale.headSize << ", found none";
  for (const ScaledRows &rows : scale.rows)
    rewrite.add(rows.parameter, rotateRows(*rotation, rows.begin, scale.count));
  llvm::SetVector<Operation *> weights;
  for (LinearOp reader : scale.readers)
    weights.insert(getParameterOf(reader.getWeight()));
  for (Operation *weight : weights)
    rewrite.add(cast<ParameterOp>(weight), rotateColumns(*rotation));
  return success();
}

LogicalResult llmc::rotateValues(func::FuncOp step, const RotationRequest &request,
                                 ParameterRewrite &rewrite) {
  Structure structure(step);
  llvm::SetVector<Operation *> left;
  step.walk([&](AttentionOp attention) { left.insert(attention); });
  if (left.empty())
    return refuse(step) << "expected attention, found none";
  for (const InputScale &scale : structure.getScales()) {
    auto attention = dyn_cast_or_null<AttentionOp>(getMaker(scale.input));
    if (!attention)
      continue;
    left.remove(attention);
    if (failed(rotateHeads(attention, scale, request, rewrite)))
      return failure();
  }
  if (!left.empty())
    return refuse(left.front()) << "expected linears alone to read what attention computes";
  return success();
}
