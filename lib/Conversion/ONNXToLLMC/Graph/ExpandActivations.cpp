//===- ExpandActivations.cpp - activations and norms that were fused with sums ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Graph/Expansion.h"
#include "Graph/Expansions.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

static constexpr llvm::StringLiteral microsoft = "com.microsoft";

/// x / 2 · (1 + function(inner))
static Value makeGelu(Expansion &e, Value x, StringRef function, Value inner) {
  Value share = e.make("Add", {e.make(function, inner), e.makeNumber(1)});
  return e.make("Mul", {e.make("Mul", {x, e.makeNumber(0.5)}), share});
}

/// Of the error function.
static Value makeGelu(Expansion &e, Value x) {
  return makeGelu(e, x, "Erf", e.make("Mul", {x, e.makeNumber(std::sqrt(0.5))}));
}

/// As tanh comes near it: tanh(√(2/π) · (x + 0.044715 · x³)).
static Value makeTanhGelu(Expansion &e, Value x) {
  Value cube = e.make("Mul", {e.make("Mul", {x, x}), x});
  Value sum = e.make("Add", {x, e.make("Mul", {cube, e.makeNumber(0.044715)})});
  return makeGelu(e, x, "Tanh", e.make("Mul", {sum, e.makeNumber(std::sqrt(2 / M_PI))}));
}

/// x · sigmoid(alpha · x)
static Value makeSwish(Expansion &e, Value x, double alpha) {
  Value scaled = alpha == 1 ? x : e.make("Mul", {x, e.makeNumber(alpha)});
  return e.make("Mul", {x, e.make("Sigmoid", scaled)});
}

Expanded llmc::expandGelu(Expansion &e) {
  bool isTanh = e.node.getString("approximate", "none") == "tanh";
  return e.replace(isTanh ? makeTanhGelu(e, e.input(0)) : makeGelu(e, e.input(0)));
}

/// BiasGelu(x, b) = Gelu(x + b), exact.
Expanded llmc::expandBiasGelu(Expansion &e) {
  return e.replace(makeGelu(e, e.make("Add", {e.input(0), e.input(1)})));
}

/// FastGelu(x, b) = Gelu(x + b), of tanh.
Expanded llmc::expandFastGelu(Expansion &e) {
  return e.replace(
      makeTanhGelu(e, e.has(1) ? e.make("Add", {e.input(0), e.input(1)}) : e.input(0)));
}

/// ONNX Runtime's Swish with another default.
Expanded llmc::expandQuickGelu(Expansion &e) {
  return e.replace(makeSwish(e, e.input(0), e.node.getFloat("alpha", 1.702)));
}

/// BiasSplitGelu(x, b): of x + b in two halves the first times the second's gelu.
Expanded llmc::expandBiasSplitGelu(Expansion &e) {
  Value sum = e.make("Add", {e.input(0), e.input(1)});
  int64_t width = e.tensor(0)->shape.empty() ? 1 : e.tensor(0)->shape.back();
  if (width < 2 || width % 2 != 0)
    return e.fail("expected an even width, found " + Twine(width));
  SmallVector<Value> halves = e.makeMany("Split", 2, {sum, e.makeIntegers({width / 2, width / 2})},
                                         {{"axis", e.integer(-1)}});
  return e.replace(e.make("Mul", {halves[0], makeGelu(e, halves[1])}));
}

/// BiasAdd(x, b, y) = x + b + y.
Expanded llmc::expandBiasAdd(Expansion &e) {
  return e.replace(e.make("Add", {e.make("Add", {e.input(0), e.input(1)}), e.input(2)}));
}

/// Swish(x) = x · sigmoid(alpha · x), as opset 24 has it.
Expanded llmc::expandSwish(Expansion &e) {
  return e.replace(makeSwish(e, e.input(0), e.node.getFloat("alpha", 1)));
}

/// A skip norm whose sum has a bias: the bias is added to what comes from the layer before.
Expanded llmc::expandSkipNorm(Expansion &e) {
  bool simplified = e.node.op.getOpType().contains("Simplified");
  unsigned bias = simplified ? 3 : 4;
  if (!e.has(bias))
    return Expanded::Kept;
  SmallVector<Value> inputs{e.make("Add", {e.input(0), e.input(bias)}), e.input(1), e.input(2)};
  if (!simplified && e.has(3))
    inputs.push_back(e.input(3));
  return e.replace(e.makeMany(e.node.op.getOpType(), e.numOutputs(), inputs,
                              {{"epsilon", e.node.get("epsilon")}}, microsoft));
}
