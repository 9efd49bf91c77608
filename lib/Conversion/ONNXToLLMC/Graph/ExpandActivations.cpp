//===- ExpandActivations.cpp - activations and norms that were fused with sums ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Graph/Expansion.h"
#include "Graph/Expansions.h"

using namespace mlir;
using namespace llmc;

static constexpr llvm::StringLiteral microsoft = "com.microsoft";

/// BiasGelu(x, b) = Gelu(x + b), exact.
Expanded llmc::expandBiasGelu(Expansion &e) {
  return e.replace(e.make("Gelu", e.make("Add", {e.input(0), e.input(1)})));
}

/// FastGelu(x, b) = FastGelu(x + b).
Expanded llmc::expandFastGelu(Expansion &e) {
  if (!e.has(1))
    return Expanded::Kept;
  Value sum = e.make("Add", {e.input(0), e.input(1)});
  return e.replace(e.make("FastGelu", sum, {}, microsoft));
}

/// BiasSplitGelu(x, b): of x + b in two halves the first times the second's gelu.
Expanded llmc::expandBiasSplitGelu(Expansion &e) {
  Value sum = e.make("Add", {e.input(0), e.input(1)});
  int64_t width = e.tensor(0)->shape.empty() ? 1 : e.tensor(0)->shape.back();
  if (width < 2 || width % 2 != 0)
    return e.fail("expected an even width, found " + Twine(width));
  SmallVector<Value> halves = e.makeMany("Split", 2, {sum, e.makeIntegers({width / 2, width / 2})},
                                         {{"axis", e.integer(-1)}});
  return e.replace(e.make("Mul", {halves[0], e.make("Gelu", halves[1])}));
}

/// BiasAdd(x, b, y) = x + b + y.
Expanded llmc::expandBiasAdd(Expansion &e) {
  return e.replace(e.make("Add", {e.make("Add", {e.input(0), e.input(1)}), e.input(2)}));
}

/// Swish(x) = x · sigmoid(alpha · x), as opset 24 has it.
Expanded llmc::expandSwish(Expansion &e) {
  Value scaled = e.input(0);
  if (double alpha = e.node.getFloat("alpha", 1); alpha != 1)
    scaled = e.make("Mul", {scaled, e.makeNumber(alpha)});
  return e.replace(e.make("Mul", {e.input(0), e.make("Sigmoid", scaled)}));
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
