//===- Attention.cpp - attention and its caches ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raise/Attention.h"
#include "Raise/Emission.h"
#include "Raise/Movement.h"
#include "Raise/Raise.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

//===----------------------------------------------------------------------===//
// Caches
//===----------------------------------------------------------------------===//

static FailureOr<View> concatPast(Raise &raise, const PastValue &past, const View &view) {
  if (view.past >= 0 || view.rowsAxis < 0 || view.shape.size() != 4 || view.rowsAxis != 2)
    return raise.fail("expected new keys or values of shape batch × heads × rows × size");
  View result = view;
  result.past = past.index;
  result.shape[2] = raise.getSizes().total();
  return result;
}

std::optional<LogicalResult> PastValue::raiseUse(Raise &raise, Node &node) const {
  std::string type = node.getType();
  unsigned count = node.op.getInputs().size();
  if (raise.getIf<PastValue>(node, 0) != this)
    return std::nullopt;
  if (type == "Concat" && count > 1) {
    std::optional<View> view = count == 2 ? raise.getView(node, 1) : std::nullopt;
    if (!view)
      return raise.fail("expected the cache to be joined with one operand");
    if (normalizeAxis(node.getInt("axis", 0), 4) != 2)
      return raise.fail("expected the cache to grow along axis 2");
    FailureOr<View> joined = concatPast(raise, *this, *view);
    if (failed(joined))
      return failure();
    raise.set(node, 0, std::move(*joined));
    return success();
  }
  if (!onlyMoves(node))
    return std::nullopt;
  if (type != "Identity" && type != "Cast")
    return raise.fail("expected the cache to be joined with new rows as it comes in");
  return keepMeaning(raise, node);
}

std::optional<LogicalResult> CacheValue::raiseUse(Raise &raise, Node &node) const {
  if (onlyMoves(node) && raise.getIf<CacheValue>(node, 0) == this)
    return keepMeaning(raise, node);
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Heads
//===----------------------------------------------------------------------===//

FailureOr<View> llmc::makeHeads(Raise &raise, const View &view, ArrayRef<int64_t> batch,
                                int64_t size) {
  if (size < 1 || getProduct(batch) < 1 || getProduct(batch) > maxColumns / size)
    return raise.fail("expected heads of 1 to " + Twine(maxColumns) + " columns in all");
  ArrayRef<int64_t> own = ArrayRef(view.shape).drop_back(2);
  View heads = view;
  heads.columns.clear();
  for (int64_t head : getBroadcastIndices(own, batch))
    heads.columns.insert(heads.columns.end(), view.columns.begin() + head * size,
                         view.columns.begin() + (head + 1) * size);
  heads.shape = {raise.getRowCount(view), getProduct(batch), size};
  heads.rowsAxis = 0;
  return heads;
}

/// Each key/value head once: query heads of a group share one.
static FailureOr<View> makeCachedHeads(Raise &raise, const View &heads) {
  int64_t count = heads.shape[1], size = heads.shape[2];
  View unique = heads;
  unique.columns.clear();
  int64_t found = 0;
  SmallVector<int64_t> index;
  for (int64_t head = 0; head < count; ++head) {
    auto begin = heads.columns.begin() + head * size;
    if (head == 0 || !std::equal(begin, begin + size, begin - size)) {
      unique.columns.insert(unique.columns.end(), begin, begin + size);
      ++found;
    }
    index.push_back(found - 1);
  }
  if (count % found != 0)
    return raise.fail("expected key/value heads that are shared evenly");
  for (auto [head, own] : llvm::enumerate(index))
    if (own != static_cast<int64_t>(head) / (count / found))
      return raise.fail("expected key/value heads that are shared evenly");
  unique.shape[1] = found;
  return unique;
}

FailureOr<View> llmc::splitHeads(Raise &raise, const View &view, int64_t heads) {
  int64_t width = view.columns.size();
  if (heads < 1 || width % heads != 0)
    return raise.fail("expected heads that divide a width of " + Twine(width) + ", found " +
                      Twine(heads));
  View result = view;
  result.shape = {raise.getRowCount(view), heads, width / heads};
  result.rowsAxis = 0;
  return result;
}

FailureOr<View> llmc::joinHeads(Raise &raise, const View &view) {
  int64_t heads = view.shape[0], rows = view.shape[1], size = view.shape[2];
  std::optional<View> joined = moveView(raise, view, view.shape, {1, 0, 2});
  if (joined)
    joined = moveView(raise, *joined, {1, rows, heads * size}, {0, 1, 2});
  if (!joined)
    return raise.fail("expected heads side by side");
  return std::move(*joined);
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

static FailureOr<MaskMeaning> classifyMasks(Raise &raise, const Scores &scores) {
  if (scores.causal && scores.masks.empty())
    return MaskMeaning{scores.window, {}};
  std::string why;
  FailureOr<MaskMeaning> meaning = readMasks(scores.masks, scores.causal, raise.probe, why);
  if (failed(meaning))
    return raise.fail(why);
  meaning->window = std::max(meaning->window, scores.window);
  return meaning;
}

/// Slopes of as many heads, or nothing where there are none.
static FailureOr<DenseF32ArrayAttr> makeSlopes(Raise &raise, ArrayRef<double> slopes,
                                               int64_t heads) {
  if (slopes.empty())
    return DenseF32ArrayAttr();
  if (slopes.size() != 1 && static_cast<int64_t>(slopes.size()) != heads)
    return raise.fail("expected masks of one or " + Twine(heads) + " heads, found " +
                      Twine(slopes.size()));
  SmallVector<float> values;
  for (int64_t head = 0; head < heads; ++head)
    values.push_back(static_cast<float>(slopes[slopes.size() == 1 ? 0 : head]));
  return raise.builder.getDenseF32ArrayAttr(values);
}

FailureOr<View> llmc::emitAttention(Raise &raise, const Scores &scores, const View &values,
                                    ArrayRef<int64_t> shape) {
  FailureOr<MaskMeaning> mask = classifyMasks(raise, scores);
  if (failed(mask))
    return failure();
  FailureOr<View> keyHeads = makeCachedHeads(raise, scores.keys);
  FailureOr<View> valueHeads = failed(keyHeads) ? keyHeads : makeCachedHeads(raise, values);
  if (failed(valueHeads))
    return failure();
  if (keyHeads->shape[1] != valueHeads->shape[1] || keyHeads->shape[2] != valueHeads->shape[2])
    return raise.fail("expected as many keys as values, of one size");
  int keyPast = keyHeads->past, valuePast = valueHeads->past;
  if ((keyPast < 0) != (valuePast < 0))
    return raise.fail("expected a cache for keys and values alike");
  int64_t heads = scores.query.shape[1], size = scores.query.shape[2];
  int64_t rank = shape.size(), rowCount = raise.getSizes().rows;
  if (heads < 1 || keyHeads->shape[2] != size || rank < 2 || shape[rank - 2] != rowCount ||
      shape[rank - 1] != size || getProduct(shape) != rowCount * heads * size)
    return raise.fail("expected as many outputs as queries, of one size");
  FailureOr<DenseF32ArrayAttr> slopes = makeSlopes(raise, mask->slopes, heads);
  if (failed(slopes))
    return failure();
  // What comes out of the cache goes there by append; here only the step's own rows are computed.
  keyHeads->past = valueHeads->past = -1;
  FailureOr<Matrix> queryRows = materialize(raise, scores.query);
  FailureOr<Matrix> keyRows = failed(queryRows) ? queryRows : materialize(raise, *keyHeads);
  if (failed(keyRows))
    return failure();
  FailureOr<Value> valueRows = materializeExactly(raise, *valueHeads);
  if (failed(valueRows))
    return failure();
  double scale = scores.scale * queryRows->coefficient * keyRows->coefficient;
  // Exporters spell 1 / sqrt(size) in several ways that differ in the last bit.
  if (std::fabs(scale * std::sqrt(static_cast<double>(size)) - 1) < 1e-6)
    scale = 1 / std::sqrt(static_cast<double>(size));
  Value cache = raise.step.getCache(keyPast, valuePast, keyHeads->shape[1], size, raise.location);
  Value appended = CacheAppendOp::create(raise.builder, raise.location, cache.getType(), cache,
                                         keyRows->value, *valueRows, raise.step.getRows());
  Value sinks;
  if (scores.sinks) {
    sinks = raise.parameters.get(raise.builder, raise.location, *scores.sinks);
    if (!sinks)
      return raise.fail("cannot read its sinks");
  }
  auto result = AttentionOp::create(
      raise.builder, raise.location, queryRows->value.getType(), /*updated=*/Type(),
      queryRows->value, appended, raise.step.getRows(), sinks,
      raise.builder.getI64IntegerAttr(heads),
      raise.builder.getF32FloatAttr(static_cast<float>(scale)),
      mask->window > 0 ? raise.builder.getI64IntegerAttr(mask->window) : IntegerAttr(),
      scores.softcap != 0 ? raise.builder.getF32FloatAttr(static_cast<float>(scores.softcap))
                          : FloatAttr(),
      *slopes);
  // Columns are heads side by side; `shape` says where the ONNX tensor has its rows.
  View view;
  view.base = std::make_shared<Base>(raise.location);
  view.base->value = result.getResult();
  view.base->width = heads * size;
  view.shape.assign(shape.begin(), shape.end());
  view.rowsAxis = static_cast<int>(shape.size()) - 2;
  view.setColumns(heads * size);
  if (!scores.masks.empty())
    raise.lengths.masks.push_back({scores.masks, scores.causal, *mask, result});
  return view;
}
