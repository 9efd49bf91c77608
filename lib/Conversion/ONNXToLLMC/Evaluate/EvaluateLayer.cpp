//===- EvaluateLayer.cpp - softmax, norms, activations and rotations ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluate/Heads.h"
#include "Evaluate/Operator.h"
#include "Graph/Expansions.h"
#include "Raise/Matchers.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

/// Gives every output the first input's shape (statistics that nobody reads included).
static void pushShapes(Evaluation &evaluation) {
  while (evaluation.outputs.size() < evaluation.numOutputs())
    evaluation.outputs.push_back(HostTensor::unknown(evaluation.in(0).shape));
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

static bool normalizeExponents(Evaluation &evaluation, bool isLogarithm) {
  const HostTensor &input = evaluation.in(0);
  int64_t rank = input.shape.size(), opset = getOpset(evaluation.node);
  bool isOld = opset > 0 && opset < 13;
  int64_t axis = normalizeAxis(evaluation.node.getInt("axis", isOld ? 1 : -1), rank);
  if (axis < 0)
    return evaluation.fail("expected an axis inside the rank");
  // Before version 13 all axes from this one on counted as one.
  if (isOld && axis != rank - 1)
    return evaluation.fail("expected the last axis before version 13, found " + Twine(axis));
  if (!evaluation.computes()) {
    pushShapes(evaluation);
    return true;
  }
  std::vector<double> values(*input.data);
  int64_t size = input.shape[axis], inner = getProduct(ArrayRef(input.shape).drop_front(axis + 1));
  int64_t lines = size == 0 ? 0 : input.getNumElements() / size;
  for (int64_t line = 0; line < lines; ++line) {
    double *start = values.data() + line / inner * inner * size + line % inner;
    double largest = -INFINITY, sum = 0;
    for (int64_t i = 0; i < size; ++i)
      largest = std::max(largest, start[i * inner]);
    for (int64_t i = 0; i < size; ++i)
      sum += std::exp(start[i * inner] - largest);
    for (int64_t i = 0; i < size; ++i)
      start[i * inner] = isLogarithm ? start[i * inner] - largest - std::log(sum)
                                     : std::exp(start[i * inner] - largest) / sum;
  }
  evaluation.push(input.shape, std::move(values));
  return true;
}

static bool evaluateSoftmax(Evaluation &e) { return normalizeExponents(e, false); }
static bool evaluateLogSoftmax(Evaluation &e) { return normalizeExponents(e, true); }

//===----------------------------------------------------------------------===//
// Norms
//===----------------------------------------------------------------------===//

namespace {
/// A norm over the axes from `axis` on, and what it multiplies and adds; null for none.
struct Norm {
  int64_t axis;
  bool isCentered;
  double epsilon;
  std::shared_ptr<const std::vector<double>> gain, bias;
};
} // namespace

/// Outputs: the norm, and the mean and the inverse deviation where they are asked for.
static bool normalize(Evaluation &evaluation, ArrayRef<int64_t> shape,
                      const std::vector<double> &input, const Norm &norm) {
  int64_t size = getProduct(shape.drop_front(norm.axis));
  int64_t lines = size == 0 ? 0 : static_cast<int64_t>(input.size()) / size;
  for (const auto &vector : {norm.gain, norm.bias})
    if (vector && static_cast<int64_t>(vector->size()) != size)
      return evaluation.fail("expected a gain and a bias of " + Twine(size) + " elements");
  std::vector<double> values(input), means(lines), deviations(lines);
  for (int64_t line = 0; line < lines; ++line) {
    double *x = values.data() + line * size;
    double mean = 0, square = 0;
    for (int64_t i = 0; norm.isCentered && i < size; ++i)
      mean += x[i] / static_cast<double>(size);
    for (int64_t i = 0; i < size; ++i)
      square += (x[i] - mean) * (x[i] - mean) / static_cast<double>(size);
    double inverse = 1 / std::sqrt(square + norm.epsilon);
    for (int64_t i = 0; i < size; ++i)
      x[i] = (x[i] - mean) * inverse * (norm.gain ? (*norm.gain)[i] : 1) +
             (norm.bias ? (*norm.bias)[i] : 0);
    means[line] = mean;
    deviations[line] = inverse;
  }
  evaluation.push(shape, std::move(values));
  SmallVector<int64_t> kept(shape);
  std::fill(kept.begin() + norm.axis, kept.end(), 1);
  if (norm.isCentered && evaluation.numOutputs() > 1)
    evaluation.push(kept, std::move(means));
  if (evaluation.numOutputs() > evaluation.outputs.size())
    evaluation.push(kept, std::move(deviations));
  return true;
}

static bool evaluateNorm(Evaluation &evaluation, bool isCentered) {
  const HostTensor &input = evaluation.in(0);
  int64_t axis = normalizeAxis(evaluation.node.getInt("axis", -1), input.shape.size());
  if (axis < 0)
    return evaluation.fail("expected an axis inside the rank");
  if (evaluation.computes())
    return normalize(evaluation, input.shape, *input.data,
                     {axis, isCentered, evaluation.node.getFloat("epsilon", 1e-5),
                      evaluation.values(1), evaluation.values(2)});
  pushShapes(evaluation);
  return true;
}

static bool evaluateLayerNorm(Evaluation &e) { return evaluateNorm(e, true); }
static bool evaluateRMSNorm(Evaluation &e) { return evaluateNorm(e, false); }

/// norm(input + skip + bias), two statistics, and the sum.
static bool evaluateSkipNorm(Evaluation &evaluation) {
  bool isCentered = !evaluation.node.op.getOpType().contains("Simplified");
  unsigned biasInput = isCentered ? 4 : 3;
  const HostTensor &input = evaluation.in(0);
  if (input.shape.empty())
    return evaluation.fail("expected rows");
  if (!evaluation.computes()) {
    pushShapes(evaluation);
    return true;
  }
  std::vector<double> sum(*input.data);
  for (unsigned i : {1u, biasInput}) {
    if (!evaluation.has(i))
      continue;
    auto shape = broadcastShapes(input.shape, evaluation.in(i).shape);
    if (!shape || ArrayRef(*shape) != ArrayRef(input.shape))
      return evaluation.fail("expected a skip and a bias that broadcast to the input");
    std::vector<int64_t> places = getBroadcastIndices(evaluation.in(i).shape, input.shape);
    for (auto [value, place] : llvm::zip(sum, places))
      value += evaluation.in(i)[place];
  }
  int64_t last = static_cast<int64_t>(input.shape.size()) - 1;
  if (!normalize(evaluation, input.shape, sum,
                 {last, isCentered, evaluation.node.getFloat("epsilon", 1e-12),
                  evaluation.values(2), isCentered ? evaluation.values(3) : nullptr}))
    return false;
  // ONNX Runtime gives no statistics on CPUs.
  evaluation.outputs.resize(1);
  while (evaluation.outputs.size() < std::min(evaluation.numOutputs(), 3u))
    evaluation.outputs.push_back(HostTensor::unknown({0}));
  if (evaluation.numOutputs() > 3)
    evaluation.push(input.shape, std::move(sum));
  return true;
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

/// x + bias through a function of x and, for some, alpha.
static bool activate(Evaluation &evaluation, double (*function)(double x, double alpha)) {
  const HostTensor &input = evaluation.in(0);
  if (!evaluation.computes()) {
    pushShapes(evaluation);
    return true;
  }
  std::vector<double> values(*input.data);
  if (evaluation.has(1)) {
    auto shape = broadcastShapes(input.shape, evaluation.in(1).shape);
    if (!shape || ArrayRef(*shape) != ArrayRef(input.shape))
      return evaluation.fail("expected a bias that broadcasts to the input");
    std::vector<int64_t> places = getBroadcastIndices(evaluation.in(1).shape, input.shape);
    for (auto [value, place] : llvm::zip(values, places))
      value += evaluation.in(1)[place];
  }
  double alpha = evaluation.node.getFloat("alpha", 1.702);
  for (double &value : values)
    value = function(value, alpha);
  evaluation.push(input.shape, std::move(values));
  return true;
}

static double gelu(double x, double) { return x * (1 + std::erf(x / std::sqrt(2.0))) / 2; }
static double geluTanh(double x, double) {
  return x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))) / 2;
}
static double geluQuick(double x, double alpha) { return x / (1 + std::exp(-alpha * x)); }

static bool evaluateGelu(Evaluation &evaluation) {
  bool isTanh = evaluation.node.getString("approximate", "none") == "tanh";
  return activate(evaluation, isTanh ? geluTanh : gelu);
}
static bool evaluateFastGelu(Evaluation &e) { return activate(e, geluTanh); }
static bool evaluateQuickGelu(Evaluation &e) { return activate(e, geluQuick); }

//===----------------------------------------------------------------------===//
// Rotations
//===----------------------------------------------------------------------===//

void llmc::rotate(Heads &heads, const Rotation &rotation) {
  int64_t pairs = rotation.pairs;
  for (int64_t head = 0; head < heads.count; ++head)
    for (int64_t row = 0; row < heads.rows; ++row) {
      double *x = heads.row(head, row);
      int64_t place = rotation.getPlace(head, row) * pairs;
      for (int64_t pair = 0; pair < pairs; ++pair) {
        double &low = x[rotation.isInterleaved ? 2 * pair : pair];
        double &high = x[rotation.isInterleaved ? 2 * pair + 1 : pair + pairs];
        double c = rotation.cosine[place + pair], s = rotation.sine[place + pair];
        std::tie(low, high) = std::pair(low * c - high * s, high * c + low * s);
      }
    }
}

/// ONNX's inputs are rows, cosines, sines, positions; ONNX Runtime's rows, positions and the
/// tables.
static bool evaluateRotaryEmbedding(Evaluation &evaluation) {
  bool isContrib = evaluation.node.op.getDomain() == "com.microsoft";
  unsigned cosineInput = isContrib ? 2 : 1, positionInput = isContrib ? 1 : 3;
  const HostTensor &input = evaluation.in(0);
  if (!evaluation.computes()) {
    pushShapes(evaluation);
    return true;
  }
  const HostTensor &cosine = evaluation.in(cosineInput), &sine = evaluation.in(cosineInput + 1);
  if (cosine.shape.empty() || cosine.shape != sine.shape)
    return evaluation.fail("expected cosines and sines of one shape");
  Rotation rotation{*cosine.data,
                    *sine.data,
                    cosine.shape.back(),
                    evaluation.node.getInt("interleaved", 0) != 0,
                    {}};
  int64_t rank = input.shape.size(), width = rank == 3 ? input.shape[2] : 0;
  int64_t count = evaluation.node.getInt("num_heads", 0);
  if (isContrib && rank == 3 && count == 0) // tables over whole heads
    count = width / std::max<int64_t>(2 * rotation.pairs, 1);
  std::optional<Heads> heads =
      rank == 4 ? Heads::fromHeads(input, *input.data) : Heads::fromFlat(input, *input.data, count);
  if (!heads)
    return evaluation.fail("expected rows of rank 4, or of rank 3 and a number of heads");
  if (rotation.pairs < 1 || 2 * rotation.pairs > heads->size)
    return evaluation.fail("expected angles for at most " + Twine(heads->size / 2) +
                           " pairs of columns");
  int64_t batch = input.shape[0], tableRows = cosine.getNumElements() / rotation.pairs;
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t row = 0; row < heads->rows; ++row) {
      int64_t place = b * heads->rows + row;
      if (evaluation.has(positionInput)) {
        const HostTensor &places = evaluation.in(positionInput);
        if (places.getNumElements() == 1 && isContrib)
          place = toInteger(places[0]) + row;
        else if (places.getNumElements() == batch * heads->rows)
          place = toInteger(places[place]);
        else
          return evaluation.fail("expected a position for each row");
      }
      if (place < 0 || place >= tableRows)
        return evaluation.fail("expected positions below " + Twine(tableRows) + ", found " +
                               Twine(place));
      rotation.places.push_back(place);
    }
  rotation.headsPerBatch = batch == 0 ? 1 : heads->count / batch;
  rotation.rows = heads->rows;
  rotate(*heads, rotation);
  evaluation.push(input.shape, rank == 4 ? std::move(heads->values) : heads->toFlat(batch));
  return true;
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

static Operator norm(const Operator &row, EvaluateFunction evaluate, RaiseFunction raise) {
  return row.reads({"axis", "epsilon", "stash_type"}).evaluatedBy(evaluate).raisedBy(raise);
}

ArrayRef<Operator> llmc::getLayerOperators() {
  // ONNX Runtime's optimizer writes LayerNormalization at any version.
  static const Operator rows[] = {
      Operator::onnx("Softmax", 1)
          .takes({"input"})
          .reads({"axis"})
          .evaluatedBy(evaluateSoftmax)
          .raisedBy(raiseSoftmax),
      Operator::onnx("LogSoftmax", 1)
          .takes({"input"})
          .reads({"axis"})
          .evaluatedBy(evaluateLogSoftmax),
      norm(Operator::onnx("LayerNormalization", 1).takes({"X", "Scale", "B?"}), evaluateLayerNorm,
           raiseLayerNorm),
      norm(Operator::onnx("RMSNormalization", 23).takes({"X", "scale"}), evaluateRMSNorm,
           raiseRMSNorm),
      norm(Operator::onnx("SimplifiedLayerNormalization", 1).takes({"X", "scale"}), evaluateRMSNorm,
           raiseRMSNorm),
      norm(Operator::contrib("SimplifiedLayerNormalization").takes({"X", "scale"}), evaluateRMSNorm,
           raiseRMSNorm),
      Operator::contrib("SkipLayerNormalization")
          .takes({"input", "skip", "gamma", "beta?", "bias?"})
          .reads({"epsilon"})
          .evaluatedBy(evaluateSkipNorm)
          .raisedBy(raiseSkipNorm)
          .expandedBy(expandSkipNorm),
      Operator::contrib("SkipSimplifiedLayerNormalization")
          .takes({"input", "skip", "gamma", "bias?"})
          .reads({"epsilon"})
          .evaluatedBy(evaluateSkipNorm)
          .raisedBy(raiseSkipNorm)
          .expandedBy(expandSkipNorm),
      Operator::onnx("Gelu", 20)
          .takes({"X"})
          .reads({"approximate=none|tanh"})
          .evaluatedBy(evaluateGelu)
          .expandedBy(expandGelu),
      Operator::contrib("Gelu").takes({"X"}).evaluatedBy(evaluateGelu).expandedBy(expandGelu),
      Operator::contrib("BiasGelu")
          .takes({"A", "B"})
          .evaluatedBy(evaluateGelu)
          .expandedBy(expandBiasGelu),
      Operator::contrib("FastGelu")
          .takes({"X", "bias?"})
          .evaluatedBy(evaluateFastGelu)
          .expandedBy(expandFastGelu),
      Operator::contrib("QuickGelu")
          .takes({"X"})
          .reads({"alpha"})
          .evaluatedBy(evaluateQuickGelu)
          .expandedBy(expandQuickGelu),
      Operator::onnx("RotaryEmbedding", 23)
          .takes({"X", "cos_cache", "sin_cache", "position_ids?"})
          .reads({"num_heads", "rotary_embedding_dim", "interleaved=0|1"})
          .evaluatedBy(evaluateRotaryEmbedding)
          .raisedBy(raiseRotaryEmbedding),
      Operator::contrib("RotaryEmbedding")
          .takes({"input", "position_ids", "cos_cache", "sin_cache"})
          .reads({"num_heads", "rotary_embedding_dim", "interleaved=0|1", "scale=1",
                  "is_packed_batching=0"})
          .evaluatedBy(evaluateRotaryEmbedding)
          .expandedBy(expandContribRotaryEmbedding)
          .raisedBy(raiseContribRotaryEmbedding),
  };
  return rows;
}
