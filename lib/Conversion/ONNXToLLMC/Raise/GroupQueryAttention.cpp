//===- GroupQueryAttention.cpp - attention as ONNX Runtime's operator ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raise/Attention.h"
#include "Raise/Matchers.h"
#include "Raise/Norms.h"
#include "Raise/Raise.h"
#include "Raise/Rotation.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

/// A sink for each head, from input `head_sink`; `smooth_softmax` without it has sinks of 0.
static FailureOr<std::optional<Weight>> getSinks(Raise &raise, Node &node, int64_t heads) {
  if (raise.has(node, 11)) {
    std::optional<Weight> sinks = raise.getVector(node, 11, heads);
    if (!sinks)
      return raise.fail("expected a constant sink for each of " + Twine(heads) + " heads");
    return sinks;
  }
  if (node.getInt("smooth_softmax", 0) != 1)
    return std::optional<Weight>();
  Weight zeros;
  zeros.shape = {heads};
  zeros.values = std::make_shared<const std::vector<double>>(heads, 0.0);
  return std::optional<Weight>(std::move(zeros));
}

namespace {

/// What attention computes with: rows × heads × size.
struct QueryKeyValue {
  View query, keys, values;
};

} // namespace

/// Query, keys and values, of inputs 0 to 2 or side by side in the first.
static FailureOr<QueryKeyValue> getOperands(Raise &raise, Node &node, int64_t heads,
                                            int64_t kvHeads) {
  std::optional<View> query = raise.getRows(node, 0);
  if (!query)
    return failure();
  int64_t width = query->countColumns(), parts = heads + 2 * kvHeads;
  if (width != query->shape.back())
    return raise.fail("expected a query of one sequence");
  std::optional<View> keys, values;
  if (raise.has(node, 1)) {
    keys = raise.getView(node, 1);
    values = raise.getView(node, 2);
  } else {
    if (heads < 1 || kvHeads < 1 || width % parts != 0)
      return raise.fail("expected a width of " + Twine(parts) + " heads, found " + Twine(width));
    int64_t size = width / parts;
    keys = values = query;
    auto cut = [&](View &view, int64_t begin, int64_t count) {
      auto first = view.columns.begin() + begin * size;
      view.columns = {first, first + count * size};
    };
    cut(*values, heads + kvHeads, kvHeads);
    cut(*keys, heads, kvHeads);
    cut(*query, 0, heads);
  }
  if (!keys || !values)
    return failure();
  FailureOr<View> q = splitHeads(raise, *query, heads);
  FailureOr<View> k = failed(q) ? q : splitHeads(raise, *keys, kvHeads);
  FailureOr<View> v = failed(k) ? k : splitHeads(raise, *values, kvHeads);
  if (failed(v))
    return failure();
  return QueryKeyValue{std::move(*q), std::move(*k), std::move(*v)};
}

/// Divides heads by their root mean square before they are rotated, where the node has weights for
/// that.
static LogicalResult normalize(Raise &raise, Node &node, QueryKeyValue &operands) {
  if (raise.has(node, 14) != raise.has(node, 15))
    return raise.fail("expected norms of queries and keys alike");
  double epsilon = node.getFloat("qk_norm_epsilon", 1e-6);
  for (auto [view, input, name] : {std::tuple(&operands.query, 14u, "q_norm_epsilon"),
                                   std::tuple(&operands.keys, 15u, "k_norm_epsilon")}) {
    if (!raise.has(node, input))
      continue;
    std::optional<Weight> gain = raise.getVector(node, input, view->shape.back());
    if (!gain)
      return raise.fail("expected constant gains of norms as wide as a head");
    FailureOr<View> rows =
        Normal(*view, false, node.getFloat(name, epsilon), std::move(gain)).toRows(raise);
    if (failed(rows))
      return failure();
    *view = std::move(*rows);
  }
  return success();
}

/// Turns queries and keys by the node's tables of angles.
static LogicalResult rotateBoth(Raise &raise, Node &node, QueryKeyValue &operands) {
  if (node.getInt("do_rotary", 0) == 0)
    return success();
  if (!raise.has(node, 7) || !raise.has(node, 8))
    return raise.fail("expected tables of angles");
  if (raise.has(node, 9) &&
      failed(raise.expectCount(node, 9, LengthRecord::Count::Kind::Positions,
                               "expected known positions that count up from the past")))
    return failure();
  ProbeSizes sizes = raise.getSizes();
  SmallVector<double> places;
  for (int64_t row = 0; row < sizes.rows; ++row)
    places.push_back(static_cast<double>(sizes.past + row));
  FailureOr<AngleTables> tables =
      getTableAngles(raise, raise.getOperand(node, 7), raise.getOperand(node, 8), places);
  if (failed(tables))
    return failure();
  int64_t rotated = 2 * tables->cosine.shape[1];
  bool interleaved = node.getInt("rotary_interleaved", 0) != 0;
  for (View *view : {&operands.query, &operands.keys}) {
    FailureOr<View> result = rotate(raise, *view, *tables, view->shape[1], rotated, interleaved);
    if (failed(result))
      return failure();
    *view = std::move(*result);
  }
  return success();
}

/// com.microsoft's operator, which rotates, keeps the cache and masks by itself.
LogicalResult llmc::raiseGroupQueryAttention(Raise &raise, Node &node) {
  using Count = LengthRecord::Count::Kind;
  int64_t heads = node.getInt("num_heads", 0), kvHeads = node.getInt("kv_num_heads", 0);
  FailureOr<QueryKeyValue> operands = getOperands(raise, node, heads, kvHeads);
  if (failed(operands))
    return failure();
  const char *lengths = "expected lengths of one full sequence as inputs 5 and 6";
  if (failed(raise.expectCount(node, 5, Count::Last, lengths)) ||
      failed(raise.expectCount(node, 6, Count::Total, lengths)) ||
      failed(normalize(raise, node, *operands)) || failed(rotateBoth(raise, node, *operands)))
    return failure();
  FailureOr<std::optional<Weight>> sinks = getSinks(raise, node, heads);
  if (failed(sinks))
    return failure();
  if (raise.has(node, 3) || raise.has(node, 4)) {
    auto *pastKeys = raise.getIf<PastValue>(node, 3), *pastValues = raise.getIf<PastValue>(node, 4);
    if (!pastKeys || !pastValues)
      return raise.fail("expected the cache as it comes in");
    operands->keys.past = pastKeys->index;
    operands->values.past = pastValues->index;
  }
  int64_t size = operands->query.shape[2];
  Scores scores;
  if (raise.has(node, 10)) {
    if (!raise.getTensor(node, 10).isKnown())
      return raise.fail("expected a bias of scores that does not depend on tokens");
    scores.masks.push_back({raise.getOperand(node, 10), Mask::Kind::Added});
  }
  scores.query = std::move(operands->query);
  scores.keys = std::move(operands->keys);
  scores.scale = node.getFloat("scale", 0);
  if (scores.scale == 0)
    scores.scale = 1 / std::sqrt(static_cast<double>(size));
  scores.softcap = node.getFloat("softcap", 0);
  scores.sinks = std::move(*sinks);
  scores.causal = true;
  scores.window = std::max<int64_t>(node.getInt("local_window_size", -1), 0);
  FailureOr<View> result =
      emitAttention(raise, scores, operands->values, {heads, raise.getSizes().rows, size});
  if (succeeded(result))
    result = joinHeads(raise, *result);
  if (failed(result))
    return failure();
  raise.set(node, 0, std::move(*result));
  raise.set(node, 1, CacheValue());
  raise.set(node, 2, CacheValue());
  return success();
}
