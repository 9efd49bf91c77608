//===- EvaluateMovement.cpp - operators that only move elements ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluate/Evaluate.h"
#include "Evaluate/Operator.h"
#include "Raise/Matchers.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

/// Makes an output of `shape` whose element i is element indices[i] of `input`.
static void gatherElements(Evaluation &evaluation, const HostTensor &input, ArrayRef<int64_t> shape,
                           ArrayRef<int64_t> indices) {
  std::vector<double> values(indices.size());
  for (size_t i = 0; i < indices.size(); ++i)
    values[i] = input[indices[i]];
  evaluation.outputs.push_back(HostTensor::known(shape, std::move(values), input.isInteger));
}

/// The output of an operator that leaves the row-major order alone.
static bool reshapeTo(Evaluation &evaluation, ArrayRef<int64_t> shape) {
  const HostTensor &input = evaluation.in(0);
  if (getProduct(shape) != input.getNumElements())
    return evaluation.fail("expected a shape of " + Twine(input.getNumElements()) +
                           " elements, found " + Twine(getProduct(shape)));
  HostTensor output = input;
  output.shape.assign(shape.begin(), shape.end());
  if (input.constant)
    output.constant = input.constant->reshape(shape);
  evaluation.outputs.push_back(std::move(output));
  return true;
}

static bool evaluateIdentity(Evaluation &evaluation) {
  return reshapeTo(evaluation, evaluation.in(0).shape);
}

/// It drops nothing, and its mask keeps everything, unless a model is trained.
static bool evaluateDropout(Evaluation &evaluation) {
  auto training = evaluation.integers(2);
  if (evaluation.has(2) && (!training || llvm::any_of(*training, [](int64_t t) { return t; })))
    return evaluation.fail("expected input 'training_mode' to be false");
  evaluateIdentity(evaluation);
  ArrayRef<int64_t> shape = evaluation.in(0).shape;
  if (evaluation.numOutputs() > 1 && evaluation.computes())
    evaluation.push(shape, std::vector<double>(getProduct(shape), 1.0), /*isInteger=*/true);
  else if (evaluation.numOutputs() > 1)
    evaluation.outputs.push_back(HostTensor::unknown(shape, true));
  return true;
}

static bool evaluateCast(Evaluation &evaluation) {
  // Numbers of TensorProto::DataType.
  int64_t to = evaluation.node.getInt("to", 1);
  bool toFloat = to == 1 || to == 10 || to == 11 || to == 16;
  bool toBool = to == 9;
  const HostTensor &input = evaluation.in(0);
  if (!input.isKnown() || (toFloat && !input.isInteger)) {
    evaluateIdentity(evaluation);
    evaluation.outputs[0].isInteger = !toFloat;
    return true;
  }
  std::vector<double> values(*input.data);
  if (!toFloat)
    for (double &value : values)
      value = toBool ? value != 0 : std::trunc(value);
  evaluation.outputs.push_back(HostTensor::known(input.shape, std::move(values), !toFloat));
  return true;
}

static bool evaluateReshape(Evaluation &evaluation) {
  auto target = evaluation.integers(1);
  if (!target)
    return evaluation.fail("its shape depends on values that are not known");
  const HostTensor &input = evaluation.in(0);
  bool zeroIsZero = evaluation.node.getInt("allowzero", 0) != 0;
  SmallVector<int64_t> shape(*target);
  int64_t known = 1, inferred = -1;
  for (auto [i, dim] : llvm::enumerate(shape)) {
    if (dim == 0 && !zeroIsZero) {
      if (i >= input.shape.size())
        return evaluation.fail("a 0 stands where the input has no dimension");
      dim = input.shape[i];
    }
    if (dim == -1)
      inferred = i;
    else if (dim < 0 || dim > maxShapeElements)
      return evaluation.fail("expected dimensions of -1 or more, found " + Twine(dim));
    else
      known = getProduct({known, dim});
  }
  if (inferred >= 0) {
    int64_t count = input.getNumElements();
    if (known <= 0 || count % known != 0)
      return evaluation.fail("cannot infer a dimension of " + Twine(count) + " elements");
    shape[inferred] = count / known;
  }
  return reshapeTo(evaluation, shape);
}

static bool evaluateFlatten(Evaluation &evaluation) {
  ArrayRef<int64_t> shape = evaluation.in(0).shape;
  int64_t rank = shape.size(), axis = evaluation.node.getInt("axis", 1);
  if (axis < 0)
    axis += rank;
  if (axis < 0 || axis > rank)
    return evaluation.fail("expected an axis inside the rank");
  return reshapeTo(evaluation,
                   {getProduct(shape.take_front(axis)), getProduct(shape.drop_front(axis))});
}

static bool evaluateUnsqueeze(Evaluation &evaluation) {
  auto axes = evaluation.integers("axes", 1);
  if (!axes)
    return evaluation.fail("expected known axes");
  ArrayRef<int64_t> input = evaluation.in(0).shape;
  if (axes->size() > maxEvaluatedRank)
    return evaluation.fail("expected at most " + Twine(maxEvaluatedRank) + " axes");
  int64_t rank = input.size() + axes->size();
  SmallVector<bool> isNew(rank, false);
  for (int64_t axis : *axes) {
    int64_t place = normalizeAxis(axis, rank);
    if (place < 0 || isNew[place])
      return evaluation.fail("expected distinct axes inside the rank");
    isNew[place] = true;
  }
  SmallVector<int64_t> shape;
  size_t next = 0;
  for (bool added : isNew)
    shape.push_back(added ? 1 : input[next++]);
  return reshapeTo(evaluation, shape);
}

static bool evaluateSqueeze(Evaluation &evaluation) {
  auto axes = evaluation.integers("axes", 1);
  ArrayRef<int64_t> input = evaluation.in(0).shape;
  SmallVector<bool> drop(input.size(), false);
  if (!axes) {
    for (auto [i, dim] : llvm::enumerate(input))
      drop[i] = dim == 1;
  } else {
    for (int64_t axis : *axes) {
      int64_t place = normalizeAxis(axis, input.size());
      if (place < 0 || input[place] != 1)
        return evaluation.fail("expected axes of size 1");
      drop[place] = true;
    }
  }
  SmallVector<int64_t> shape;
  for (auto [i, dim] : llvm::enumerate(input))
    if (!drop[i])
      shape.push_back(dim);
  return reshapeTo(evaluation, shape);
}

static bool evaluateTranspose(Evaluation &evaluation) {
  const HostTensor &input = evaluation.in(0);
  int64_t rank = input.shape.size();
  SmallVector<int64_t> permutation;
  if (auto given = evaluation.node.getInts("perm"))
    permutation.assign(given->begin(), given->end());
  else
    for (int64_t i = rank; i-- > 0;)
      permutation.push_back(i);
  SmallVector<bool> seen(rank, false);
  if (static_cast<int64_t>(permutation.size()) != rank)
    return evaluation.fail("expected a permutation of " + Twine(rank) + " axes");
  SmallVector<int64_t> shape, steps, strides = getRowMajorStrides(input.shape);
  for (int64_t axis : permutation) {
    if (axis < 0 || axis >= rank || seen[axis])
      return evaluation.fail("expected a permutation of the axes");
    seen[axis] = true;
    shape.push_back(input.shape[axis]);
    steps.push_back(strides[axis]);
  }
  if (!input.isKnown()) {
    HostTensor output = HostTensor::unknown(shape, input.isInteger);
    if (input.constant)
      output.constant = input.constant->transpose(permutation);
    evaluation.outputs.push_back(std::move(output));
    return true;
  }
  // The strided walk of a constant view serves any tensor.
  std::vector<int64_t> indices(input.getNumElements());
  SmallVector<int64_t> place(rank, 0);
  int64_t index = 0;
  for (int64_t &entry : indices) {
    entry = index;
    for (int64_t axis = rank - 1; axis >= 0; --axis) {
      index += steps[axis];
      if (++place[axis] < shape[axis])
        break;
      index -= steps[axis] * shape[axis];
      place[axis] = 0;
    }
  }
  gatherElements(evaluation, input, shape, indices);
  if (input.constant)
    evaluation.outputs.back().constant = input.constant->transpose(permutation);
  return true;
}

/// Places along an axis: a list, or `count` of them from `start` on, `step` apart.
struct Places {
  int64_t start = 0, count = 0, step = 1;
  ArrayRef<int64_t> list;

  static Places range(int64_t start, int64_t count, int64_t step = 1) {
    return {start, count, step, {}};
  }
  int64_t operator[](int64_t i) const { return list.empty() ? start + i * step : list[i]; }
  /// The same as a range, if it is one.
  std::optional<Places> asRange() const {
    if (list.empty())
      return *this;
    int64_t apart = list.size() > 1 ? list[1] - list[0] : 1;
    for (size_t i = 1; i < list.size(); ++i)
      if (list[i] - list[i - 1] != apart)
        return std::nullopt;
    return range(list[0], list.size(), apart);
  }
};

/// Takes the given places of one axis; shared by Slice, Split and Gather.
static bool takeAlongAxis(Evaluation &evaluation, const HostTensor &input, int64_t axis,
                          const Places &places, ArrayRef<int64_t> placesShape) {
  SmallVector<int64_t> shape(input.shape.begin(), input.shape.begin() + axis);
  shape.append(placesShape.begin(), placesShape.end());
  shape.append(input.shape.begin() + axis + 1, input.shape.end());
  HostTensor output = HostTensor::unknown(shape, input.isInteger);
  if (input.constant && placesShape.size() == 1 && places.count > 0)
    if (std::optional<Places> range = places.asRange())
      output.constant = input.constant->slice(axis, range->start, range->count, range->step);
  int64_t count = getProduct(shape);
  bool looksUp = evaluation.isWhole && input.constant && !output.constant && axis == 0;
  if (!input.isKnown() && !looksUp) {
    evaluation.outputs.push_back(std::move(output));
    return true;
  }
  if (count < 0 || count > maxEvaluatedElements)
    return evaluation.fail("expected a smaller result, found " + Twine(count) + " elements");
  if (!input.isKnown()) { // rows of a large table
    std::vector<double> values;
    values.reserve(count);
    for (int64_t i = 0; i < places.count; ++i) {
      auto row = input.constant->slice(0, places[i], 1).load();
      if (!row)
        return evaluation.fail("cannot read its table");
      values.insert(values.end(), row->begin(), row->end());
    }
    output.data = std::make_shared<const std::vector<double>>(std::move(values));
    evaluation.outputs.push_back(std::move(output));
    return true;
  }
  int64_t inner = getProduct(ArrayRef(input.shape).drop_front(axis + 1));
  int64_t outer = getProduct(ArrayRef(input.shape).take_front(axis));
  std::vector<double> values;
  values.reserve(count);
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t i = 0; i < places.count; ++i) {
      auto begin = input.data->begin() + (o * input.shape[axis] + places[i]) * inner;
      values.insert(values.end(), begin, begin + inner);
    }
  output.data = std::make_shared<const std::vector<double>>(std::move(values));
  evaluation.outputs.push_back(std::move(output));
  return true;
}

static bool evaluateSlice(Evaluation &evaluation) {
  auto starts = evaluation.integers(1), ends = evaluation.integers(2);
  auto axes = evaluation.integers(3), steps = evaluation.integers(4);
  if (!starts || !ends || (evaluation.has(3) && !axes) || (evaluation.has(4) && !steps))
    return evaluation.fail("its bounds depend on values that are not known");
  if (starts->size() > maxEvaluatedRank)
    return evaluation.fail("expected at most " + Twine(maxEvaluatedRank) + " axes");
  HostTensor current = evaluation.in(0);
  for (size_t i = 0; i < starts->size(); ++i) {
    int64_t axis =
        normalizeAxis(axes ? (i < axes->size() ? (*axes)[i] : INT64_MIN) : i, current.shape.size());
    int64_t step = steps && i < steps->size() ? (*steps)[i] : 1;
    if (axis < 0 || step == 0 || i >= ends->size())
      return evaluation.fail("expected axes inside the rank and steps other than 0");
    int64_t size = current.shape[axis], start = (*starts)[i], end = (*ends)[i];
    if (size == 0)
      continue;
    start = std::clamp<int64_t>(start < 0 ? start + size : start, 0, step > 0 ? size : size - 1);
    end = std::clamp<int64_t>(end < 0 ? end + size : end, step > 0 ? 0 : -1, size);
    // A step beyond the axis takes its first place alone.
    step = std::clamp<int64_t>(step, -maxShapeElements, maxShapeElements);
    int64_t reach = step > 0 ? end - start : start - end, pace = std::abs(step);
    int64_t count = reach <= 0 ? 0 : (reach + pace - 1) / pace;
    evaluation.outputs.clear();
    if (!takeAlongAxis(evaluation, current, axis, Places::range(start, count, step), count))
      return false;
    current = evaluation.outputs[0];
  }
  evaluation.outputs.assign(1, current);
  return true;
}

static bool evaluateSplit(Evaluation &evaluation) {
  const HostTensor &input = evaluation.in(0);
  int64_t axis = normalizeAxis(evaluation.node.getInt("axis", 0), input.shape.size());
  if (axis < 0)
    return evaluation.fail("expected an axis inside the rank");
  int64_t size = input.shape[axis], parts = evaluation.numOutputs();
  auto sizes = evaluation.integers("split", 1);
  if (!sizes) {
    sizes.emplace();
    int64_t part = (size + parts - 1) / parts;
    for (int64_t i = 0; i < parts; ++i)
      sizes->push_back(std::min(part, std::max<int64_t>(size - i * part, 0)));
  }
  int64_t left = size;
  for (int64_t part : *sizes)
    left = part < 0 || part > left ? -1 : left - part;
  if (static_cast<int64_t>(sizes->size()) != parts || left != 0)
    return evaluation.fail("expected " + Twine(parts) + " parts that sum to " + Twine(size));
  int64_t start = 0;
  for (int64_t part : *sizes) {
    if (!takeAlongAxis(evaluation, input, axis, Places::range(start, part), part))
      return false;
    start += part;
  }
  return true;
}

static bool evaluateGather(Evaluation &evaluation) {
  const HostTensor &input = evaluation.in(0), &indices = evaluation.in(1);
  int64_t axis = normalizeAxis(evaluation.node.getInt("axis", 0), input.shape.size());
  if (axis < 0)
    return evaluation.fail("expected an axis inside the rank");
  if (!indices.isKnown()) {
    SmallVector<int64_t> shape(input.shape.begin(), input.shape.begin() + axis);
    shape.append(indices.shape);
    shape.append(input.shape.begin() + axis + 1, input.shape.end());
    evaluation.outputs.push_back(HostTensor::unknown(shape, input.isInteger));
    return true;
  }
  SmallVector<int64_t> places;
  for (double value : *indices.data) {
    int64_t place = toInteger(value);
    place = place < 0 ? place + input.shape[axis] : place;
    if (place < 0 || place >= input.shape[axis])
      return evaluation.fail("expected indices below " + Twine(input.shape[axis]) + ", found " +
                             Twine(toInteger(value)));
    places.push_back(place);
  }
  Places taken;
  taken.list = places;
  taken.count = places.size();
  return takeAlongAxis(evaluation, input, axis, taken, indices.shape);
}

static bool evaluateGatherElements(Evaluation &evaluation) {
  const HostTensor &input = evaluation.in(0), &indices = evaluation.in(1);
  int64_t axis = normalizeAxis(evaluation.node.getInt("axis", 0), input.shape.size());
  if (axis < 0 || input.shape.size() != indices.shape.size())
    return evaluation.fail("expected indices of the input's rank");
  if (!evaluation.allKnown()) {
    evaluation.outputs.push_back(HostTensor::unknown(indices.shape, input.isInteger));
    return true;
  }
  SmallVector<int64_t> from = getRowMajorStrides(input.shape);
  std::vector<int64_t> places(indices.getNumElements());
  SmallVector<int64_t> place(indices.shape.size(), 0);
  for (size_t i = 0; i < places.size(); ++i) {
    int64_t index = 0;
    for (size_t a = 0; a < place.size(); ++a) {
      int64_t at = static_cast<int64_t>(a) == axis ? toInteger(indices[i]) : place[a];
      at = at < 0 ? at + input.shape[a] : at;
      if (at < 0 || at >= input.shape[a])
        return evaluation.fail("expected indices inside the input");
      index += at * from[a];
    }
    places[i] = index;
    for (int64_t a = static_cast<int64_t>(place.size()) - 1; a >= 0; --a) {
      if (++place[a] < indices.shape[a])
        break;
      place[a] = 0;
    }
  }
  gatherElements(evaluation, input, indices.shape, places);
  return true;
}

static bool evaluateGatherND(Evaluation &evaluation) {
  const HostTensor &input = evaluation.in(0), &indices = evaluation.in(1);
  int64_t batch = evaluation.node.getInt("batch_dims", 0), rank = indices.shape.size();
  if (rank == 0 || batch < 0 || batch >= rank)
    return evaluation.fail("expected indices of rank above batch_dims");
  int64_t depth = indices.shape.back();
  if (depth < 1 || batch + depth > static_cast<int64_t>(input.shape.size()))
    return evaluation.fail("expected index tuples inside the input's rank");
  if (ArrayRef(input.shape).take_front(batch) != ArrayRef(indices.shape).take_front(batch))
    return evaluation.fail("expected input and indices of the same batch dimensions");
  SmallVector<int64_t> shape(indices.shape.begin(), indices.shape.end() - 1);
  shape.append(input.shape.begin() + batch + depth, input.shape.end());
  if (!evaluation.allKnown()) {
    evaluation.outputs.push_back(HostTensor::unknown(shape, input.isInteger));
    return true;
  }
  SmallVector<int64_t> strides = getRowMajorStrides(input.shape);
  int64_t inner = getProduct(ArrayRef(input.shape).drop_front(batch + depth));
  int64_t batchSize = getProduct(ArrayRef(input.shape).take_front(batch));
  int64_t batchStride = batch == 0 ? 0 : strides[batch - 1];
  int64_t tuples = indices.getNumElements() / depth, count = getProduct({tuples, inner});
  if (count < 0 || count > maxEvaluatedElements)
    return evaluation.fail("expected a smaller result, found " + Twine(count) + " elements");
  std::vector<int64_t> places;
  for (int64_t t = 0; t < tuples; ++t) {
    int64_t index = batchSize > 0 ? t / std::max<int64_t>(tuples / batchSize, 1) * batchStride : 0;
    for (int64_t d = 0; d < depth; ++d) {
      int64_t size = input.shape[batch + d], at = toInteger(indices[t * depth + d]);
      at = at < 0 ? at + size : at;
      if (at < 0 || at >= size)
        return evaluation.fail("expected indices inside the input");
      index += at * strides[batch + d];
    }
    for (int64_t i = 0; i < inner; ++i)
      places.push_back(index + i);
  }
  gatherElements(evaluation, input, shape, places);
  return true;
}

static bool evaluateConcat(Evaluation &evaluation) {
  SmallVector<int64_t> shape(evaluation.in(0).shape);
  int64_t axis = normalizeAxis(evaluation.node.getInt("axis", 0), shape.size());
  if (axis < 0)
    return evaluation.fail("expected an axis inside the rank");
  for (const HostTensor *input : llvm::drop_begin(evaluation.inputs)) {
    if (!input || input->shape.size() != shape.size())
      return evaluation.fail("expected inputs of one rank");
    for (size_t i = 0; i < shape.size(); ++i)
      if (static_cast<int64_t>(i) != axis && input->shape[i] != shape[i])
        return evaluation.fail("expected inputs that differ along the axis alone");
    shape[axis] += input->shape[axis];
  }
  HostTensor output = HostTensor::unknown(shape, evaluation.in(0).isInteger);
  if (evaluation.allKnown()) {
    std::vector<double> values;
    int64_t outer = getProduct(ArrayRef(shape).take_front(axis));
    for (int64_t o = 0; o < outer; ++o)
      for (const HostTensor *input : evaluation.inputs) {
        int64_t size = getProduct(ArrayRef(input->shape).drop_front(axis));
        auto begin = input->data->begin() + o * size;
        values.insert(values.end(), begin, begin + size);
      }
    output.data = std::make_shared<const std::vector<double>>(std::move(values));
  }
  evaluation.outputs.push_back(std::move(output));
  return true;
}

/// Broadcasts the input to `shape`.
static bool expandTo(Evaluation &evaluation, ArrayRef<int64_t> shape) {
  const HostTensor &input = evaluation.in(0);
  int64_t count = getProduct(shape);
  if (!input.isKnown() || evaluation.leavesOut(count)) {
    evaluation.outputs.push_back(HostTensor::unknown(shape, input.isInteger));
    return true;
  }
  if (count < 0 || count > maxEvaluatedElements)
    return evaluation.fail("expected a smaller result, found " + Twine(count) + " elements");
  gatherElements(evaluation, input, shape, getBroadcastIndices(input.shape, shape));
  return true;
}

static bool evaluateExpand(Evaluation &evaluation) {
  auto target = evaluation.integers(1);
  if (!target)
    return evaluation.fail("its shape depends on values that are not known");
  auto shape = broadcastShapes(evaluation.in(0).shape, *target);
  if (!shape)
    return evaluation.fail("expected a shape that the input broadcasts to");
  return expandTo(evaluation, *shape);
}

static bool evaluateTile(Evaluation &evaluation) {
  auto repeats = evaluation.integers(1);
  const HostTensor &input = evaluation.in(0);
  if (!repeats || repeats->size() != input.shape.size())
    return evaluation.fail("expected one known repeat per dimension");
  SmallVector<int64_t> shape;
  for (auto [dim, repeat] : llvm::zip(input.shape, *repeats)) {
    if (repeat < 0 || repeat > maxEvaluatedElements)
      return evaluation.fail("expected repeats of 0 or more");
    shape.push_back(getProduct({dim, repeat}));
  }
  int64_t count = getProduct(shape);
  if (!input.isKnown() || evaluation.leavesOut(count)) {
    evaluation.outputs.push_back(HostTensor::unknown(shape, input.isInteger));
    return true;
  }
  if (count < 0 || count > maxEvaluatedElements)
    return evaluation.fail("expected a smaller result, found " + Twine(count) + " elements");
  SmallVector<int64_t> from = getRowMajorStrides(input.shape), to = getRowMajorStrides(shape);
  std::vector<int64_t> indices(count);
  for (int64_t i = 0; i < count; ++i)
    for (size_t axis = 0; axis < shape.size(); ++axis)
      indices[i] += i / to[axis] % shape[axis] % input.shape[axis] * from[axis];
  gatherElements(evaluation, input, shape, indices);
  return true;
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

static Operator movement(const char *name, int64_t first, EvaluateFunction function,
                         std::initializer_list<OperatorInput> inputs,
                         std::initializer_list<OperatorAttribute> attributes = {}) {
  return Operator::onnx(name, first)
      .takes(inputs)
      .reads(attributes)
      .moves()
      .evaluatedBy(function)
      .raisedBy(raiseMovement);
}

ArrayRef<Operator> llmc::getMovementOperators() {
  static const Operator rows[] = {
      movement("Identity", 1, evaluateIdentity, {"input"}),
      movement("Dropout", 7, evaluateDropout, {"data", "ratio?", "training_mode?"},
               {"ratio", "seed"}),
      movement("Cast", 6, evaluateCast, {"input"}, {"to", "saturate=1", "round_mode=up"}),
      movement("Reshape", 5, evaluateReshape, {"data", "shape"}, {"allowzero=0|1"}),
      movement("Flatten", 1, evaluateFlatten, {"input"}, {"axis"}),
      movement("Unsqueeze", 1, evaluateUnsqueeze, {"data", "axes?"}, {"axes"}),
      movement("Squeeze", 1, evaluateSqueeze, {"data", "axes?"}, {"axes"}),
      movement("Transpose", 1, evaluateTranspose, {"data"}, {"perm"}),
      movement("Slice", 10, evaluateSlice, {"data", "starts", "ends", "axes?", "steps?"}),
      movement("Split", 2, evaluateSplit, {"input", "split?"}, {"axis", "split", "num_outputs"}),
      movement("Gather", 1, evaluateGather, {"data", "indices"}, {"axis"}).raisedBy(raiseGather),
      movement("GatherElements", 11, evaluateGatherElements, {"data", "indices"}, {"axis"}),
      movement("GatherND", 11, evaluateGatherND, {"data", "indices"}, {"batch_dims"}),
      movement("Concat", 4, evaluateConcat, {"inputs..."}, {"axis"}).raisedBy(raiseConcat),
      movement("Expand", 8, evaluateExpand, {"input", "shape"}),
      movement("Tile", 6, evaluateTile, {"input", "repeats"}),
  };
  return rows;
}
