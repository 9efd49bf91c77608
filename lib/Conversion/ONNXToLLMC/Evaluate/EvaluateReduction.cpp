//===- EvaluateReduction.cpp - operators that make, sum or scan tensors ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluate/Evaluate.h"
#include "Evaluate/Operator.h"
#include "Raise/Matchers.h"
#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

/// The sum, mean … of the values along the reduced axes.
struct Reduction {
  double initial;
  double (*step)(double, double);
  double (*finish)(double, double count);
};

static bool reduce(Evaluation &evaluation, const Reduction &reduction) {
  const HostTensor &input = evaluation.in(0);
  auto axes = evaluation.integers("axes", 1);
  if (!axes && evaluation.has(1))
    return evaluation.fail("expected known axes");
  bool keep = evaluation.node.getInt("keepdims", 1) != 0;
  SmallVector<bool> reduced(input.shape.size(), false);
  if (!axes || axes->empty()) {
    if (evaluation.node.getInt("noop_with_empty_axes", 0) == 0)
      reduced.assign(input.shape.size(), true);
  } else {
    for (int64_t axis : *axes) {
      int64_t place = normalizeAxis(axis, input.shape.size());
      if (place < 0)
        return evaluation.fail("expected axes inside the rank");
      reduced[place] = true;
    }
  }
  SmallVector<int64_t> kept(input.shape), shape;
  double count = 1;
  for (auto [i, dim] : llvm::enumerate(input.shape)) {
    if (reduced[i]) {
      kept[i] = 1;
      count *= dim;
    }
    if (!reduced[i] || keep)
      shape.push_back(kept[i]);
  }
  if (!input.isKnown()) {
    evaluation.outputs.push_back(HostTensor::unknown(shape, input.isInteger));
    return true;
  }
  std::vector<double> values(getProduct(kept), reduction.initial);
  std::vector<int64_t> targets = getBroadcastIndices(kept, input.shape);
  for (size_t i = 0; i < targets.size(); ++i)
    values[targets[i]] = reduction.step(values[targets[i]], input[i]);
  for (double &value : values)
    value = reduction.finish(value, count);
  evaluation.outputs.push_back(HostTensor::known(shape, std::move(values), input.isInteger));
  return true;
}

static double addStep(double a, double b) { return a + b; }
static double squareStep(double a, double b) { return a + b * b; }
static double maxStep(double a, double b) { return std::max(a, b); }
static double minStep(double a, double b) { return std::min(a, b); }
static double productStep(double a, double b) { return a * b; }
static double keepValue(double value, double) { return value; }
static double divideByCount(double value, double count) { return value / count; }
static double squareRoot(double value, double) { return std::sqrt(value); }

static bool evaluateReduceSum(Evaluation &e) { return reduce(e, {0, addStep, keepValue}); }
static bool evaluateReduceMean(Evaluation &e) { return reduce(e, {0, addStep, divideByCount}); }
static bool evaluateReduceSumSquare(Evaluation &e) { return reduce(e, {0, squareStep, keepValue}); }
static bool evaluateReduceL2(Evaluation &e) { return reduce(e, {0, squareStep, squareRoot}); }
static bool evaluateReduceMax(Evaluation &e) { return reduce(e, {-INFINITY, maxStep, keepValue}); }
static bool evaluateReduceMin(Evaluation &e) { return reduce(e, {INFINITY, minStep, keepValue}); }
static bool evaluateReduceProd(Evaluation &e) { return reduce(e, {1, productStep, keepValue}); }

static bool evaluateCumSum(Evaluation &evaluation) {
  const HostTensor &input = evaluation.in(0);
  auto axisInput = evaluation.integers(1);
  if (!axisInput || axisInput->size() != 1)
    return evaluation.fail("expected a known axis");
  int64_t axis = normalizeAxis(axisInput->front(), input.shape.size());
  if (axis < 0)
    return evaluation.fail("expected an axis inside the rank");
  if (!input.isKnown()) {
    evaluation.outputs.push_back(HostTensor::unknown(input.shape, input.isInteger));
    return true;
  }
  bool exclusive = evaluation.node.getInt("exclusive", 0) != 0;
  bool reverse = evaluation.node.getInt("reverse", 0) != 0;
  std::vector<double> values(*input.data);
  int64_t size = input.shape[axis];
  int64_t inner = getProduct(ArrayRef(input.shape).drop_front(axis + 1));
  int64_t lines = size == 0 ? 0 : input.getNumElements() / size;
  for (int64_t line = 0; line < lines; ++line) {
    double sum = 0;
    for (int64_t i = 0; i < size; ++i) {
      int64_t at =
          line / inner * inner * size + (reverse ? size - 1 - i : i) * inner + line % inner;
      double value = values[at];
      values[at] = exclusive ? sum : sum + value;
      sum += value;
    }
  }
  evaluation.outputs.push_back(HostTensor::known(input.shape, std::move(values), input.isInteger));
  return true;
}

static bool evaluateRange(Evaluation &evaluation) {
  if (!evaluation.allKnown() || evaluation.inputs.size() != 3)
    return evaluation.fail("its bounds depend on values that are not known");
  for (const HostTensor *input : evaluation.inputs)
    if (!input || input->getNumElements() != 1)
      return evaluation.fail("expected scalar bounds");
  double start = evaluation.in(0)[0], limit = evaluation.in(1)[0], delta = evaluation.in(2)[0];
  double count = delta == 0 ? -1 : std::max(std::ceil((limit - start) / delta), 0.0);
  if (!(count >= 0) || count > maxEvaluatedElements)
    return evaluation.fail("expected a smaller range");
  std::vector<double> values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = start + i * delta;
  int64_t size = values.size();
  evaluation.outputs.push_back(
      HostTensor::known(size, std::move(values), evaluation.in(0).isInteger));
  return true;
}

/// Places of elements that are not zero, in row-major order: rank × count.
static bool evaluateNonZero(Evaluation &evaluation) {
  const HostTensor &input = evaluation.in(0);
  int64_t rank = input.shape.size();
  if (!input.isKnown())
    return evaluation.fail("which elements are not zero depends on values that are not known");
  if (rank == 0)
    return evaluation.fail("expected a tensor of rank 1 or more");
  std::vector<int64_t> found;
  for (int64_t i = 0, size = input.getNumElements(); i < size; ++i)
    if (input[i] != 0)
      found.push_back(i);
  SmallVector<int64_t> strides = getRowMajorStrides(input.shape);
  std::vector<double> places;
  for (int64_t axis = 0; axis < rank; ++axis)
    for (int64_t i : found)
      places.push_back(static_cast<double>(i / strides[axis] % input.shape[axis]));
  evaluation.push({rank, static_cast<int64_t>(found.size())}, std::move(places), true);
  return true;
}

/// The elements of a tensor attribute; nothing where it is none.
static std::optional<HostTensor> readTensorAttribute(Attribute attribute) {
  auto elements = dyn_cast_or_null<DenseElementsAttr>(attribute);
  if (elements && isa<RankedTensorType>(elements.getType())) {
    ConstantView view = ConstantView::get(elements, cast<RankedTensorType>(elements.getType()));
    HostTensor tensor = HostTensor::unknown(view.shape, !isa<FloatType>(view.element));
    tensor.constant = view;
    return tensor;
  }
  auto pair = dyn_cast_or_null<ArrayAttr>(attribute);
  auto type = pair && pair.size() == 2 ? dyn_cast<TypeAttr>(pair[0]) : TypeAttr();
  auto ranked = type ? dyn_cast<RankedTensorType>(type.getValue()) : RankedTensorType();
  if (!ranked || !ranked.hasStaticShape())
    return std::nullopt;
  HostTensor tensor =
      HostTensor::unknown(ranked.getShape(), !isa<FloatType>(ranked.getElementType()));
  tensor.constant = ConstantView::get(pair[1], ranked);
  return tensor;
}

static bool evaluateConstant(Evaluation &evaluation) {
  const Node &node = evaluation.node;
  if (auto tensor = readTensorAttribute(node.get("value"))) {
    evaluation.outputs.push_back(std::move(*tensor));
    return true;
  }
  auto scalar = [&](double value, bool isInteger) {
    evaluation.outputs.push_back(HostTensor::known({}, {value}, isInteger));
    return true;
  };
  if (node.get("value_float"))
    return scalar(node.getFloat("value_float", 0), false);
  if (node.get("value_int"))
    return scalar(node.getInt("value_int", 0), true);
  if (auto integers = node.getInts("value_ints")) {
    int64_t size = integers->size();
    evaluation.outputs.push_back(
        HostTensor::known(size, std::vector<double>(integers->begin(), integers->end()), true));
    return true;
  }
  if (auto floats = dyn_cast_or_null<DenseF32ArrayAttr>(node.get("value_floats"))) {
    int64_t size = floats.size();
    ArrayRef<float> values = floats;
    evaluation.outputs.push_back(
        HostTensor::known(size, std::vector<double>(values.begin(), values.end()), false));
    return true;
  }
  return evaluation.fail("expected a numeric value");
}

static bool evaluateConstantOfShape(Evaluation &evaluation) {
  auto shape = evaluation.integers(0);
  if (!shape)
    return evaluation.fail("its shape depends on values that are not known");
  int64_t count = getProduct(*shape);
  bool isLeftOut = evaluation.leavesOut(count);
  if (!isLeftOut && (count < 0 || count > maxEvaluatedElements))
    return evaluation.fail("expected a smaller result, found " + Twine(count) + " elements");
  double value = 0;
  bool isInteger = false;
  if (auto tensor = readTensorAttribute(evaluation.node.get("value"))) {
    auto values = tensor->constant->load();
    if (!values || values->size() != 1)
      return evaluation.fail("expected a value of one element");
    value = values->front();
    isInteger = tensor->isInteger;
  }
  evaluation.outputs.push_back(
      isLeftOut ? HostTensor::unknown(*shape, isInteger)
                : HostTensor::known(*shape, std::vector<double>(count, value), isInteger));
  return true;
}

static bool evaluateShape(Evaluation &evaluation) {
  ArrayRef<int64_t> shape = evaluation.in(0).shape;
  int64_t rank = shape.size();
  auto clampAxis = [&](int64_t axis) {
    return std::clamp<int64_t>(axis < 0 ? axis + rank : axis, 0, rank);
  };
  int64_t start = clampAxis(evaluation.node.getInt("start", 0));
  int64_t end = std::max(start, clampAxis(evaluation.node.getInt("end", rank)));
  ArrayRef<int64_t> part = shape.slice(start, end - start);
  evaluation.outputs.push_back(HostTensor::known(
      static_cast<int64_t>(part.size()), std::vector<double>(part.begin(), part.end()), true));
  return true;
}

static bool evaluateSize(Evaluation &evaluation) {
  evaluation.outputs.push_back(
      HostTensor::known({}, {static_cast<double>(evaluation.in(0).getNumElements())}, true));
  return true;
}

static bool evaluateTrilu(Evaluation &evaluation) {
  const HostTensor &input = evaluation.in(0);
  auto offset = evaluation.integers(1);
  if (input.shape.size() < 2 || (evaluation.has(1) && (!offset || offset->size() != 1)))
    return evaluation.fail("expected a matrix and a known offset");
  if (!input.isKnown()) {
    evaluation.outputs.push_back(HostTensor::unknown(input.shape, input.isInteger));
    return true;
  }
  bool upper = evaluation.node.getInt("upper", 1) != 0;
  constexpr int64_t far = maxShapeElements;
  int64_t k = offset ? std::clamp<int64_t>(offset->front(), -far, far) : 0;
  int64_t columns = input.shape.back(), rows = input.shape[input.shape.size() - 2];
  std::vector<double> values(*input.data);
  for (size_t i = 0; i < values.size(); ++i) {
    int64_t row = i / columns % rows, column = i % columns;
    if (upper ? column < row + k : column > row + k)
      values[i] = 0;
  }
  evaluation.outputs.push_back(HostTensor::known(input.shape, std::move(values), input.isInteger));
  return true;
}

static bool evaluateScatterND(Evaluation &evaluation) {
  const HostTensor &input = evaluation.in(0), &indices = evaluation.in(1);
  const HostTensor &updates = evaluation.in(2);
  if (!evaluation.allKnown()) {
    evaluation.outputs.push_back(HostTensor::unknown(input.shape, input.isInteger));
    return true;
  }
  if (indices.shape.empty() || evaluation.node.getString("reduction", "none") != "none")
    return evaluation.fail("expected index tuples and no reduction");
  int64_t depth = indices.shape.back();
  if (depth < 1 || depth > static_cast<int64_t>(input.shape.size()))
    return evaluation.fail("expected index tuples inside the input's rank");
  SmallVector<int64_t> strides = getRowMajorStrides(input.shape);
  int64_t inner = getProduct(ArrayRef(input.shape).drop_front(depth));
  int64_t tuples = indices.getNumElements() / depth;
  if (updates.getNumElements() != tuples * inner)
    return evaluation.fail("expected " + Twine(tuples * inner) + " updates, found " +
                           Twine(updates.getNumElements()));
  std::vector<double> values(*input.data);
  for (int64_t t = 0; t < tuples; ++t) {
    int64_t index = 0;
    for (int64_t d = 0; d < depth; ++d) {
      int64_t at = toInteger(indices[t * depth + d]);
      at = at < 0 ? at + input.shape[d] : at;
      if (at < 0 || at >= input.shape[d])
        return evaluation.fail("expected indices inside the input");
      index += at * strides[d];
    }
    for (int64_t i = 0; i < inner; ++i)
      values[index + i] = updates[t * inner + i];
  }
  evaluation.outputs.push_back(HostTensor::known(input.shape, std::move(values), input.isInteger));
  return true;
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

static Operator reduction(const char *name, EvaluateFunction function) {
  return Operator::onnx(name, 1)
      .takes({"data", "axes?"})
      .reads({"axes", "keepdims=0|1", "noop_with_empty_axes=0|1"})
      .evaluatedBy(function);
}

ArrayRef<Operator> llmc::getReductionOperators() {
  static const Operator rows[] = {
      reduction("ReduceSum", evaluateReduceSum).raisedBy(raiseReduction),
      reduction("ReduceMean", evaluateReduceMean).raisedBy(raiseReduction),
      reduction("ReduceSumSquare", evaluateReduceSumSquare).raisedBy(raiseReduction),
      reduction("ReduceL2", evaluateReduceL2).raisedBy(raiseReduction),
      reduction("ReduceMax", evaluateReduceMax),
      reduction("ReduceMin", evaluateReduceMin),
      reduction("ReduceProd", evaluateReduceProd),
      Operator::onnx("CumSum", 11)
          .takes({"x", "axis"})
          .reads({"exclusive=0|1", "reverse=0|1"})
          .evaluatedBy(evaluateCumSum),
      Operator::onnx("Range", 11)
          .takes({"start", "limit", "delta"})
          .reads({"stash_type=1"})
          .evaluatedBy(evaluateRange),
      Operator::onnx("NonZero", 9).takes({"X"}).evaluatedBy(evaluateNonZero),
      Operator::onnx("Constant", 1)
          .reads({"value", "value_float", "value_floats", "value_int", "value_ints"})
          .evaluatedBy(evaluateConstant),
      Operator::onnx("ConstantOfShape", 9)
          .takes({"input"})
          .reads({"value"})
          .evaluatedBy(evaluateConstantOfShape),
      Operator::onnx("Shape", 1).takes({"data"}).reads({"start", "end"}).evaluatedBy(evaluateShape),
      Operator::onnx("Size", 1).takes({"data"}).evaluatedBy(evaluateSize),
      Operator::onnx("Trilu", 14)
          .takes({"input", "k?"})
          .reads({"upper=0|1"})
          .evaluatedBy(evaluateTrilu),
      Operator::onnx("ScatterND", 11)
          .takes({"data", "indices", "updates"})
          .reads({"reduction=none"})
          .evaluatedBy(evaluateScatterND),
      Operator::onnx("If", 1).takes({"cond"}),
  };
  return rows;
}
