//===- NormOperators.cpp - norms as operators ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raise/Embedding.h"
#include "Raise/Emission.h"
#include "Raise/Matchers.h"
#include "Raise/Norms.h"
#include "Raise/Raise.h"

using namespace mlir;
using namespace llmc;

LogicalResult llmc::raiseRMSNorm(Raise &raise, Node &node) {
  // Of rows whose mean was subtracted it is a layer norm.
  auto *normal = raise.getIf<Normal>(node, 0);
  bool centered = normal && normal->centered && !normal->epsilon;
  std::optional<View> view = centered ? std::optional(normal->of) : raise.getRows(node, 0);
  if (!view)
    return failure();
  int64_t rank = view->shape.size();
  std::optional<Weight> gain = raise.getVector(node, 1, view->shape.back());
  if (!gain || normalizeAxis(node.getInt("axis", -1), rank) != rank - 1)
    return raise.fail("expected a norm over the last axis with a constant gain");
  raise.set(node, 0, Normal(*view, centered, node.getFloat("epsilon", 1e-5), std::move(gain)));
  return success();
}

LogicalResult llmc::raiseLayerNorm(Raise &raise, Node &node) {
  std::optional<View> view = raise.getRows(node, 0);
  if (!view)
    return failure();
  int64_t rank = view->shape.size(), size = view->shape.back();
  std::optional<Weight> gain = raise.getVector(node, 1, size),
                        bias = raise.getVector(node, 2, size);
  if (!gain || (raise.has(node, 2) && !bias) ||
      normalizeAxis(node.getInt("axis", -1), rank) != rank - 1)
    return raise.fail("expected a norm over the last axis with a constant gain and bias");
  raise.set(node, 0,
            Normal(*view, true, node.getFloat("epsilon", 1e-5), std::move(gain), std::move(bias)));
  return success();
}

/// Rows that a skip norm adds: the model's, or what depends on positions alone.
static FailureOr<Value> getAddend(Raise &raise, Node &node, unsigned i,
                                  const std::optional<View> &rows) {
  return rows ? materializeExactly(raise, *rows)
              : emitPositionEmbedding(raise, raise.getOperand(node, i));
}

/// norm(input + skip + bias), and the sum as the last output.
LogicalResult llmc::raiseSkipNorm(Raise &raise, Node &node) {
  bool simplified = node.op.getOpType().contains("Simplified");
  auto getRows = [&](unsigned i) {
    return raise.isData(node, i) ? raise.getRows(node, i) : std::nullopt;
  };
  std::optional<View> input = getRows(0), skip = getRows(1);
  if ((raise.isData(node, 0) && !input) || (raise.isData(node, 1) && !skip))
    return failure();
  const std::optional<View> &known = input ? input : skip;
  if (!known)
    return raise.fail("expected rows of the model as operand");
  if (input && skip && (input->shape != skip->shape || input->rowsAxis != skip->rowsAxis))
    return raise.fail("expected rows of one shape");
  int64_t size = known->shape.back();
  std::optional<Weight> gain = raise.getVector(node, 2, size);
  std::optional<Weight> beta = simplified ? std::nullopt : raise.getVector(node, 3, size);
  unsigned biasInput = simplified ? 3 : 4;
  if (!gain || (!simplified && raise.has(node, 3) && !beta) || raise.has(node, biasInput))
    return raise.fail("expected a constant gain and no bias of the sum");
  FailureOr<Value> a = getAddend(raise, node, 1, skip);
  FailureOr<Value> b = failed(a) ? a : getAddend(raise, node, 0, input);
  if (failed(b))
    return failure();
  if (a->getType() != b->getType())
    return raise.fail("expected rows of one width");
  Value sum = emitSum(raise, *a, *b);
  View total = makeView(sum, known->shape, raise.location);
  raise.set(node, 3, total);
  raise.set(node, 0,
            Normal(total, !simplified, node.getFloat("epsilon", 1e-12), std::move(gain),
                   std::move(beta)));
  return success();
}
