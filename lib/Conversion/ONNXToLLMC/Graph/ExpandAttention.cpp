//===- ExpandAttention.cpp - ONNX Runtime's attention as the standard's ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Graph/Expansion.h"
#include "Graph/Expansions.h"

using namespace mlir;
using namespace llmc;

namespace {

/// What an attention operator of opset 23 is made of. Absent values are null.
struct AttentionParts {
  Value query, keys, values; ///< batch × rows × width
  Value padding;             ///< batch × keys, true where a key is read
  Value added;               ///< to the scores
  Value pastKeys, pastValues;
  int64_t heads;
  bool isCausal;
};

} // namespace

/// Which keys are read: not those that come later nor those of padding. rows × keys or more.
static Value makeCausalMask(Expansion &e, const AttentionParts &parts, Value total) {
  Value rows = e.pick(e.make("Shape", parts.query), 0, 1);
  Value one = e.makeInteger(1);
  Value keys = e.make("Range", {e.makeInteger(0), total, one});
  Value places = e.unsqueeze(e.make("Range", {e.make("Sub", {total, rows}), total, one}), 1);
  return e.make("LessOrEqual", {keys, places});
}

/// The operator and its outputs: the result, and the cache's keys and values.
static SmallVector<Value> makeAttention(Expansion &e, const AttentionParts &parts) {
  Value mask = parts.added;
  bool isCausal = parts.isCausal;
  if (parts.padding) {
    Value padding = e.unsqueeze(parts.padding, {1, 2});
    mask = padding;
    if (isCausal)
      mask = e.make("And",
                    {padding, makeCausalMask(e, parts, e.pick(e.make("Shape", padding), 0, 3))});
    isCausal = false;
  }
  SmallVector<Value> inputs{parts.query,
                            parts.keys,
                            parts.values,
                            e.orAbsent(mask),
                            e.orAbsent(parts.pastKeys),
                            e.orAbsent(parts.pastValues)};
  Attribute scale;
  if (double given = e.node.getFloat("scale", 0); given != 0)
    scale = e.number(given);
  return e.makeMany("Attention", 3, inputs,
                    {{"q_num_heads", e.integer(parts.heads)},
                     {"kv_num_heads", e.integer(parts.heads)},
                     {"is_causal", e.integer(isCausal)},
                     {"scale", scale}});
}

/// A mask of padding as truth values; failure where it is none of batch × keys.
static FailureOr<Value> makePadding(Expansion &e, unsigned i) {
  if (!e.has(i))
    return Value();
  if (e.tensor(i)->shape.size() != 2) {
    (void)e.fail("expected a mask of batch × keys as input " + Twine(i) + ", found rank " +
                 Twine(e.tensor(i)->shape.size()));
    return failure();
  }
  return e.make("Cast", e.input(i), {{"to", e.integer(/*bool*/ 9)}});
}

//===----------------------------------------------------------------------===//
// MultiHeadAttention
//===----------------------------------------------------------------------===//

/// Takes query, keys and values apart where they are packed as batch × rows × heads × parts × size.
static SmallVector<Value> unpackHeads(Expansion &e, unsigned i, int64_t parts) {
  SmallVector<Value> taken;
  for (int64_t part = 0; part < parts; ++part)
    taken.push_back(e.reshape(e.pick(e.input(i), 3, part), {0, 0, -1}));
  return taken;
}

Expanded llmc::expandMultiHeadAttention(Expansion &e) {
  AttentionParts parts{};
  parts.heads = e.node.getInt("num_heads", 0);
  parts.isCausal = e.node.getInt("unidirectional", 0) != 0;
  ArrayRef<int64_t> query = e.tensor(0)->shape;
  auto rankOf = [&](unsigned i) {
    return e.has(i) ? static_cast<int64_t>(e.tensor(i)->shape.size()) : 0;
  };
  int64_t width = 0, valueWidth = 0;
  if (!e.has(1) && !e.has(2) && query.size() == 5 && query[3] == 3) {
    SmallVector<Value> all = unpackHeads(e, 0, 3);
    parts.query = all[0], parts.keys = all[1], parts.values = all[2];
    width = valueWidth = query[2] * query[4];
  } else if (query.size() == 3 && !e.has(2) && rankOf(1) == 5 && e.tensor(1)->shape[3] == 2) {
    SmallVector<Value> both = unpackHeads(e, 1, 2);
    parts.query = e.input(0), parts.keys = both[0], parts.values = both[1];
    width = valueWidth = query[2];
  } else if (query.size() == 3 && rankOf(1) == 3 && rankOf(2) == 3) {
    parts.query = e.input(0), parts.keys = e.input(1), parts.values = e.input(2);
    width = query[2], valueWidth = e.tensor(2)->shape[2];
  } else {
    return e.fail("expected query, keys and values of rank 3, or packed in one");
  }
  if (parts.heads < 1 || width % parts.heads != 0)
    return e.fail("expected heads that divide a width of " + Twine(width) + ", found " +
                  Twine(parts.heads));
  if (e.has(3)) {
    auto add = [&](Value value, int64_t begin, int64_t count) {
      return e.make("Add", {value, e.slice(e.input(3), 0, begin, begin + count)});
    };
    parts.query = add(parts.query, 0, width);
    parts.keys = add(parts.keys, width, width);
    parts.values = add(parts.values, 2 * width, valueWidth);
  }
  FailureOr<Value> padding = makePadding(e, 4);
  if (failed(padding))
    return Expanded::Failed;
  if (*padding && e.has(5))
    return e.fail("expected a mask of padding or a bias of scores, found both");
  parts.padding = *padding;
  parts.added = e.optional(5);
  if (parts.added && parts.isCausal)
    return e.fail("expected unidirectional attention or a bias of scores, found both");
  parts.pastKeys = e.optional(6), parts.pastValues = e.optional(7);
  return e.replace(makeAttention(e, parts));
}

//===----------------------------------------------------------------------===//
// com.microsoft's Attention
//===----------------------------------------------------------------------===//

Expanded llmc::expandContribAttention(Expansion &e) {
  AttentionParts parts{};
  parts.heads = e.node.getInt("num_heads", 0);
  parts.isCausal = e.node.getInt("unidirectional", 0) != 0;
  ArrayRef<int64_t> weights = e.tensor(1)->shape;
  SmallVector<int64_t> widths;
  if (auto given = e.node.getInts("qkv_hidden_sizes"))
    widths.assign(given->begin(), given->end());
  else if (weights.size() == 2)
    widths.assign(3, weights[1] / 3);
  int64_t sum = 0;
  for (int64_t width : widths)
    sum += width;
  if (weights.size() != 2 || widths.size() != 3 || sum != weights[1] || parts.heads < 1 ||
      llvm::any_of(widths, [&](int64_t width) { return width < 1 || width % parts.heads != 0; }))
    return e.fail("expected weights for queries, keys and values of " + Twine(parts.heads) +
                  " heads side by side");
  Value all = e.make("MatMul", {e.input(0), e.input(1)});
  if (e.has(2))
    all = e.make("Add", {all, e.input(2)});
  SmallVector<Value> split =
      e.makeMany("Split", 3, {all, e.makeIntegers(widths)}, {{"axis", e.integer(-1)}});
  parts.query = split[0], parts.keys = split[1], parts.values = split[2];
  FailureOr<Value> padding = makePadding(e, 3);
  if (failed(padding))
    return Expanded::Failed;
  if ((*padding || parts.isCausal) && e.has(5))
    return e.fail("expected a mask or a bias of scores, found both");
  parts.padding = *padding;
  parts.added = e.optional(5);
  if (e.has(4)) {
    parts.pastKeys = e.pick(e.input(4), 0, 0);
    parts.pastValues = e.pick(e.input(4), 0, 1);
  }
  SmallVector<Value> results = makeAttention(e, parts);
  if (!e.isUsed(1))
    return e.replace(results[0]);
  return e.replace(
      {results[0],
       e.concat({e.unsqueeze(results[1], int64_t(0)), e.unsqueeze(results[2], int64_t(0))}, 0)});
}

//===----------------------------------------------------------------------===//
// EmbedLayerNormalization
//===----------------------------------------------------------------------===//

/// The norm of an embedding of tokens plus one of positions.
Expanded llmc::expandEmbedNorm(Expansion &e) {
  if (e.has(1) || e.has(4))
    return e.fail("expected no embedding of segments");
  Value places = e.optional(8);
  if (!places)
    places =
        e.unsqueeze(e.make("Range", {e.makeInteger(0), e.pick(e.make("Shape", e.input(0)), 0, 1),
                                     e.makeInteger(1)}),
                    int64_t(0));
  Attribute axis = e.integer(0);
  Value sum = e.make("Add", {e.make("Gather", {e.input(2), e.input(0)}, {{"axis", axis}}),
                             e.make("Gather", {e.input(3), places}, {{"axis", axis}})});
  Value normed =
      e.make("LayerNormalization", {sum, e.input(5), e.input(6)},
             {{"axis", e.integer(-1)}, {"epsilon", e.number(e.node.getFloat("epsilon", 1e-12))}});
  return e.replace({normed, Value(), sum});
}
