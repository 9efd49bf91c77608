//===- Scores.cpp - scores of attention ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raise/Scores.h"
#include "Raise/Attention.h"
#include "Raise/Elementwise.h"
#include "Raise/Matchers.h"
#include "Raise/Movement.h"
#include "Raise/Raise.h"
#include "Raise/RowAlgebra.h"

using namespace mlir;
using namespace llmc;

namespace llmc {

/// Where a softmax of scores is no number: nowhere, where every row sees itself.
struct NanTest : MeaningOf<NanTest> {
  std::optional<LogicalResult> raiseUse(Raise &raise, Node &node) const override;
};

} // namespace llmc

static LogicalResult raiseOnScores(Raise &raise, Node &node) {
  std::string type = node.getType();
  // Rows with nothing to attend: Where(IsNaN(p), 0, p) is p where there is something.
  if (type == "Where") {
    auto *yes = raise.getIf<Scores>(node, 1), *no = raise.getIf<Scores>(node, 2);
    if (raise.getIf<NanTest>(node, 0) && no && raise.getScalar(node, 1) == 0.0) {
      raise.set(node, 0, *no);
      return success();
    }
    const HostTensor &condition = raise.getTensor(node, 0);
    std::optional<double> other = raise.getScalar(node, yes ? 2 : 1);
    if (!condition.isKnown() || (!yes && !no) || !other || *other > -1e4)
      return raise.fail("expected scores to be chosen by a known mask, and a large negative number "
                        "elsewhere");
    Scores scores = yes ? *yes : *no;
    if (scores.isSoftmax)
      return raise.fail("expected a mask before the softmax");
    scores.masks.push_back(
        {raise.getOperand(node, 0), yes ? Mask::Kind::KeepWhereTrue : Mask::Kind::KeepWhereFalse});
    raise.set(node, 0, std::move(scores));
    return success();
  }
  if (node.op.getInputs().size() == 1 && type == "Tanh") {
    auto *scores = raise.getIf<Scores>(node, 0);
    if (!scores || scores->softcap != 0 || !scores->masks.empty() || scores->isSoftmax)
      return raise.fail("expected tanh of plain scores");
    Scores capped = *scores;
    // tanh(s / c) · c: the scale so far holds 1 / c, and the product that follows c.
    capped.softcap = 1;
    raise.set(node, 0, std::move(capped));
    return success();
  }
  if (node.op.getInputs().size() != 2)
    return raise.fail("it is applied to attention scores");
  unsigned data = raise.getIf<Scores>(node, 0) ? 0 : 1;
  auto *found = raise.getIf<Scores>(node, data);
  if (!found || raise.isData(node, 1 - data))
    return raise.fail("expected attention scores and a constant");
  Scores scores = *found;
  std::optional<double> scalar = raise.getScalar(node, 1 - data);
  if ((type == "Mul" || (type == "Div" && data == 0)) && scalar && *scalar != 0 &&
      scores.masks.empty() && !scores.isSoftmax) {
    double factor = type == "Mul" ? *scalar : 1 / *scalar;
    if (scores.softcap == 1 && scores.scale != 0) {
      scores.softcap = factor;
      scores.scale *= factor; // of tanh's argument, as llmc.attention wants it before s / c
    } else if (scores.softcap != 0) {
      return raise.fail("expected capped scores to be scaled once");
    } else {
      scores.scale *= factor;
    }
    raise.set(node, 0, std::move(scores));
    return success();
  }
  if (type == "Max" && scalar && *scalar < -1e4) { // keeps a sum of masks finite
    raise.set(node, 0, std::move(scores));
    return success();
  }
  if (type == "Add" && !scores.isSoftmax && raise.getTensor(node, 1 - data).isKnown()) {
    scores.masks.push_back({raise.getOperand(node, 1 - data), Mask::Kind::Added});
    raise.set(node, 0, std::move(scores));
    return success();
  }
  return raise.fail("expected attention scores to be scaled, capped or masked");
}

/// Scores and what is said of them keep rows and keys as their last axes.
static LogicalResult moveScores(Raise &raise, Node &node) {
  ArrayRef<int64_t> shape = raise.getResultShape(node);
  if (shape.size() < 2 || node.op.getNumResults() != 1 ||
      shape.back() != raise.getSizes().total() || shape[shape.size() - 2] != raise.getSizes().rows)
    return raise.fail("expected attention scores to keep rows and keys as their last axes");
  return keepMeaning(raise, node);
}

std::optional<LogicalResult> NanTest::raiseUse(Raise &raise, Node &node) const {
  if (onlyMoves(node))
    return moveScores(raise, node);
  return isElementwise(node) ? std::optional(raiseOnScores(raise, node)) : std::nullopt;
}

/// The softmax of scores times values.
static LogicalResult raiseSum(Raise &raise, Node &node, const Scores &scores) {
  ArrayRef<int64_t> shape = raise.getResultShape(node);
  std::optional<View> view = raise.getView(node, 1);
  if (!view || !scores.isSoftmax)
    return raise.fail("expected the softmax of scores times values");
  if (shape.size() < 2 || view->shape.size() < 2 ||
      view->rowsAxis != static_cast<int>(view->shape.size()) - 2)
    return raise.fail("expected values with heads before rows");
  FailureOr<View> values = makeHeads(raise, *view, shape.drop_back(2), shape.back());
  FailureOr<View> result = failed(values) ? values : emitAttention(raise, scores, *values, shape);
  if (failed(result))
    return failure();
  raise.set(node, 0, std::move(*result));
  return success();
}

std::optional<LogicalResult> Scores::raiseUse(Raise &raise, Node &node) const {
  if (onlyMoves(node))
    return moveScores(raise, node);
  if (node.getType() == "MatMul" && raise.getIf<Scores>(node, 0) == this && raise.isData(node, 1))
    return raiseSum(raise, node, *this);
  return isElementwise(node) ? std::optional(raiseOnScores(raise, node)) : std::nullopt;
}

LogicalResult llmc::raiseScores(Raise &raise, Node &node) {
  ArrayRef<int64_t> shape = raise.getResultShape(node);
  std::optional<View> query = raise.getView(node, 0), keys = raise.getView(node, 1);
  if (!query || !keys)
    return failure();
  if (isRowProduct(*query, *keys))
    return raiseRowProduct(raise, node, *query, *keys);
  int queryRank = query->shape.size(), keyRank = keys->shape.size();
  if (shape.size() < 2 || query->rowsAxis != queryRank - 2 || keys->rowsAxis != keyRank - 1)
    return raise.fail("expected queries times transposed keys");
  int64_t size = query->shape.back();
  FailureOr<View> queryHeads = makeHeads(raise, *query, shape.drop_back(2), size);
  FailureOr<View> keyHeads =
      failed(queryHeads) ? queryHeads : makeHeads(raise, *keys, shape.drop_back(2), size);
  if (failed(keyHeads))
    return failure();
  Scores scores;
  scores.query = std::move(*queryHeads);
  scores.keys = std::move(*keyHeads);
  raise.set(node, 0, std::move(scores));
  return success();
}

LogicalResult llmc::raiseSoftmax(Raise &raise, Node &node) {
  auto *found = raise.getIf<Scores>(node, 0);
  if (const Meaning *rows = raise.getMeaning(node, 0); !found && rows && rows->isRows())
    return raiseRowSoftmax(raise, node);
  int64_t rank = raise.getShape(node, 0).size();
  if (!found || found->isSoftmax || normalizeAxis(node.getInt("axis", -1), rank) != rank - 1)
    return raise.fail("expected attention scores, over their last axis");
  Scores scores = *found;
  scores.isSoftmax = true;
  raise.set(node, 0, std::move(scores));
  return success();
}

LogicalResult llmc::raiseIsNaN(Raise &raise, Node &node) {
  if (!raise.getIf<Scores>(node, 0))
    return raise.fail("expected the softmax of attention scores");
  raise.set(node, 0, NanTest());
  return success();
}
