//===- ExpandProducts.cpp - products with factors, transposes and activations ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Graph/ElementType.h"
#include "Graph/Expansion.h"
#include "Graph/Expansions.h"

#include <numeric>

using namespace mlir;
using namespace llmc;

//===----------------------------------------------------------------------===//
// FusedMatMul
//===----------------------------------------------------------------------===//

/// An operand with its last two axes swapped; before that, with `batch`, its first axis is put
/// behind all but the last.
static Value transposeOperand(Expansion &e, unsigned i, bool swap, bool batch) {
  int64_t rank = e.tensor(i)->shape.size();
  if (rank < 2 || (!swap && !batch))
    return e.input(i);
  SmallVector<int64_t> permutation(rank);
  std::iota(permutation.begin(), permutation.end(), 0);
  if (batch)
    std::rotate(permutation.begin(), permutation.begin() + 1, permutation.end() - 1);
  if (swap)
    std::swap(permutation[rank - 1], permutation[rank - 2]);
  return e.transpose(e.input(i), permutation);
}

/// Whether an operand follows from constants of the file alone.
static bool isConstant(Expansion &e, unsigned i) {
  const HostTensor *found = e.tensor(i);
  return found && (found->isKnown() || found->constant || found->isWeights);
}

/// alpha · a · b, with transposes of either. Before a weight the rows are scaled: what follows,
/// such as an activation, then finds the linear itself.
Expanded llmc::expandFusedMatMul(Expansion &e) {
  auto flag = [&](StringRef name) { return e.node.getInt(name, 0) != 0; };
  Value left = transposeOperand(e, 0, flag("transA"), flag("transBatchA"));
  Value right = transposeOperand(e, 1, flag("transB"), flag("transBatchB"));
  double alpha = e.node.getFloat("alpha", 1);
  bool isWeight = isConstant(e, 1);
  auto scale = [&](Value value) {
    return alpha == 1 ? value : e.make("Mul", {value, e.makeNumber(alpha)});
  };
  Value product = e.make("MatMul", {isWeight ? scale(left) : left, right});
  return e.replace(isWeight ? product : scale(product));
}

//===----------------------------------------------------------------------===//
// Gemm
//===----------------------------------------------------------------------===//

/// A Gemm of rows as they are, with a bias as wide as the result.
Expanded llmc::expandGemm(Expansion &e) {
  bool transA = e.node.getInt("transA", 0) != 0, transB = e.node.getInt("transB", 0) != 0;
  const HostTensor *added = e.tensor(2);
  ArrayRef<int64_t> left = e.tensor(0)->shape, right = e.tensor(1)->shape;
  if (left.size() != 2 || right.size() != 2)
    return Expanded::Kept;
  int64_t width = right[transB ? 0 : 1];
  bool isOne = added && added->getNumElements() == 1 && width > 1;
  if (!transA && !isOne)
    return Expanded::Kept;
  SmallVector<Value> inputs(e.node.op.getInputs());
  if (transA)
    inputs[0] = e.transpose(inputs[0], {1, 0});
  if (isOne)
    inputs[2] = e.make("Expand", {inputs[2], e.makeIntegers(width)});
  return e.replace(e.make("Gemm", inputs,
                          {{"alpha", e.node.get("alpha")},
                           {"beta", e.node.get("beta")},
                           {"transB", e.node.get("transB")}}));
}

//===----------------------------------------------------------------------===//
// Products with activations
//===----------------------------------------------------------------------===//

/// The activation that a fused product ends with: Relu, Sigmoid, Tanh or a leaky Relu.
static FailureOr<Value> makeActivation(Expansion &e, Value value) {
  StringRef name = e.node.getString("activation", "");
  if (name.empty())
    return value;
  if (name == "Relu" || name == "Sigmoid" || name == "Tanh")
    return e.make(name, value);
  if (name == "LeakyRelu") {
    double slope = e.node.getFloat("activation_alpha", 0.01);
    Value negative = e.make("Mul", {e.make("Min", {value, e.makeNumber(0)}), e.makeNumber(slope)});
    return e.make("Add", {e.make("Relu", value), negative});
  }
  (void)e.fail("expected Relu, LeakyRelu, Sigmoid or Tanh as its activation, found '" + name + "'");
  return failure();
}

Expanded llmc::expandFusedGemm(Expansion &e) {
  SmallVector<Value> inputs(e.node.op.getInputs());
  Value product = e.make("Gemm", inputs,
                         {{"alpha", e.node.get("alpha")},
                          {"beta", e.node.get("beta")},
                          {"transA", e.node.get("transA")},
                          {"transB", e.node.get("transB")}});
  FailureOr<Value> result = makeActivation(e, product);
  return failed(result) ? Expanded::Failed : e.replace(*result);
}

Expanded llmc::expandFusedMatMulActivation(Expansion &e) {
  Value product = e.make("FusedMatMul", {e.input(0), e.input(1)},
                         {{"alpha", e.node.get("alpha")},
                          {"transA", e.node.get("transA")},
                          {"transB", e.node.get("transB")},
                          {"transBatchA", e.node.get("transBatchA")},
                          {"transBatchB", e.node.get("transBatchB")}},
                         "com.microsoft");
  FailureOr<Value> result = makeActivation(e, product);
  return failed(result) ? Expanded::Failed : e.replace(*result);
}

//===----------------------------------------------------------------------===//
// CastLike
//===----------------------------------------------------------------------===//

/// CastLike(x, y) = Cast(x) to y's type.
Expanded llmc::expandCastLike(Expansion &e) {
  int64_t dataType = findDataType(e.input(1), e.probe);
  if (dataType == 0)
    return e.fail("expected a second input whose type the file states");
  return e.replace(e.make("Cast", e.input(0), {{"to", e.integer(dataType)}}));
}
