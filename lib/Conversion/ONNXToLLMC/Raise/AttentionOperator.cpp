//===- AttentionOperator.cpp - attention as the standard's operator ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raise/Attention.h"
#include "Raise/Matchers.h"
#include "Raise/Raise.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

/// Opset 23's operator: heads side by side (rank 3) or before rows (rank 4).
LogicalResult llmc::raiseAttention(Raise &raise, Node &node) {
  std::optional<View> query = raise.getView(node, 0), keys = raise.getView(node, 1),
                      values = raise.getView(node, 2);
  if (!query || !keys || !values)
    return failure();
  if (node.getInt("qk_matmul_output_mode", 0) != 0 || raise.has(node, 6))
    return raise.fail("expected neither scores as output nor padding lengths");
  int64_t headsGiven = node.getInt("q_num_heads", 0), kvGiven = node.getInt("kv_num_heads", 0);
  auto toHeads = [&](const View &view, int64_t given) -> FailureOr<View> {
    if (view.shape.size() == 3)
      return splitHeads(raise, view, given);
    if (view.shape.size() != 4 || view.rowsAxis != 2)
      return raise.fail("expected heads before rows");
    return makeHeads(raise, view, ArrayRef(view.shape).take_front(2), view.shape[3]);
  };
  FailureOr<View> q = toHeads(*query, headsGiven);
  FailureOr<View> k = failed(q) ? q : toHeads(*keys, kvGiven);
  FailureOr<View> v = failed(k) ? k : toHeads(*values, kvGiven);
  if (failed(v))
    return failure();
  bool isCausal = node.getInt("is_causal", 0) != 0;
  // The standard counts keys and rows from the first of each.
  if (isCausal && k->past >= 0)
    return raise.fail(
        "expected is_causal to have the cache as inputs past_key and past_value, found "
        "keys that were joined with it, of which it hides all but the first");
  if (raise.has(node, 4) || raise.has(node, 5)) {
    auto *pastKeys = raise.getIf<PastValue>(node, 4), *pastValues = raise.getIf<PastValue>(node, 5);
    if (!pastKeys || !pastValues || k->past >= 0 || v->past >= 0)
      return raise.fail("expected the cache as it comes in");
    k->past = pastKeys->index;
    v->past = pastValues->index;
    k->shape[0] = v->shape[0] = raise.getSizes().total();
  }
  int64_t heads = q->shape[1], kvHeads = k->shape[1], size = q->shape[2];
  if (kvHeads < 1 || heads % kvHeads != 0)
    return raise.fail("expected key/value heads that divide the query's");
  Scores scores;
  scores.query = *q;
  scores.keys = *k;
  scores.scale = node.getFloat("scale", 1 / std::sqrt(static_cast<double>(size)));
  if (scores.scale == 0)
    scores.scale = 1 / std::sqrt(static_cast<double>(size));
  scores.softcap = node.getFloat("softcap", 0);
  scores.causal = isCausal;
  if (raise.has(node, 3)) {
    const HostTensor &mask = raise.getTensor(node, 3);
    if (!mask.isKnown())
      return raise.fail("expected a mask that does not depend on tokens");
    scores.masks.push_back({raise.getOperand(node, 3),
                            mask.isInteger ? Mask::Kind::KeepWhereTrue : Mask::Kind::Added});
  }
  ArrayRef<int64_t> shape = raise.getResultShape(node);
  bool flat = query->shape.size() == 3;
  FailureOr<View> result =
      emitAttention(raise, scores, *v, flat ? ArrayRef<int64_t>({heads, shape[1], size}) : shape);
  if (failed(result))
    return failure();
  if (flat)
    result = joinHeads(raise, *result);
  if (failed(result))
    return failure();
  raise.set(node, 0, std::move(*result));
  raise.set(node, 1, CacheValue());
  raise.set(node, 2, CacheValue());
  return success();
}
