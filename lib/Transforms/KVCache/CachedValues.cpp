//===- CachedValues.cpp - who computes values of caches, and who reads them ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/KVCache/CachedValues.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace llmc;

static InFlightDiagnostic refuseValues(AttentionOp attention) {
  return attention.emitError("factorize-kv-cache: ");
}

/// What makes a value, behind scales and choices of rows, by whose factors `factor` is multiplied.
static Operation *traceScales(Value value, double &factor) {
  while (Operation *op = value.getDefiningOp()) {
    if (auto scale = dyn_cast<ScaleOp>(op))
      factor *= scale.getFactor().convertToDouble();
    else if (!isa<OutputRowsOp>(op))
      return op;
    value = op->getOperand(0);
  }
  return nullptr;
}

static FailureOr<CachedValues> makeValues(AttentionOp attention, const InputScale &scale) {
  if (!scale.isPossible())
    return refuseValues(attention)
           << "expected values that latents can stand for: " << scale.reason;
  CachedValues values;
  values.attention = attention;
  values.append = attention.getCache().getDefiningOp<CacheAppendOp>();
  values.readers = scale.readers;
  (void)traceScales(scale.input, values.factor);
  Operation *maker = traceScales(values.append.getValues(), values.factor);
  if (auto slice = dyn_cast_or_null<tensor::ExtractSliceOp>(maker))
    maker = slice.getSource().getDefiningOp();
  values.producer = dyn_cast_or_null<LinearOp>(maker);
  if (!values.producer || values.producer != scale.producer)
    return refuseValues(attention) << "expected values that a linear computes";
  values.begin = scale.rows.front().begin;
  if (values.producer.getBias() && attention.getSinks())
    return refuseValues(attention) << "expected values without a bias beside sinks, whose weights "
                                      "do not add up to 1, found "
                                   << "one of " << values.producer.getBias().getType();
  return values;
}

FailureOr<std::vector<CachedValues>> llmc::findCachedValues(func::FuncOp step) {
  const Structure structure(step);
  llvm::SetVector<Operation *> left;
  for (auto attention : step.getOps<AttentionOp>())
    left.insert(attention);
  std::vector<CachedValues> found;
  for (const InputScale &scale : structure.getScales()) {
    double factor = 1;
    auto attention = dyn_cast_or_null<AttentionOp>(traceScales(scale.input, factor));
    if (!attention)
      continue;
    left.remove(attention);
    FailureOr<CachedValues> values = makeValues(attention, scale);
    if (failed(values))
      return failure();
    found.push_back(std::move(*values));
  }
  if (!left.empty())
    return refuseValues(cast<AttentionOp>(left.front()))
           << "expected linears alone to read what attention computes";
  return found;
}
