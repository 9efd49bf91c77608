//===- RaiseAttention.cpp - attention, its masks, rotations and caches ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raise/Angles.h"
#include "Raise/Raiser.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

//===----------------------------------------------------------------------===//
// Heads
//===----------------------------------------------------------------------===//

/// A matrix operand of attention as rows × heads × size, with its heads broadcast to `batch`.
FailureOr<View> Raiser::makeHeads(const View &view, ArrayRef<int64_t> batch, int64_t size) {
  if (size < 1 || getProduct(batch) < 1 || getProduct(batch) > maxColumns / size)
    return fail("expected heads of 1 to " + Twine(maxColumns) + " columns in all");
  ArrayRef<int64_t> own = ArrayRef(view.shape).drop_back(2);
  View heads = view;
  heads.columns.clear();
  for (int64_t head : getBroadcastIndices(own, batch))
    heads.columns.insert(heads.columns.end(), view.columns.begin() + head * size,
                         view.columns.begin() + (head + 1) * size);
  heads.shape = {getRowCount(view), getProduct(batch), size};
  heads.rowsAxis = 0;
  return heads;
}

/// Each key/value head once: query heads of a group share one.
FailureOr<View> Raiser::makeCachedHeads(const View &heads) {
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
    return fail("expected key/value heads that are shared evenly");
  for (auto [head, own] : llvm::enumerate(index))
    if (own != static_cast<int64_t>(head) / (count / found))
      return fail("expected key/value heads that are shared evenly");
  unique.shape[1] = found;
  return unique;
}

/// Rows × (heads · size) under an operator that keeps heads side by side, as rows × heads × size.
FailureOr<View> Raiser::splitHeads(const View &view, int64_t heads) {
  int64_t width = view.columns.size();
  if (heads < 1 || width % heads != 0)
    return fail("expected heads that divide a width of " + Twine(width) + ", found " +
                Twine(heads));
  View result = view;
  result.shape = {getRowCount(view), heads, width / heads};
  result.rowsAxis = 0;
  return result;
}

//===----------------------------------------------------------------------===//
// Caches and masks
//===----------------------------------------------------------------------===//

/// The cache for a pair of past inputs, or a new one where the export has none (-1).
Value Raiser::getCache(int keyPast, int valuePast, int64_t heads, int64_t size) {
  // Exports without a cache get one per attention.
  std::pair<int, int> key{keyPast, valuePast};
  if (keyPast < 0)
    key = {-1, -static_cast<int>(slots.size()) - 2};
  Block &block = step.getBody().front();
  auto [slot, added] = slots.try_emplace(key, block.getNumArguments());
  if (added) {
    Type f32 = builder.getF32Type();
    block.addArgument(KVCacheType::get(builder.getContext(), heads, size, capacity, f32, f32),
                      location);
  }
  return block.getArgument(slot->second);
}

FailureOr<MaskMeaning> Raiser::classifyMasks(const Scores &scores) {
  if (scores.causal && scores.masks.empty())
    return MaskMeaning{scores.window, {}};
  std::string why;
  FailureOr<MaskMeaning> meaning = readMasks(scores.masks, probe, why);
  if (failed(meaning))
    return fail(why);
  meaning->window = std::max(meaning->window, scores.window);
  checks.masks.push_back({scores.masks, *meaning, location});
  return meaning;
}

/// Slopes of as many heads, or nothing where there are none.
FailureOr<DenseF32ArrayAttr> Raiser::makeSlopes(ArrayRef<double> slopes, int64_t heads) {
  if (slopes.empty())
    return DenseF32ArrayAttr();
  if (slopes.size() != 1 && static_cast<int64_t>(slopes.size()) != heads)
    return fail("expected masks of one or " + Twine(heads) + " heads, found " +
                Twine(slopes.size()));
  SmallVector<float> values;
  for (int64_t head = 0; head < heads; ++head)
    values.push_back(static_cast<float>(slopes[slopes.size() == 1 ? 0 : head]));
  return builder.getDenseF32ArrayAttr(values);
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

FailureOr<View> Raiser::emitAttention(View query, View keys, View values, const Scores &scores,
                                      ArrayRef<int64_t> shape) {
  FailureOr<MaskMeaning> mask = classifyMasks(scores);
  if (failed(mask))
    return failure();
  FailureOr<View> keyHeads = makeCachedHeads(keys);
  FailureOr<View> valueHeads = failed(keyHeads) ? keyHeads : makeCachedHeads(values);
  if (failed(valueHeads))
    return failure();
  if (keyHeads->shape[1] != valueHeads->shape[1] || keyHeads->shape[2] != valueHeads->shape[2])
    return fail("expected as many keys as values, of one size");
  int keyPast = keyHeads->past, valuePast = valueHeads->past;
  if ((keyPast < 0) != (valuePast < 0))
    return fail("expected a cache for keys and values alike");
  int64_t heads = query.shape[1], size = query.shape[2];
  int64_t rank = shape.size(), rowCount = probe.getSizes().rows;
  if (heads < 1 || keyHeads->shape[2] != size || rank < 2 || shape[rank - 2] != rowCount ||
      shape[rank - 1] != size || getProduct(shape) != rowCount * heads * size)
    return fail("expected as many outputs as queries, of one size");
  FailureOr<DenseF32ArrayAttr> slopes = makeSlopes(mask->slopes, heads);
  if (failed(slopes))
    return failure();
  // What comes out of the cache goes there by append; here only the step's own rows are computed.
  keyHeads->past = valueHeads->past = -1;
  FailureOr<Matrix> queryRows = materialize(query);
  FailureOr<Matrix> keyRows = failed(queryRows) ? queryRows : materialize(*keyHeads);
  if (failed(keyRows))
    return failure();
  FailureOr<Value> valueRows = materializeExactly(*valueHeads);
  if (failed(valueRows))
    return failure();
  double scale = scores.scale * queryRows->coefficient * keyRows->coefficient;
  // Exporters spell 1 / sqrt(size) in several ways that differ in the last bit.
  if (std::fabs(scale * std::sqrt(static_cast<double>(size)) - 1) < 1e-6)
    scale = 1 / std::sqrt(static_cast<double>(size));
  Value cache = getCache(keyPast, valuePast, keyHeads->shape[1], size);
  Value appended = CacheAppendOp::create(builder, location, cache.getType(), cache, keyRows->value,
                                         *valueRows, rows);
  Value result = AttentionOp::create(
      builder, location, queryRows->value.getType(), queryRows->value, appended, rows,
      builder.getI64IntegerAttr(heads), builder.getF32FloatAttr(static_cast<float>(scale)),
      mask->window > 0 ? builder.getI64IntegerAttr(mask->window) : IntegerAttr(),
      scores.softcap != 0 ? builder.getF32FloatAttr(static_cast<float>(scores.softcap))
                          : FloatAttr(),
      *slopes);
  // Columns are heads side by side; `shape` says where the ONNX tensor has its rows.
  View view;
  view.base = std::make_shared<Base>(location);
  view.base->value = result;
  view.base->width = heads * size;
  view.shape.assign(shape.begin(), shape.end());
  view.rowsAxis = static_cast<int>(shape.size()) - 2;
  view.columns.resize(heads * size);
  for (auto [i, column] : llvm::enumerate(view.columns))
    column.first.column = i;
  return view;
}

/// Opset 23's operator: heads side by side (rank 3) or before rows (rank 4).
LogicalResult Raiser::raiseAttention(Node &node) {
  std::optional<View> query = getView(node, 0), keys = getView(node, 1), values = getView(node, 2);
  if (!query || !keys || !values)
    return failure();
  if (node.getInt("qk_matmul_output_mode", 0) != 0 || has(node, 6))
    return fail("expected neither scores as output nor padding lengths");
  int64_t headsGiven = node.getInt("q_num_heads", 0), kvGiven = node.getInt("kv_num_heads", 0);
  auto toHeads = [&](const View &view, int64_t given) -> FailureOr<View> {
    if (view.shape.size() == 3)
      return splitHeads(view, given);
    if (view.shape.size() != 4 || view.rowsAxis != 2)
      return fail("expected heads before rows");
    return makeHeads(view, ArrayRef(view.shape).take_front(2), view.shape[3]);
  };
  FailureOr<View> q = toHeads(*query, headsGiven);
  FailureOr<View> k = failed(q) ? q : toHeads(*keys, kvGiven);
  FailureOr<View> v = failed(k) ? k : toHeads(*values, kvGiven);
  if (failed(v))
    return failure();
  if (has(node, 4) || has(node, 5)) {
    auto *pastKeys = getIf<PastValue>(node, 4), *pastValues = getIf<PastValue>(node, 5);
    if (!pastKeys || !pastValues || k->past >= 0 || v->past >= 0)
      return fail("expected the cache as it comes in");
    k->past = pastKeys->index;
    v->past = pastValues->index;
    k->shape[0] = v->shape[0] = probe.getSizes().total();
  }
  int64_t heads = q->shape[1], kvHeads = k->shape[1], size = q->shape[2];
  if (kvHeads < 1 || heads % kvHeads != 0)
    return fail("expected key/value heads that divide the query's");
  Scores scores;
  scores.scale = node.getFloat("scale", 1 / std::sqrt(static_cast<double>(size)));
  if (scores.scale == 0)
    scores.scale = 1 / std::sqrt(static_cast<double>(size));
  scores.softcap = node.getFloat("softcap", 0);
  scores.causal = node.getInt("is_causal", 0) != 0;
  if (has(node, 3)) {
    const HostTensor *mask = probe.get(operand(node, 3));
    if (!mask->isKnown())
      return fail("expected a mask that does not depend on tokens");
    scores.masks.push_back({operand(node, 3), mask->isInteger ? Scores::Mask::Kind::KeepWhereTrue
                                                              : Scores::Mask::Kind::Added});
    // A mask of padding beside is_causal keeps everything; it needs no second look.
    if (scores.causal)
      return fail("expected a mask or is_causal, found both");
  }
  ArrayRef<int64_t> shape = tensor(node.op.getResult(0)).shape;
  bool flat = query->shape.size() == 3;
  FailureOr<View> result =
      emitAttention(*q, *k, *v, scores, flat ? ArrayRef<int64_t>({heads, shape[1], size}) : shape);
  if (failed(result))
    return failure();
  if (flat) {
    std::optional<View> joined = applyMovement(*result, result->shape, {1, 0, 2});
    joined = joined ? applyMovement(*joined, {1, shape[1], heads * size}, {0, 1, 2}) : joined;
    if (!joined)
      return fail("expected heads side by side");
    result = *joined;
  }
  set(node, 0, std::move(*result));
  set(node, 1, CacheValue());
  set(node, 2, CacheValue());
  return success();
}

//===----------------------------------------------------------------------===//
// Rotation operators
//===----------------------------------------------------------------------===//

/// Turns columns of heads (the last axis of `view`) by known angles: cosine and sine are
/// … × rows × pairs.
FailureOr<View> Raiser::rotate(const View &view, const HostTensor &cosine, const HostTensor &sine,
                               Value cosineValue, Value sineValue, int64_t heads, int64_t rotated,
                               bool interleaved) {
  int64_t width = view.columns.size(), size = width / std::max<int64_t>(heads, 1);
  int64_t count = probe.getSizes().rows, pairs = rotated / 2;
  if (heads < 1 || width % heads != 0 || rotated < 2 || rotated % 2 != 0 || rotated > size)
    return fail("expected heads of which an even number of columns is rotated");
  if (!cosine.isKnown() || !sine.isKnown() || cosine.shape != sine.shape ||
      cosine.getNumElements() != count * pairs || cosine.shape.back() != pairs || view.past >= 0)
    return fail("expected known angles of rows × " + Twine(pairs));
  auto factorOf = [&](const HostTensor &table, Value value, int64_t pair) {
    std::vector<double> values(count);
    for (int64_t row = 0; row < count; ++row)
      values[row] = table[row * pairs + pair];
    return addFactor({value, pair, std::move(values), table.roundoff});
  };
  View result = view;
  for (int64_t head = 0; head < heads; ++head)
    for (int64_t pair = 0; pair < pairs; ++pair) {
      int64_t i = head * size + (interleaved ? 2 * pair : pair);
      int64_t j = interleaved ? i + 1 : i + pairs;
      Column low = view.columns[i], high = view.columns[j];
      if (!low.isPlain() || !high.isPlain())
        return fail("expected rows that are rotated once");
      int32_t c = factorOf(cosine, cosineValue, pair), s = factorOf(sine, sineValue, pair);
      double a = low.first.coefficient, b = high.first.coefficient;
      result.columns[i] = {{low.first.column, c, a}, {high.first.column, s, -b}};
      result.columns[j] = {{high.first.column, c, b}, {low.first.column, s, a}};
    }
  return result;
}

/// Frequencies of a pair of tables: row p holds cos and sin of position p.
std::optional<std::vector<float>>
Raiser::getTableFrequencies(const HostTensor &cosine, const HostTensor &sine, double &scaling) {
  if (cosine.shape.size() != 2 || cosine.shape != sine.shape || !cosine.data || !sine.data)
    return std::nullopt;
  int64_t pairs = cosine.shape[1], count = std::min(cosine.shape[0], capacity);
  double roundoff = std::max(cosine.roundoff, sine.roundoff);
  // A table rounds its angles; what a long one says of the far end is the less exact. Where the
  // numbers themselves were rounded more coarsely, more of them tell more.
  int64_t used = std::min<int64_t>(count, roundoff > 0 ? 4096 : 512);
  work += cosine.getNumElements();
  auto getColumn = [&](const HostTensor &table, int64_t pair, int64_t rowCount) {
    std::vector<double> values(rowCount);
    for (int64_t p = 0; p < rowCount; ++p)
      values[p] = table[p * pairs + pair];
    return values;
  };
  std::vector<double> frequencies, uncertainties;
  for (int64_t pair = 0; pair < pairs; ++pair) {
    std::optional<Angle> angle =
        fitAngle(getColumn(cosine, pair, used), getColumn(sine, pair, used), 0, roundoff);
    if (!angle || (pair > 0 && std::fabs(angle->scaling - scaling) > 1e-5 + roundoff))
      return std::nullopt;
    scaling = pair == 0 || roundoff == 0 ? angle->scaling : scaling;
    frequencies.push_back(angle->frequency);
    uncertainties.push_back(angle->uncertainty);
  }
  if (roundoff > 0)
    snapToSeries(frequencies, uncertainties);
  double tolerance = roundoff > 0 ? getFarTolerance(roundoff) * scaling : 5e-3;
  for (int64_t pair = 0; pair < pairs; ++pair)
    for (int64_t p = 0; p < count; ++p)
      if (!(std::fabs(cosine[p * pairs + pair] -
                      scaling * std::cos(frequencies[pair] * static_cast<double>(p))) <= tolerance))
        return std::nullopt;
  std::vector<float> result(pairs);
  llvm::transform(frequencies, result.begin(), [](double f) { return static_cast<float>(f); });
  return result;
}

/// Cosines and sines of a pair of constant tables at positions: those of the angles behind them,
/// which were checked against all of the tables.
FailureOr<std::pair<HostTensor, HostTensor>> Raiser::getTableAngles(Value cosine, Value sine,
                                                                    ArrayRef<double> places) {
  double scaling = 0;
  std::optional<std::vector<float>> frequencies;
  if (probe.load(cosine) && probe.load(sine))
    frequencies = getTableFrequencies(tensor(cosine), tensor(sine), scaling);
  if (!frequencies)
    return fail("expected tables of angles that are a frequency times the position");
  int64_t pairs = frequencies->size(), count = places.size();
  std::vector<double> c, s;
  for (double place : places)
    for (float frequency : *frequencies) {
      double angle = frequency * place;
      c.push_back(scaling * std::cos(angle));
      s.push_back(scaling * std::sin(angle));
    }
  return std::pair(HostTensor::known({count, pairs}, std::move(c), false),
                   HostTensor::known({count, pairs}, std::move(s), false));
}

/// Opset 23's operator. With positions the tables are indexed by them, else they fit the rows.
LogicalResult Raiser::raiseRotary(Node &node) {
  std::optional<View> view = getView(node, 0);
  if (!view)
    return failure();
  HostTensor cosine = tensor(operand(node, 1)), sine = tensor(operand(node, 2));
  if (has(node, 3)) {
    const HostTensor &places = tensor(operand(node, 3));
    if (!probe.load(operand(node, 1)) || !probe.load(operand(node, 2)) || !places.isKnown() ||
        cosine.shape.size() != 2 || sine.shape != cosine.shape)
      return fail("expected constant tables and known positions");
    for (double place : *places.data)
      if (place < 0 || place >= static_cast<double>(cosine.shape[0]))
        return fail("expected positions inside the tables");
    auto tables = getTableAngles(operand(node, 1), operand(node, 2), *places.data);
    if (failed(tables))
      return failure();
    std::tie(cosine, sine) = std::move(*tables);
  }
  int64_t heads = node.getInt("num_heads", 0);
  if (view->shape.size() == 4 && view->shape[3] > 0)
    heads = view->columns.size() / view->shape[3];
  int64_t size = view->columns.size() / std::max<int64_t>(heads, 1);
  int64_t rotated = node.getInt("rotary_embedding_dim", 0);
  FailureOr<View> result =
      rotate(*view, cosine, sine, has(node, 3) ? Value() : operand(node, 1),
             has(node, 3) ? Value() : operand(node, 2), heads, rotated == 0 ? size : rotated,
             node.getInt("interleaved", 0) != 0);
  if (failed(result))
    return failure();
  set(node, 0, std::move(*result));
  return success();
}

/// com.microsoft's operator: positions, then tables of all positions.
LogicalResult Raiser::raiseContribRotary(Node &node) {
  std::optional<View> view = getView(node, 0);
  if (!view)
    return failure();
  const HostTensor &places = tensor(operand(node, 1));
  ProbeSizes sizes = probe.getSizes();
  if (!probe.load(operand(node, 2)) || !probe.load(operand(node, 3)) || !places.isKnown() ||
      tensor(operand(node, 2)).shape.size() != 2 ||
      tensor(operand(node, 3)).shape != tensor(operand(node, 2)).shape ||
      tensor(operand(node, 2)).shape[1] < 1)
    return fail("expected constant tables and known positions");
  // One position says where the rows start, or each row has its own.
  bool counts = places.getNumElements() == 1 ? places[0] == sizes.past
                                             : places.getNumElements() == sizes.rows;
  for (int64_t i = 0; counts && i < places.getNumElements(); ++i)
    counts = places[i] == sizes.past + i;
  int64_t width = tensor(operand(node, 2)).shape[1];
  if (!counts || tensor(operand(node, 2)).shape[0] < sizes.total())
    return fail("expected positions that count up inside the tables");
  SmallVector<double> rowPlaces;
  for (int64_t i = 0; i < sizes.rows; ++i)
    rowPlaces.push_back(static_cast<double>(sizes.past + i));
  auto tables = getTableAngles(operand(node, 2), operand(node, 3), rowPlaces);
  if (failed(tables))
    return failure();
  int64_t heads = node.getInt("num_heads", 0);
  if (view->shape.size() == 4 && view->shape[3] > 0)
    heads = view->columns.size() / view->shape[3];
  FailureOr<View> result = rotate(*view, tables->first, tables->second, Value(), Value(),
                                  heads == 0 ? view->columns.size() / (2 * width) : heads,
                                  2 * width, node.getInt("interleaved", 0) != 0);
  if (failed(result))
    return failure();
  set(node, 0, std::move(*result));
  return success();
}

/// com.microsoft's operator, which rotates, keeps the cache and masks by itself.
LogicalResult Raiser::raiseGroupQueryAttention(Node &node) {
  int64_t heads = node.getInt("num_heads", 0), kvHeads = node.getInt("kv_num_heads", 0);
  std::optional<View> query = getRows(node, 0);
  if (!query)
    return failure();
  ArrayRef<int64_t> shape = tensor(node.op.getResult(0)).shape;
  if (static_cast<int64_t>(query->columns.size()) != query->shape.back())
    return fail("expected a query of one sequence");
  int64_t size = shape.back() / heads;
  std::optional<View> keys, values;
  if (has(node, 1)) {
    keys = getView(node, 1);
    values = getView(node, 2);
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
  for (auto [i, expected] : {std::pair<unsigned, int64_t>{5, probe.getSizes().total() - 1},
                             std::pair<unsigned, int64_t>{6, probe.getSizes().total()}}) {
    const HostTensor *found = has(node, i) ? probe.get(operand(node, i)) : nullptr;
    if (!found || !found->isKnown() || found->getNumElements() != 1 ||
        toInteger((*found)[0]) != expected)
      return fail("expected lengths of one full sequence as inputs 5 and 6");
  }
  if (node.getInt("smooth_softmax", 0) == 1 || node.getFloat("k_scale", 0) != 0 || has(node, 10) ||
      has(node, 11))
    return fail("expected plain softmax without bias or sink");
  FailureOr<View> q = splitHeads(*query, heads);
  FailureOr<View> k = failed(q) ? q : splitHeads(*keys, kvHeads);
  FailureOr<View> v = failed(k) ? k : splitHeads(*values, kvHeads);
  if (failed(v))
    return failure();
  if (node.getInt("do_rotary", 0) != 0) {
    if (!has(node, 7) || !has(node, 8))
      return fail("expected tables of angles");
    SmallVector<double> places;
    for (int64_t row = 0; row < probe.getSizes().rows; ++row)
      places.push_back(static_cast<double>(probe.getSizes().past + row));
    auto tables = getTableAngles(operand(node, 7), operand(node, 8), places);
    if (failed(tables))
      return failure();
    int64_t pairs = tables->first.shape[1];
    bool interleaved = node.getInt("rotary_interleaved", 0) != 0;
    for (View *view : {&*q, &*k}) {
      FailureOr<View> rotated = rotate(*view, tables->first, tables->second, Value(), Value(),
                                       view == &*q ? heads : kvHeads, 2 * pairs, interleaved);
      if (failed(rotated))
        return failure();
      *view = std::move(*rotated);
    }
  }
  if (has(node, 3)) {
    auto *pastKeys = getIf<PastValue>(node, 3), *pastValues = getIf<PastValue>(node, 4);
    if (!pastKeys || !pastValues)
      return fail("expected the cache as it comes in");
    k->past = pastKeys->index;
    v->past = pastValues->index;
  }
  Scores scores;
  scores.scale = node.getFloat("scale", 0);
  if (scores.scale == 0)
    scores.scale = 1 / std::sqrt(static_cast<double>(size));
  scores.softcap = node.getFloat("softcap", 0);
  scores.causal = true;
  scores.window = std::max<int64_t>(node.getInt("local_window_size", -1), 0);
  FailureOr<View> result = emitAttention(*q, *k, *v, scores, {heads, probe.getSizes().rows, size});
  if (failed(result))
    return failure();
  std::optional<View> joined = applyMovement(*result, result->shape, {1, 0, 2});
  joined = joined ? applyMovement(*joined, {1, shape[1], heads * size}, {0, 1, 2}) : joined;
  if (!joined)
    return fail("expected heads side by side");
  set(node, 0, std::move(*joined));
  set(node, 1, CacheValue());
  set(node, 2, CacheValue());
  return success();
}
