//===- EvaluateAttention.cpp - attention in its operators' forms ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluate/Heads.h"
#include "Evaluate/Operator.h"
#include "Graph/Expansions.h"
#include "Raise/Matchers.h"

#include "llvm/ADT/STLFunctionalExtras.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

//===----------------------------------------------------------------------===//
// Heads
//===----------------------------------------------------------------------===//

std::optional<Heads> Heads::fromFlat(const HostTensor &tensor, const std::vector<double> &values,
                                     int64_t headsPerBatch) {
  if (tensor.shape.size() != 3 || headsPerBatch < 1 || tensor.shape[2] % headsPerBatch != 0)
    return std::nullopt;
  int64_t batch = tensor.shape[0], width = tensor.shape[2];
  Heads heads{batch * headsPerBatch, tensor.shape[1], width / headsPerBatch, {}};
  heads.values.resize(values.size());
  for (int64_t head = 0; head < heads.count; ++head)
    for (int64_t row = 0; row < heads.rows; ++row) {
      int64_t from =
          (head / headsPerBatch * heads.rows + row) * width + head % headsPerBatch * heads.size;
      std::copy_n(values.begin() + from, heads.size, heads.row(head, row));
    }
  return heads;
}

std::optional<Heads> Heads::fromHeads(const HostTensor &tensor, const std::vector<double> &values) {
  if (tensor.shape.size() != 4)
    return std::nullopt;
  return Heads{tensor.shape[0] * tensor.shape[1], tensor.shape[2], tensor.shape[3], values};
}

std::vector<double> Heads::toFlat(int64_t batch) const {
  std::vector<double> flat(values.size());
  int64_t perBatch = batch == 0 ? 1 : count / batch;
  for (int64_t head = 0; head < count; ++head)
    for (int64_t index = 0; index < rows; ++index)
      std::copy_n(row(head, index), size,
                  flat.begin() +
                      ((head / perBatch * rows + index) * perBatch + head % perBatch) * size);
  return flat;
}

void Heads::prepend(const Heads &past, int64_t pastRows) {
  Heads joined{count, pastRows + rows, size, {}};
  joined.values.resize(count * joined.rows * size);
  for (int64_t head = 0; head < count; ++head) {
    std::copy_n(past.row(head, 0), pastRows * size, joined.row(head, 0));
    std::copy_n(row(head, 0), rows * size, joined.row(head, pastRows));
  }
  *this = std::move(joined);
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

namespace {
/// What is done to scores of a query head, a row of it and a key's position.
struct ScoreOptions {
  double scale = 1, softcap = 0;
  /// Added to the score; -infinity hides the key.
  llvm::function_ref<double(int64_t head, int64_t row, int64_t key)> mask;
  /// A score per query head that takes part in the softmax and has no value.
  std::shared_ptr<const std::vector<double>> sinks;
};
} // namespace

/// softmax(query · keysᵀ) · values. Query heads of one sequence share its key heads evenly.
static Heads attend(const Heads &query, const Heads &keys, const Heads &values, int64_t batch,
                    const ScoreOptions &options) {
  Heads result{query.count, query.rows, values.size, {}};
  result.values.assign(query.count * query.rows * values.size, 0.0);
  int64_t perBatch = query.count / batch, keysPerBatch = keys.count / batch;
  std::vector<double> scores(keys.rows);
  for (int64_t head = 0; head < query.count; ++head) {
    int64_t shared = head / perBatch * keysPerBatch +
                     head % perBatch / std::max<int64_t>(perBatch / keysPerBatch, 1);
    for (int64_t row = 0; row < query.rows; ++row) {
      double sink = options.sinks ? (*options.sinks)[head % perBatch] : -INFINITY;
      double largest = sink;
      for (int64_t key = 0; key < keys.rows; ++key) {
        double score = 0;
        for (int64_t i = 0; i < query.size; ++i)
          score += query.row(head, row)[i] * keys.row(shared, key)[i];
        score *= options.scale;
        if (options.softcap != 0)
          score = options.softcap * std::tanh(score / options.softcap);
        scores[key] = score + options.mask(head, row, key);
        largest = std::max(largest, scores[key]);
      }
      // Where all keys are hidden, nothing is read.
      if (largest == -INFINITY)
        continue;
      double sum = std::exp(sink - largest);
      for (double &score : scores)
        sum += score = std::exp(score - largest);
      for (int64_t key = 0; key < keys.rows; ++key)
        for (int64_t i = 0; i < values.size; ++i)
          result.row(head, row)[i] += scores[key] / sum * values.row(shared, key)[i];
    }
  }
  return result;
}

/// What an attention operator is given, once its inputs are cut into heads.
namespace {
struct Operands {
  Heads query, keys, values;
  int64_t batch, past = 0; ///< past: rows of the keys that come before the query's
};
} // namespace

/// Numbers of heads that attributes may give.
static bool isHeadCount(int64_t heads) { return heads >= 1 && heads <= (1 << 20); }

/// Outputs of an attention operator: the result, then the cache's keys and values.
static void pushShapes(Evaluation &evaluation, ArrayRef<int64_t> result, int64_t kvHeads,
                       int64_t total, int64_t headSize) {
  evaluation.outputs.push_back(HostTensor::unknown(result));
  while (evaluation.outputs.size() < evaluation.numOutputs())
    evaluation.outputs.push_back(
        HostTensor::unknown({result.empty() ? 1 : result[0], kvHeads, total, headSize}));
}

/// The result in the query's layout, and keys and values as batch × heads × rows × size.
static bool pushResults(Evaluation &evaluation, const Operands &operands, const Heads &result,
                        bool isFlat) {
  int64_t batch = operands.batch, heads = result.count / batch;
  if (isFlat)
    evaluation.push({batch, result.rows, heads * result.size}, result.toFlat(batch));
  else
    evaluation.push({batch, heads, result.rows, result.size}, result.values);
  for (const Heads *cache : {&operands.keys, &operands.values})
    if (evaluation.outputs.size() < evaluation.numOutputs())
      evaluation.push({batch, cache->count / batch, cache->rows, cache->size}, cache->values);
  return true;
}

/// Puts the caches of inputs `first` and `first + 1` before the step's own keys and values.
static bool joinPast(Evaluation &evaluation, Operands &operands, unsigned first) {
  if (!evaluation.has(first) && !evaluation.has(first + 1))
    return true;
  if (!evaluation.has(first) || !evaluation.has(first + 1))
    return evaluation.fail("expected a past of keys and of values");
  auto keys = Heads::fromHeads(evaluation.in(first), *evaluation.in(first).data);
  auto values = Heads::fromHeads(evaluation.in(first + 1), *evaluation.in(first + 1).data);
  if (!keys || !values || keys->count != operands.keys.count ||
      values->count != operands.values.count || keys->size != operands.keys.size ||
      values->size != operands.values.size || keys->rows != values->rows)
    return evaluation.fail("expected a past of the heads of keys and values");
  operands.past = keys->rows;
  operands.keys.prepend(*keys, keys->rows);
  operands.values.prepend(*values, values->rows);
  return true;
}

/// A bias that broadcasts to batch × heads × rows × keys; where it is of booleans, true keeps.
/// Keys beyond its last are hidden.
static bool readMask(Evaluation &evaluation, unsigned input, const Operands &operands,
                     std::vector<double> &mask) {
  int64_t batch = operands.batch, heads = operands.query.count / batch;
  SmallVector<int64_t> shape{batch, heads, operands.query.rows, operands.keys.rows};
  mask.assign(getProduct(shape), 0.0);
  if (!evaluation.has(input))
    return true;
  const HostTensor &given = evaluation.in(input);
  SmallVector<int64_t> covered(shape);
  if (!given.shape.empty() && given.shape.back() != 1)
    covered[3] = std::min(shape[3], given.shape.back());
  auto broadcast = broadcastShapes(covered, given.shape);
  if (!broadcast || ArrayRef(*broadcast) != ArrayRef(covered))
    return evaluation.fail("expected a mask that broadcasts to the scores");
  std::vector<int64_t> places = getBroadcastIndices(given.shape, covered);
  for (int64_t i = 0, count = mask.size(); i < count; ++i) {
    int64_t key = i % shape[3];
    double value = key < covered[3]  ? given[places[i / shape[3] * covered[3] + key]]
                   : given.isInteger ? 0
                                     : -INFINITY;
    mask[i] = !given.isInteger ? value : value != 0 ? 0 : -INFINITY;
  }
  return true;
}

//===----------------------------------------------------------------------===//
// ONNX's operator
//===----------------------------------------------------------------------===//

static bool shapeOfAttention(Evaluation &evaluation, int64_t heads, int64_t kvHeads, bool isFlat) {
  ArrayRef<int64_t> query = evaluation.in(0).shape, keys = evaluation.in(1).shape;
  ArrayRef<int64_t> values = evaluation.in(2).shape;
  int64_t past =
      evaluation.has(4) && evaluation.in(4).shape.size() == 4 ? evaluation.in(4).shape[2] : 0;
  int64_t valueSize = isFlat ? values[2] / kvHeads : values[3];
  SmallVector<int64_t> result(query);
  result.back() = isFlat ? heads * valueSize : valueSize;
  pushShapes(evaluation, result, kvHeads, past + (isFlat ? keys[1] : keys[2]), valueSize);
  return true;
}

static bool evaluateAttention(Evaluation &evaluation) {
  const Node &node = evaluation.node;
  ArrayRef<int64_t> query = evaluation.in(0).shape, keys = evaluation.in(1).shape;
  size_t rank = query.size();
  if (rank != keys.size() || rank != evaluation.in(2).shape.size() || (rank != 3 && rank != 4))
    return evaluation.fail("expected query, keys and values of rank 3 or 4");
  bool isFlat = rank == 3;
  int64_t heads = isFlat ? node.getInt("q_num_heads", 0) : query[1];
  int64_t kvHeads = isFlat ? node.getInt("kv_num_heads", 0) : keys[1];
  if (!isHeadCount(heads) || !isHeadCount(kvHeads))
    return evaluation.fail("expected numbers of heads");
  if (!evaluation.computes())
    return shapeOfAttention(evaluation, heads, kvHeads, isFlat);
  auto cut = [&](unsigned i, int64_t count) {
    const HostTensor &tensor = evaluation.in(i);
    return isFlat ? Heads::fromFlat(tensor, *tensor.data, count)
                  : Heads::fromHeads(tensor, *tensor.data);
  };
  auto q = cut(0, heads), k = cut(1, kvHeads), v = cut(2, kvHeads);
  if (!q || !k || !v || query[0] < 1 || heads % kvHeads != 0 || q->size != k->size ||
      k->rows != v->rows || k->count != v->count || q->count / heads != k->count / kvHeads)
    return evaluation.fail("expected heads that fit each other");
  Operands operands{std::move(*q), std::move(*k), std::move(*v), query[0]};
  std::vector<double> mask;
  if (!joinPast(evaluation, operands, 4) || !readMask(evaluation, 3, operands, mask))
    return false;
  bool isCausal = node.getInt("is_causal", 0) != 0;
  int64_t rows = operands.query.rows, total = operands.keys.rows;
  auto score = [&](int64_t head, int64_t row, int64_t key) {
    return isCausal && key > row + operands.past ? -INFINITY
                                                 : mask[(head * rows + row) * total + key];
  };
  double scale = node.getFloat("scale", 0);
  scale = scale == 0 ? 1 / std::sqrt(static_cast<double>(operands.query.size)) : scale;
  Heads result = attend(operands.query, operands.keys, operands.values, operands.batch,
                        {scale, node.getFloat("softcap", 0), score, nullptr});
  return pushResults(evaluation, operands, result, isFlat);
}

//===----------------------------------------------------------------------===//
// ONNX Runtime's operators
//===----------------------------------------------------------------------===//

/// Columns `first` … `first + count` of rows.
static HostTensor takeColumns(const HostTensor &tensor, int64_t first, int64_t count) {
  int64_t width = tensor.shape.back(), rows = tensor.getNumElements() / width;
  SmallVector<int64_t> shape(tensor.shape);
  shape.back() = count;
  std::vector<double> values;
  values.reserve(rows * count);
  for (int64_t row = 0; row < rows; ++row)
    values.insert(values.end(), tensor.data->begin() + row * width + first,
                  tensor.data->begin() + row * width + first + count);
  return HostTensor::known(shape, std::move(values), false);
}

/// Divides each row of each head by its root mean square, where the node has weights for that.
static bool normalizeGrouped(Evaluation &evaluation, Operands &operands) {
  if (evaluation.has(14) != evaluation.has(15))
    return evaluation.fail("expected norms of queries and keys alike");
  double epsilon = evaluation.node.getFloat("qk_norm_epsilon", 1e-6);
  for (auto [heads, input, name] : {std::tuple(&operands.query, 14u, "q_norm_epsilon"),
                                    std::tuple(&operands.keys, 15u, "k_norm_epsilon")}) {
    if (!evaluation.has(input))
      continue;
    auto gain = evaluation.values(input);
    if (!gain || static_cast<int64_t>(gain->size()) != heads->size)
      return evaluation.fail("expected a gain for each of " + Twine(heads->size) + " columns");
    double own = evaluation.node.getFloat(name, epsilon);
    for (int64_t head = 0; head < heads->count; ++head)
      for (int64_t row = 0; row < heads->rows; ++row) {
        MutableArrayRef<double> values(heads->row(head, row), heads->size);
        double sum = 0;
        for (double value : values)
          sum += value * value;
        double factor = 1 / std::sqrt(sum / static_cast<double>(heads->size) + own);
        for (auto [value, weight] : llvm::zip(values, *gain))
          value *= factor * weight;
      }
  }
  return true;
}

/// Turns queries and keys by tables, from the position on that follows the past or at the positions
/// that the node gives.
static bool rotateGrouped(Evaluation &evaluation, Operands &operands, ArrayRef<int64_t> pasts) {
  if (evaluation.node.getInt("do_rotary", 0) == 0)
    return true;
  if (!evaluation.has(7) || !evaluation.has(8) || evaluation.in(7).shape.size() != 2 ||
      evaluation.in(7).shape != evaluation.in(8).shape)
    return evaluation.fail("expected tables of angles");
  auto cosine = evaluation.values(7), sine = evaluation.values(8);
  if (!cosine || !sine)
    return evaluation.fail("cannot read its tables of angles");
  std::optional<SmallVector<int64_t>> positions = evaluation.integers(9);
  if (evaluation.has(9) && (!positions || static_cast<int64_t>(positions->size()) !=
                                              operands.batch * operands.query.rows))
    return evaluation.fail("expected a position for each row");
  ArrayRef<int64_t> shape = evaluation.in(7).shape;
  for (Heads *heads : {&operands.query, &operands.keys}) {
    Rotation rotation{
        *cosine, *sine, shape[1], evaluation.node.getInt("rotary_interleaved", 0) != 0, {}};
    rotation.headsPerBatch = heads->count / operands.batch;
    rotation.rows = heads->rows;
    if (2 * shape[1] > heads->size)
      return evaluation.fail("expected tables of at most " + Twine(heads->size / 2) + " columns");
    for (auto [batch, past] : llvm::enumerate(pasts))
      for (int64_t row = 0; row < heads->rows; ++row) {
        int64_t place = positions ? (*positions)[batch * heads->rows + row] : past + row;
        if (place < 0 || place >= shape[0])
          return evaluation.fail("expected positions below " + Twine(shape[0]) + ", found " +
                                 Twine(place));
        rotation.places.push_back(place);
      }
    rotate(*heads, rotation);
  }
  return true;
}

/// Query, keys and values, of inputs 0 to 2 or packed side by side in the first.
static std::optional<Operands> cutGrouped(Evaluation &evaluation, int64_t heads, int64_t kvHeads,
                                          int64_t headSize) {
  const HostTensor &input = evaluation.in(0);
  if (evaluation.has(1) != evaluation.has(2) || input.shape[0] < 1)
    return std::nullopt;
  HostTensor query = input, keys, values;
  if (evaluation.has(1) && evaluation.has(2)) {
    keys = evaluation.in(1);
    values = evaluation.in(2);
  } else {
    query = takeColumns(input, 0, heads * headSize);
    keys = takeColumns(input, heads * headSize, kvHeads * headSize);
    values = takeColumns(input, (heads + kvHeads) * headSize, kvHeads * headSize);
  }
  auto q = Heads::fromFlat(query, *query.data, heads);
  auto k = Heads::fromFlat(keys, *keys.data, kvHeads);
  auto v = Heads::fromFlat(values, *values.data, kvHeads);
  if (!q || !k || !v || k->rows != q->rows || v->rows != q->rows || k->size != headSize ||
      v->size != headSize || k->count != v->count || input.shape[0] < 1 ||
      k->count != input.shape[0] * kvHeads)
    return std::nullopt;
  return Operands{std::move(*q), std::move(*k), std::move(*v), input.shape[0]};
}

static bool evaluateGroupQueryAttention(Evaluation &evaluation) {
  const Node &node = evaluation.node;
  int64_t heads = node.getInt("num_heads", 0), kvHeads = node.getInt("kv_num_heads", 0);
  ArrayRef<int64_t> query = evaluation.in(0).shape;
  if (!isHeadCount(heads) || !isHeadCount(kvHeads) || heads % kvHeads != 0 || query.size() != 3)
    return evaluation.fail("expected a query of rank 3 and head counts that divide");
  int64_t parts = evaluation.has(1) ? heads : heads + 2 * kvHeads;
  int64_t headSize = query[2] / parts;
  if (headSize < 1 || query[2] % parts != 0)
    return evaluation.fail("expected a query of " + Twine(parts) + " heads, found a width of " +
                           Twine(query[2]));
  int64_t past =
      evaluation.has(3) && evaluation.in(3).shape.size() == 4 ? evaluation.in(3).shape[2] : 0;
  if (!evaluation.computes()) {
    pushShapes(evaluation, {query[0], query[1], heads * headSize}, kvHeads, past + query[1],
               headSize);
    return true;
  }
  std::optional<Operands> operands = cutGrouped(evaluation, heads, kvHeads, headSize);
  // Each sequence says how long it is with this step, less one.
  auto lengths = evaluation.values(5);
  if (!operands || !lengths || static_cast<int64_t>(lengths->size()) != operands->batch)
    return evaluation.fail("expected heads that fit each other, and a length for each sequence");
  for (double length : *lengths)
    if (toInteger(length) + 1 != past + query[1])
      return evaluation.fail("expected sequences of the length of the past and the step");
  if (!normalizeGrouped(evaluation, *operands) ||
      !rotateGrouped(evaluation, *operands, SmallVector<int64_t>(operands->batch, past)) ||
      !joinPast(evaluation, *operands, 3))
    return false;
  std::vector<double> bias;
  if (!readMask(evaluation, 10, *operands, bias))
    return false;
  int64_t rows = operands->query.rows, total = operands->keys.rows;
  int64_t window = node.getInt("local_window_size", -1);
  auto score = [&](int64_t head, int64_t row, int64_t key) {
    int64_t position = row + operands->past;
    bool isSeen = key <= position && (window < 0 || position - key < window);
    return isSeen ? bias[(head * rows + row) * total + key] : -INFINITY;
  };
  double scale = node.getFloat("scale", 0);
  scale = scale == 0 ? 1 / std::sqrt(static_cast<double>(headSize)) : scale;
  // Without sinks of their own, smooth_softmax gives all heads one of 0.
  auto sinks = evaluation.values(11);
  if (!sinks && node.getInt("smooth_softmax", 0) == 1)
    sinks = std::make_shared<const std::vector<double>>(heads, 0.0);
  if (sinks && static_cast<int64_t>(sinks->size()) != heads)
    return evaluation.fail("expected a sink for each of " + Twine(heads) + " heads");
  Heads result = attend(operands->query, operands->keys, operands->values, operands->batch,
                        {scale, node.getFloat("softcap", 0), score, std::move(sinks)});
  return pushResults(evaluation, *operands, result, /*isFlat=*/true);
}

/// Adds a part of a bias to every row of heads.
static void addBias(Heads &heads, int64_t batch, ArrayRef<double> bias) {
  int64_t perBatch = heads.count / batch;
  for (int64_t head = 0; head < heads.count; ++head)
    for (int64_t row = 0; row < heads.rows; ++row)
      for (int64_t i = 0; i < heads.size; ++i)
        heads.row(head, row)[i] += bias[head % perBatch * heads.size + i];
}

static bool evaluateMultiHeadAttention(Evaluation &evaluation) {
  const Node &node = evaluation.node;
  int64_t heads = node.getInt("num_heads", 0);
  ArrayRef<int64_t> query = evaluation.in(0).shape;
  if (!isHeadCount(heads) || query.size() != 3 || query[0] < 1 || query[2] % heads != 0)
    return evaluation.fail("expected a query of rank 3 and of as many heads");
  if (!evaluation.has(1) || !evaluation.has(2))
    return evaluation.fail("expected keys and values apart");
  if (auto padding = evaluation.values(4))
    if (llvm::is_contained(*padding, 0))
      return evaluation.fail("expected a mask without padding");
  int64_t past =
      evaluation.has(6) && evaluation.in(6).shape.size() == 4 ? evaluation.in(6).shape[2] : 0;
  ArrayRef<int64_t> keys = evaluation.in(1).shape, values = evaluation.in(2).shape;
  if (keys.size() != 3 || values.size() != 3 || keys[2] != query[2] || values[2] % heads != 0)
    return evaluation.fail("expected keys and values of rank 3");
  if (!evaluation.computes()) {
    pushShapes(evaluation, {query[0], query[1], values[2]}, heads, past + keys[1],
               values[2] / heads);
    return true;
  }
  auto cut = [&](unsigned i) {
    return Heads::fromFlat(evaluation.in(i), *evaluation.in(i).data, heads);
  };
  auto q = cut(0), k = cut(1), v = cut(2);
  if (!q || !k || !v || k->rows != v->rows)
    return evaluation.fail("expected heads that fit each other");
  Operands operands{std::move(*q), std::move(*k), std::move(*v), query[0]};
  if (auto bias = evaluation.values(3)) {
    int64_t width = query[2], valueWidth = values[2];
    if (static_cast<int64_t>(bias->size()) != 2 * width + valueWidth)
      return evaluation.fail("expected a bias for query, keys and values");
    addBias(operands.query, query[0], ArrayRef(*bias).take_front(width));
    addBias(operands.keys, query[0], ArrayRef(*bias).slice(width, width));
    addBias(operands.values, query[0], ArrayRef(*bias).drop_front(2 * width));
  }
  std::vector<double> mask;
  if (!joinPast(evaluation, operands, 6) || !readMask(evaluation, 5, operands, mask))
    return false;
  bool isCausal = node.getInt("unidirectional", 0) != 0;
  int64_t rows = operands.query.rows, total = operands.keys.rows;
  auto score = [&](int64_t head, int64_t row, int64_t key) {
    return isCausal && key > row + total - rows ? -INFINITY
                                                : mask[(head * rows + row) * total + key];
  };
  double scale = node.getFloat("scale", 0);
  scale = scale == 0 ? 1 / std::sqrt(static_cast<double>(operands.query.size)) : scale;
  Heads result = attend(operands.query, operands.keys, operands.values, operands.batch,
                        {scale, 0, score, nullptr});
  return pushResults(evaluation, operands, result, /*isFlat=*/true);
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

ArrayRef<Operator> llmc::getAttentionOperators() {
  static const Operator rows[] = {
      Operator::onnx("Attention", 23)
          .takes({"Q", "K", "V", "attn_mask?", "past_key?*", "past_value?*", "nonpad_kv_seqlen!"})
          .reads({"is_causal=0|1", "scale", "softcap", "q_num_heads", "kv_num_heads",
                  "softmax_precision", "qk_matmul_output_mode=0", "left_window_size=-1",
                  "right_window_size=-1"})
          .evaluatedBy(evaluateAttention)
          .raisedBy(raiseAttention),
      Operator::contrib("GroupQueryAttention")
          .takes({"query", "key?", "value?", "past_key?*", "past_value?*", "seqlens_k",
                  "total_sequence_length", "cos_cache?", "sin_cache?", "position_ids?",
                  "attention_bias?", "head_sink?", "k_scale!", "v_scale!", "q_norm_weight?",
                  "k_norm_weight?", "query_seqlens!"})
          .reads({"num_heads", "kv_num_heads", "scale", "softcap", "do_rotary=0|1",
                  "rotary_interleaved=0|1", "local_window_size", "qk_norm_epsilon",
                  "q_norm_epsilon", "k_norm_epsilon", "smooth_softmax=-1|0|1", "causal=1",
                  "qk_output=0", "k_quant_type=NONE", "v_quant_type=NONE", "kv_cache_bit_width=0",
                  "sliding_window_cache=0"})
          .evaluatedBy(evaluateGroupQueryAttention)
          .expandedBy(expandGroupQueryAttention)
          .raisedBy(raiseGroupQueryAttention),
      Operator::contrib("MultiHeadAttention")
          .takes({"query", "key?", "value?", "bias?", "key_padding_mask?", "attention_bias?",
                  "past_key?*", "past_value?*", "past_sequence_length!", "cache_indirection!"})
          .reads({"num_heads", "scale", "unidirectional=0|1", "mask_filter_value"})
          .evaluatedBy(evaluateMultiHeadAttention)
          .expandedBy(expandMultiHeadAttention),
  };
  return rows;
}
