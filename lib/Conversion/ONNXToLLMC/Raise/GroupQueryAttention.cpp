//===- GroupQueryAttention.cpp - attention as ONNX Runtime's operator ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raise/Attention.h"
#include "Raise/Matchers.h"
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

/// com.microsoft's operator, which rotates, keeps the cache and masks by itself.
LogicalResult llmc::raiseGroupQueryAttention(Raise &raise, Node &node) {
  int64_t heads = node.getInt("num_heads", 0), kvHeads = node.getInt("kv_num_heads", 0);
  std::optional<View> query = raise.getRows(node, 0);
  if (!query)
    return failure();
  ArrayRef<int64_t> shape = raise.getResultShape(node);
  if (static_cast<int64_t>(query->columns.size()) != query->shape.back())
    return raise.fail("expected a query of one sequence");
  int64_t size = shape.back() / heads;
  std::optional<View> keys, values;
  if (raise.has(node, 1)) {
    keys = raise.getView(node, 1);
    values = raise.getView(node, 2);
  } else {
    keys = values = query;
    auto cut = [&](View &view, int64_t begin, int64_t count) {
      view.columns = {view.columns.begin() + begin, view.columns.begin() + begin + count};
    };
    cut(*values, (heads + kvHeads) * size, kvHeads * size);
    cut(*keys, heads * size, kvHeads * size);
    cut(*query, 0, heads * size);
  }
  if (!keys || !values)
    return failure();
  for (auto [i, expected] : {std::pair<unsigned, int64_t>{5, raise.getSizes().total() - 1},
                             std::pair<unsigned, int64_t>{6, raise.getSizes().total()}}) {
    const HostTensor &found = raise.getTensor(node, i);
    if (!found.isKnown() || found.getNumElements() != 1 || toInteger(found[0]) != expected)
      return raise.fail("expected lengths of one full sequence as inputs 5 and 6");
  }
  FailureOr<std::optional<Weight>> sinks = getSinks(raise, node, heads);
  if (failed(sinks))
    return failure();
  FailureOr<View> q = splitHeads(raise, *query, heads);
  FailureOr<View> k = failed(q) ? q : splitHeads(raise, *keys, kvHeads);
  FailureOr<View> v = failed(k) ? k : splitHeads(raise, *values, kvHeads);
  if (failed(v))
    return failure();
  if (node.getInt("do_rotary", 0) != 0) {
    if (!raise.has(node, 7) || !raise.has(node, 8))
      return raise.fail("expected tables of angles");
    SmallVector<double> places;
    for (int64_t row = 0; row < raise.getSizes().rows; ++row)
      places.push_back(static_cast<double>(raise.getSizes().past + row));
    auto tables =
        getTableAngles(raise, raise.getOperand(node, 7), raise.getOperand(node, 8), places);
    if (failed(tables))
      return failure();
    int64_t pairs = tables->cosine.shape[1];
    bool interleaved = node.getInt("rotary_interleaved", 0) != 0;
    for (View *view : {&*q, &*k}) {
      FailureOr<View> rotated =
          rotate(raise, *view, *tables, view == &*q ? heads : kvHeads, 2 * pairs, interleaved);
      if (failed(rotated))
        return failure();
      *view = std::move(*rotated);
    }
  }
  if (raise.has(node, 3)) {
    auto *pastKeys = raise.getIf<PastValue>(node, 3), *pastValues = raise.getIf<PastValue>(node, 4);
    if (!pastKeys || !pastValues)
      return raise.fail("expected the cache as it comes in");
    k->past = pastKeys->index;
    v->past = pastValues->index;
  }
  Scores scores;
  scores.query = *q;
  scores.keys = *k;
  scores.scale = node.getFloat("scale", 0);
  if (scores.scale == 0)
    scores.scale = 1 / std::sqrt(static_cast<double>(size));
  scores.softcap = node.getFloat("softcap", 0);
  scores.sinks = std::move(*sinks);
  scores.causal = true;
  scores.window = std::max<int64_t>(node.getInt("local_window_size", -1), 0);
  FailureOr<View> result = emitAttention(raise, scores, *v, {heads, raise.getSizes().rows, size});
  if (failed(result))
    return failure();
  result = joinHeads(raise, *result);
  if (failed(result))
    return failure();
  raise.set(node, 0, std::move(*result));
  raise.set(node, 1, CacheValue());
  raise.set(node, 2, CacheValue());
  return success();
}
