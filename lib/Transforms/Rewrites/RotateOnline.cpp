//===- RotateOnline.cpp - rotations that are computed while the model runs ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where a nonlinear function or rotary positions stand before what is rotated, no weight can take
// the rotation in: an `llmc.hadamard` does it.
//
//===----------------------------------------------------------------------===//

#include "llmc/Analysis/Structure.h"
#include "llmc/Support/Hadamard.h"
#include "llmc/Transforms/Rewrites/ModelRewrite.h"

using namespace mlir;
using namespace llmc;

/// Cores above this would take longer than what reads the result.
static constexpr int64_t maxOnlineCore = 60;

/// Rotates blocks of `width` elements of a value before `before`; null where no Hadamard matrix is
/// known for parts of them.
static Value insertHadamard(Value value, int64_t width, Operation *before) {
  int64_t order = getHadamardBlock(width, maxOnlineCore);
  if (order == 1)
    return nullptr;
  OpBuilder builder(before);
  return HadamardOp::create(builder, before->getLoc(), value.getType(), value,
                            builder.getI64IntegerAttr(order), /*transposed=*/UnitAttr());
}

static LogicalResult reportWidth(Operation *op, StringRef place, int64_t width) {
  return op->emitError("rotate: where=")
         << place << ": expected a Hadamard matrix of an order that divides " << width
         << ", found none";
}

/// The weights of the readers of an input, which have to read nothing else.
static FailureOr<llvm::SetVector<Operation *>> findWeights(const InputScale &scale) {
  llvm::SetVector<Operation *> weights;
  llvm::DenseMap<Operation *, int64_t> uses;
  for (LinearOp reader : scale.readers) {
    ParameterOp parameter = getParameterOf(reader.getWeight());
    if (!parameter)
      return LogicalResult(
          reader.emitError("rotate: where=down: expected a weight that is a parameter"));
    weights.insert(parameter);
    ++uses[parameter];
  }
  scale.readers.front()->getParentOfType<func::FuncOp>().walk([&](ParameterValueOp read) {
    ParameterOp parameter = getParameterOf(read.getResult());
    if (weights.contains(parameter))
      uses[parameter] -= std::distance(read->use_begin(), read->use_end());
  });
  for (Operation *weight : weights)
    if (uses.lookup(weight) != 0)
      return LogicalResult(
          weight->emitError("rotate: where=down: expected a weight that reads one input"));
  return weights;
}

/// The input of the linears that end an MLP.
static LogicalResult rotateInput(const InputScale &scale, ParameterRewrite &rewrite) {
  FailureOr<llvm::SetVector<Operation *>> weights = findWeights(scale);
  if (failed(weights))
    return failure();
  LinearOp first = scale.readers.front();
  int64_t width = cast<RankedTensorType>(scale.input.getType()).getDimSize(1);
  Value rotated = insertHadamard(scale.input, width, first);
  if (!rotated)
    return reportWidth(first, "down", width);
  for (LinearOp reader : scale.readers)
    reader.getInputMutable().assign(rotated);
  auto order = static_cast<int64_t>(rotated.getDefiningOp<HadamardOp>().getOrder());
  for (Operation *weight : *weights)
    rewrite.add(cast<ParameterOp>(weight), rotateColumns(makeHadamardRotation(order)));
  return success();
}

LogicalResult llmc::rotateDown(func::FuncOp step, const RotationRequest &,
                               ParameterRewrite &rewrite) {
  Structure structure(step);
  int64_t found = 0;
  for (const InputScale &scale : structure.getScales()) {
    size_t ends = llvm::count_if(
        scale.readers, [&](LinearOp reader) { return structure.getRole(reader) == Role::Down; });
    // A linear of factors ends an MLP too, and reads what another makes for it.
    if (ends == 0 || scale.input.getDefiningOp<LinearOp>())
      continue;
    if (ends != scale.readers.size())
      return scale.readers.front()->emitError(
          "rotate: where=down: expected what ends an MLP to read an input of its own");
    if (failed(rotateInput(scale, rewrite)))
      return failure();
    ++found;
  }
  if (found == 0)
    return step.emitError("rotate: where=down: expected linears that end MLPs, found none");
  return success();
}

LogicalResult llmc::rotateKeys(func::FuncOp step, const RotationRequest &, ParameterRewrite &) {
  int64_t found = 0;
  auto rotate = [&](Operation *op, OpOperand &operand, int64_t headSize) -> LogicalResult {
    Value rotated = insertHadamard(operand.get(), headSize, op);
    if (!rotated)
      return reportWidth(op, "keys", headSize);
    operand.set(rotated);
    ++found;
    return success();
  };
  WalkResult walk = step.walk([&](Operation *op) -> WalkResult {
    if (auto attention = dyn_cast<AttentionOp>(op))
      return rotate(op, attention.getQueryMutable(), attention.getCache().getType().getHeadSize());
    if (auto append = dyn_cast<CacheAppendOp>(op))
      return rotate(op, append.getKeysMutable(), append.getCache().getType().getHeadSize());
    return WalkResult::advance();
  });
  if (walk.wasInterrupted())
    return failure();
  if (found == 0)
    return step.emitError("rotate: where=keys: expected attention, found none");
  return success();
}
