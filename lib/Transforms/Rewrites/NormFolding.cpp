//===- NormFolding.cpp - gains of norms as a part of what reads them ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// With x the normalized row, g the gain, b the norm's bias and W, c those of a linear:
// W·(g ∘ x + b) + c = (W·diag(g))·x + (W·b + c).
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Rewrites/NormFolding.h"

#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace llmc;

Value llmc::getNormBias(Operation *norm) {
  auto layerNorm = dyn_cast<LayerNormOp>(norm);
  return layerNorm ? layerNorm.getBias() : Value();
}

/// Whether a norm's rows reach a value as they are, or some of them.
static bool isNormalized(Value value, Operation *norm) {
  while (auto rows = value.getDefiningOp<OutputRowsOp>())
    value = rows.getInput();
  return value.getDefiningOp() == norm;
}

/// Adds W·b to the bias of a linear.
static LogicalResult foldBias(LinearOp linear, ArrayRef<double> normBias,
                              ParameterRewrite &rewrite) {
  FailureOr<ExactValues> weight = rewrite.evaluate(getParameterOf(linear.getWeight()));
  if (failed(weight))
    return failure();
  FailureOr<ParameterOp> bias = rewrite.takeBias(linear);
  if (failed(bias))
    return failure();
  std::vector<double> terms(weight->rows, 0);
  for (int64_t row = 0; row < weight->rows; ++row)
    for (auto [value, term] : llvm::zip_equal(weight->row(row), normBias))
      terms[row] += value * term;
  rewrite.add(*bias, addTerms(std::move(terms)));
  return success();
}

/// Takes its bias from a layer norm.
static void dropBias(LayerNormOp norm) {
  ParameterOp parameter = getParameterOf(norm.getBias());
  auto read = norm.getBias().getDefiningOp<ParameterValueOp>();
  norm.getBiasMutable().clear();
  if (read && read->use_empty())
    read->erase();
  if (SymbolTable::symbolKnownUseEmpty(parameter, parameter->getParentOp()))
    parameter->erase();
}

FailureOr<std::string> llmc::foldNorm(const InputScale &scale, ParameterRewrite &rewrite) {
  if (!scale.isPossible())
    return scale.reason;
  if (!isNorm(scale.producer))
    return std::string("no norm makes it");
  Operation *norm = scale.producer;
  FailureOr<ExactValues> gain = rewrite.evaluate(getParameterOf(norm->getOperand(1)));
  if (failed(gain))
    return failure();
  if (scale.positiveOnly && llvm::any_of(gain->data, [](double g) { return g <= 0; }))
    return std::string("a relu lies behind it, and some gains are not positive");
  if (Value bias = getNormBias(norm)) {
    if (!isNormalized(scale.input, norm))
      return std::string("it has a bias, and what reads it is no linear");
    FailureOr<ExactValues> terms = rewrite.evaluate(getParameterOf(bias));
    if (failed(terms))
      return failure();
    if (llvm::any_of(terms->data, [](double term) { return term != 0; }))
      for (LinearOp reader : scale.readers)
        if (failed(foldBias(reader, terms->data, rewrite)))
          return failure();
  }
  llvm::SmallSetVector<Operation *, 4> weights;
  for (LinearOp reader : scale.readers)
    weights.insert(getParameterOf(reader.getWeight()));
  // A value head's columns share a factor; those of a norm do not.
  for (Operation *weight : weights)
    rewrite.add(cast<ParameterOp>(weight), scaleColumns(gain->data));
  rewrite.add(getParameterOf(norm->getOperand(1)), fill(1));
  if (getNormBias(norm))
    dropBias(cast<LayerNormOp>(norm));
  return std::string();
}
