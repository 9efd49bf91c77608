//===- RaiseElementwise.cpp - arithmetic on rows, scores and statistics ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raise/Raiser.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

LogicalResult Raiser::raiseElementwise(Node &node) {
  unsigned count = node.op.getInputs().size();
  for (unsigned i = 0; i < count; ++i)
    if (getIf<RoundedRows>(node, i) || getIf<IntegerProduct>(node, i))
      return raiseOnIntegers(node);
  for (unsigned i = 0; i < count; ++i)
    if (getIf<Scores>(node, i) || getIf<NanTest>(node, i))
      return raiseOnScores(node);
  for (unsigned i = 0; i < count; ++i)
    if (getIf<Statistic>(node, i))
      return count <= 2 ? raiseOnStatistic(node)
                        : fail("expected a mean or root of rows to become part of a norm");
  bool handled = false;
  LogicalResult result = raiseOnNormal(node, handled);
  if (handled)
    return result;
  result = raiseAsFunction(node, handled);
  if (handled)
    return result;
  if (node.getType() == "Where")
    return raiseWhere(node);
  if (count != 2 || !has(node, 0) || !has(node, 1))
    return fail("expected a function of one operand");
  if (!isData(node, 0) || !isData(node, 1))
    return raiseWithConstant(node, isData(node, 0) ? 0 : 1);
  return raiseBinary(node);
}

/// A guard that is open at every length: rows with nothing to attend to do not occur.
LogicalResult Raiser::raiseWhere(Node &node) {
  const HostTensor *condition = probe.get(operand(node, 0));
  if (!condition->isKnown() || condition->getNumElements() == 0)
    return fail("expected a condition that does not depend on tokens");
  bool taken = (*condition)[0] != 0;
  for (double value : *condition->data)
    if ((value != 0) != taken)
      return fail("expected a condition that is the same for all elements");
  unsigned chosen = taken ? 1 : 2;
  if (!isData(node, chosen) ||
      tensor(operand(node, chosen)).shape != tensor(node.op.getResult(0)).shape)
    return fail("expected the rows of the model to be chosen");
  checks.conditions.push_back({operand(node, 0), taken, location});
  set(node, 0, get(operand(node, chosen)));
  return success();
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

LogicalResult Raiser::raiseOnScores(Node &node) {
  std::string type = node.getType();
  // Rows with nothing to attend: Where(IsNaN(p), 0, p) is p where there is something.
  if (type == "Where") {
    auto *yes = getIf<Scores>(node, 1), *no = getIf<Scores>(node, 2);
    if (getIf<NanTest>(node, 0) && no && getScalar(node, 1) == 0.0) {
      set(node, 0, *no);
      return success();
    }
    const HostTensor *condition = probe.get(operand(node, 0));
    std::optional<double> other = getScalar(node, yes ? 2 : 1);
    if (!condition->isKnown() || (!yes && !no) || !other || *other > -1e4)
      return fail("expected scores to be chosen by a known mask, and a large negative number "
                  "elsewhere");
    Scores scores = yes ? *yes : *no;
    if (scores.isSoftmax)
      return fail("expected a mask before the softmax");
    scores.masks.push_back({operand(node, 0), yes ? Scores::Mask::Kind::KeepWhereTrue
                                                  : Scores::Mask::Kind::KeepWhereFalse});
    set(node, 0, std::move(scores));
    return success();
  }
  if (node.op.getInputs().size() == 1 && type == "Tanh") {
    auto *scores = getIf<Scores>(node, 0);
    if (!scores || scores->softcap != 0 || !scores->masks.empty() || scores->isSoftmax)
      return fail("expected tanh of plain scores");
    Scores capped = *scores;
    // tanh(s / c) · c: the scale so far holds 1 / c, and the product that follows c.
    capped.softcap = 1;
    set(node, 0, std::move(capped));
    return success();
  }
  if (node.op.getInputs().size() != 2)
    return fail("it is applied to attention scores");
  unsigned data = getIf<Scores>(node, 0) ? 0 : 1;
  auto *found = getIf<Scores>(node, data);
  if (!found || isData(node, 1 - data))
    return fail("expected attention scores and a constant");
  Scores scores = *found;
  std::optional<double> scalar = getScalar(node, 1 - data);
  if ((type == "Mul" || (type == "Div" && data == 0)) && scalar && *scalar != 0 &&
      scores.masks.empty() && !scores.isSoftmax) {
    double factor = type == "Mul" ? *scalar : 1 / *scalar;
    if (scores.softcap == 1 && scores.scale != 0) {
      scores.softcap = factor;
      scores.scale *= factor; // of tanh's argument, as llmc.attention wants it before s / c
    } else if (scores.softcap != 0) {
      return fail("expected capped scores to be scaled once");
    } else {
      scores.scale *= factor;
    }
    set(node, 0, std::move(scores));
    return success();
  }
  if (type == "Max" && scalar && *scalar < -1e4) { // keeps a sum of masks finite
    set(node, 0, std::move(scores));
    return success();
  }
  if (type == "Add" && !scores.isSoftmax && probe.get(operand(node, 1 - data))->isKnown()) {
    scores.masks.push_back({operand(node, 1 - data), Scores::Mask::Kind::Added});
    set(node, 0, std::move(scores));
    return success();
  }
  return fail("expected attention scores to be scaled, capped or masked");
}

LogicalResult Raiser::raiseIsNaN(Node &node) {
  if (!getIf<Scores>(node, 0))
    return fail("expected the softmax of attention scores");
  set(node, 0, NanTest());
  return success();
}

LogicalResult Raiser::raiseSoftmax(Node &node) {
  auto *found = getIf<Scores>(node, 0);
  int64_t rank = tensor(operand(node, 0)).shape.size();
  if (!found || found->isSoftmax || normalizeAxis(node.getInt("axis", -1), rank) != rank - 1)
    return fail("expected attention scores, over their last axis");
  Scores scores = *found;
  scores.isSoftmax = true;
  set(node, 0, std::move(scores));
  return success();
}

//===----------------------------------------------------------------------===//
// Statistics and norms
//===----------------------------------------------------------------------===//

LogicalResult Raiser::raiseReduction(Node &node) {
  ArrayRef<int64_t> shape = tensor(operand(node, 0)).shape;
  Evaluation evaluation{node, {}, {}, {}};
  for (unsigned i = 0; i < node.op.getInputs().size(); ++i)
    evaluation.inputs.push_back(has(node, i) ? probe.get(operand(node, i)) : nullptr);
  auto axes = evaluation.integers("axes", 1);
  if (!axes || axes->size() != 1 ||
      normalizeAxis(axes->front(), shape.size()) != static_cast<int64_t>(shape.size()) - 1)
    return fail("expected a reduction over the last axis");
  Statistic statistic;
  std::string type = node.getType();
  double size = shape.back();
  if (auto *function = getIf<Function>(node, 0)) {
    std::vector<double> points = getSamplePoints();
    double square = function->samples[0] / (points[0] * points[0]);
    for (auto [x, y] : llvm::zip(points, function->samples))
      if (!(std::fabs(y - square * x * x) <= 1e-9 * (1 + square * x * x)))
        return fail("expected the mean of rows or of their squares");
    statistic.kind = Statistic::Kind::MeanSquare;
    statistic.of = function->of;
    // Of rows that were scaled: a function is said of the rows before.
    for (Column &column : statistic.of.columns)
      column.first.coefficient *= std::sqrt(square);
    statistic.centered = function->centered;
  } else {
    std::optional<View> view = getRows(node, 0);
    if (!view)
      return failure();
    statistic.kind = type == "ReduceMean" || type == "ReduceSum" ? Statistic::Kind::Mean
                                                                 : Statistic::Kind::MeanSquare;
    statistic.of = std::move(*view);
  }
  if (type != "ReduceMean")
    statistic.mul = size;
  if (type == "ReduceL2")
    statistic.root = Statistic::Root::Square;
  if (statistic.of.rowsAxis == static_cast<int>(shape.size()) - 1)
    return fail("expected a reduction over columns");
  set(node, 0, std::move(statistic));
  return success();
}

LogicalResult Raiser::raiseOnStatistic(Node &node) {
  using Root = Statistic::Root;
  std::string type = node.getType();
  unsigned count = node.op.getInputs().size();
  unsigned at = getIf<Statistic>(node, 0) ? 0 : 1;
  Statistic statistic = *getIf<Statistic>(node, at);
  std::optional<double> scalar = count == 2 ? getScalar(node, 1 - at) : std::nullopt;
  auto done = [&](Root root) {
    statistic.root = root;
    set(node, 0, statistic);
    return success();
  };
  if (count == 1 && type == "Sqrt" && statistic.root == Root::None)
    return done(Root::Square);
  if (count == 1 && type == "Sqrt" && statistic.root == Root::Inverse)
    return done(Root::InverseSquare);
  if ((count == 1 && type == "Reciprocal") || (type == "Div" && at == 1 && scalar == 1.0)) {
    if (statistic.root == Root::None)
      return done(Root::Inverse);
    if (statistic.root == Root::Square)
      return done(Root::InverseSquare);
  }
  if (type == "Pow" && at == 0 && statistic.root == Root::None) {
    if (scalar == 0.5)
      return done(Root::Square);
    if (scalar == -0.5)
      return done(Root::InverseSquare);
  }
  if (scalar && statistic.root == Root::None) {
    if (type == "Add")
      statistic.add += *scalar;
    else if (type == "Mul" || (type == "Div" && at == 0 && *scalar != 0)) {
      double factor = type == "Mul" ? *scalar : 1 / *scalar;
      statistic.mul *= factor;
      statistic.add *= factor;
    } else
      return fail("expected a mean to be scaled or raised by a constant");
    return done(Root::None);
  }
  if (count != 2 || !isData(node, 1 - at))
    return fail("expected a mean or root of rows to become part of a norm");

  // x − mean(x), and what is divided by a root.
  auto *normal = getIf<Normal>(node, 1 - at);
  if (type == "Sub" && at == 1 && statistic.kind == Statistic::Kind::Mean &&
      statistic.root == Root::None && statistic.add == 0 && std::fabs(statistic.mul - 1) < 1e-9) {
    std::optional<View> view = getView(node, 0);
    if (!view || !sameColumns(*view, statistic.of))
      return fail("expected the mean of the rows that it is taken from");
    set(node, 0, Normal{*view, true, std::nullopt, std::nullopt, std::nullopt});
    return success();
  }
  bool divides = (type == "Div" && at == 1 && statistic.root == Root::Square) ||
                 (type == "Mul" && statistic.root == Root::InverseSquare);
  if (!divides || statistic.kind != Statistic::Kind::MeanSquare || statistic.mul <= 0)
    return fail("expected rows to be divided by the root of their mean square");
  std::optional<View> view = normal ? std::optional(normal->of) : getView(node, 1 - at);
  if (!view)
    return failure();
  bool centered = normal && normal->centered && !normal->epsilon;
  if (!sameColumns(*view, statistic.of) || centered != statistic.centered ||
      std::fabs(statistic.mul - 1) > 1e-9)
    return fail("expected the mean square of the rows that are divided");
  set(node, 0, Normal{*view, centered, statistic.add, std::nullopt, std::nullopt});
  return success();
}

/// A vector as wide as the last axis, from a constant of the file or a computed one.
std::optional<Weight> Raiser::getVector(Node &node, unsigned i, int64_t size) {
  if (!has(node, i))
    return std::nullopt;
  const HostTensor *found = probe.get(operand(node, i));
  if (!found || found->getNumElements() != size || found->shape.empty() ||
      found->shape.back() != size)
    return std::nullopt;
  Weight weight;
  weight.shape = {size};
  if (found->constant)
    if (auto view = found->constant->reshape(size)) {
      weight.view = std::move(*view);
      return weight;
    }
  weight.values = probe.load(operand(node, i));
  return weight.values ? std::optional(weight) : std::nullopt;
}

/// Gains and biases of norms, and squares of what a mean was taken from.
LogicalResult Raiser::raiseOnNormal(Node &node, bool &handled) {
  if (node.op.getInputs().size() != 2)
    return failure();
  unsigned at = getIf<Normal>(node, 0) ? 0 : 1;
  auto *normal = getIf<Normal>(node, at);
  if (!normal)
    return failure();
  std::string type = node.getType();
  auto *other = getIf<Normal>(node, 1 - at);
  bool squares = (type == "Pow" && at == 0 && getScalar(node, 1) == 2.0) ||
                 (type == "Mul" && other && operand(node, 0) == operand(node, 1));
  if (squares && normal->centered && !normal->epsilon) {
    handled = true;
    std::vector<double> samples = getSamplePoints();
    for (double &sample : samples)
      sample *= sample;
    set(node, 0, Function{normal->of, true, std::move(samples)});
    return success();
  }
  std::optional<Weight> vector =
      isData(node, 1 - at) ? std::nullopt : getVector(node, 1 - at, normal->of.shape.back());
  if (!vector || !normal->epsilon || normal->bias)
    return failure();
  Normal result = *normal;
  if (type == "Mul" && !result.gain)
    result.gain = std::move(*vector);
  else if (type == "Add" && result.centered && result.gain)
    result.bias = std::move(*vector);
  else
    return failure();
  handled = true;
  set(node, 0, std::move(result));
  return success();
}

//===----------------------------------------------------------------------===//
// Functions of one operand
//===----------------------------------------------------------------------===//

/// A view without its common factor, and the factor.
static std::optional<double> takeFactor(View &view) {
  if (view.columns.empty())
    return std::nullopt;
  double factor = view.columns[0].first.coefficient;
  for (Column &column : view.columns) {
    if (!column.isPlain() || column.first.coefficient != factor || factor == 0)
      return std::nullopt;
    column.first.coefficient = 1;
  }
  return factor;
}

/// Where all operands are functions of the same rows, and numbers: so is the result.
LogicalResult Raiser::raiseAsFunction(Node &node, bool &handled) {
  std::vector<double> points = getSamplePoints();
  int64_t size = points.size();
  std::vector<HostTensor> samples;
  std::optional<View> of;
  bool centered = false, whole = false;
  double roundoff = 0;
  for (unsigned i = 0; i < node.op.getInputs().size(); ++i) {
    if (!has(node, i))
      return failure();
    roundoff = std::max<double>(roundoff, tensor(operand(node, i)).roundoff);
    if (!isData(node, i)) {
      std::optional<double> scalar = getScalar(node, i);
      if (!scalar)
        return failure();
      samples.push_back(HostTensor::known({}, {*scalar}, false));
      continue;
    }
    std::optional<View> view;
    if (auto *function = getIf<Function>(node, i)) {
      view = function->of;
      centered |= function->centered;
      roundoff = std::max(roundoff, function->roundoff);
      samples.push_back(HostTensor::known(size, function->samples, false));
    } else if (auto *plain = getIf<View>(node, i)) {
      view = *plain;
      std::optional<double> factor = takeFactor(*view);
      if (!factor) { // such as a rotation, which is taken as it is
        view = *plain;
        whole = true;
      }
      std::vector<double> values = points;
      for (double &value : values)
        value *= factor.value_or(1);
      samples.push_back(HostTensor::known(size, std::move(values), false));
    }
    if (!view || centered || (of && !sameColumns(*of, *view)))
      return failure();
    of = std::move(view);
  }
  Evaluation evaluation{node, {}, {}, {}};
  for (const HostTensor &sample : samples)
    evaluation.inputs.push_back(&sample);
  if (!of || !findElementwise(node.getType())(evaluation))
    return failure();
  const std::vector<double> &values = *evaluation.outputs[0].data;
  // A multiple of the rows stays a view of them.
  double factor = values[0] / points[0];
  bool linear = factor != 0 && std::isfinite(factor);
  for (auto [x, y] : llvm::zip(points, values))
    linear &= std::fabs(y - factor * x) <= 1e-12 * std::fabs(factor * x);
  if (linear && whole)
    return failure();
  handled = true;
  if (linear) {
    for (Column &column : of->columns)
      column.first.coefficient = factor;
    set(node, 0, std::move(*of));
  } else {
    set(node, 0, Function{std::move(*of), false, values, roundoff});
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Rows and constants, rows and rows
//===----------------------------------------------------------------------===//

LogicalResult Raiser::raiseWithConstant(Node &node, unsigned data) {
  std::string type = node.getType();
  Value constant = operand(node, 1 - data);
  std::optional<View> view = getView(node, data);
  if (!view)
    return failure();
  int64_t width = view->shape.empty() ? 0 : view->shape.back();
  if (type == "Add") {
    // A bias of a linear that is still held back.
    std::optional<Weight> vector = getVector(node, 1 - data, width);
    Base &base = *view->base;
    if (vector && !base.value && !base.bias &&
        width == static_cast<int64_t>(view->columns.size())) {
      int64_t begin = view->columns[0].first.column;
      for (auto [i, column] : llvm::enumerate(view->columns))
        if (!column.isPlain() || column.first.coefficient != 1 ||
            column.first.column != begin + static_cast<int64_t>(i))
          return fail("expected a bias of neighbouring columns");
      // Neighbouring rows can be had of any weight.
      std::optional<Weight> part = base.weight.takeRows(begin, width, 1);
      auto biased = std::make_shared<Base>(base.location);
      biased->width = width;
      biased->input = base.input;
      biased->weight = std::move(*part);
      biased->bias = std::move(*vector);
      biased->activation = base.activation;
      View result = *view;
      result.base = std::move(biased);
      for (auto [i, column] : llvm::enumerate(result.columns))
        column.first.column = i;
      set(node, 0, std::move(result));
      return success();
    }
    // Something that depends on positions alone.
    FailureOr<Value> positionRows = emitPositionEmbedding(constant);
    FailureOr<Value> own =
        failed(positionRows) ? FailureOr<Value>(failure()) : materializeExactly(*view);
    if (failed(own))
      return fail("expected a bias of a linear or an embedding of positions");
    Value sum = emitSum(*own, *positionRows);
    set(node, 0, makeView(sum, tensor(node.op.getResult(0)).shape));
    return success();
  }
  const HostTensor &known = tensor(constant);
  bool divides = type == "Div" && data == 0;
  if ((type != "Mul" && !divides) || !probe.load(constant))
    return fail("expected rows and a constant to be multiplied or added");
  // Factors by row and column: rotations.
  ArrayRef<int64_t> shape = tensor(node.op.getResult(0)).shape;
  if (shape != ArrayRef(view->shape) || view->rowsAxis < 0)
    return fail("expected a constant that broadcasts to the rows");
  std::vector<int64_t> indices = getBroadcastIndices(known.shape, shape);
  work += indices.size();
  int64_t count = shape[view->rowsAxis];
  int64_t inner = getProduct(shape.drop_front(view->rowsAxis + 1));
  int64_t lastSize = known.shape.empty() ? 1 : known.shape.back();
  View result = *view;
  for (auto [i, column] : llvm::enumerate(result.columns)) {
    int64_t first = i / inner * count * inner + i % inner;
    std::vector<double> values(count);
    bool varies = false;
    for (int64_t row = 0; row < count; ++row) {
      values[row] = known[indices[first + row * inner]];
      if (divides)
        values[row] = 1 / values[row];
      varies |= values[row] != values[0];
    }
    if (!varies) {
      column.first.coefficient *= values[0];
      column.second.coefficient *= values[0];
      continue;
    }
    if (!column.isPlain() || divides)
      return fail("expected rows that are multiplied by positions once");
    column.first.factor =
        addFactor({constant, indices[first] % lastSize, std::move(values), known.roundoff});
  }
  set(node, 0, std::move(result));
  return success();
}

LogicalResult Raiser::raiseBinary(Node &node) {
  std::string type = node.getType();
  ArrayRef<int64_t> shape = tensor(node.op.getResult(0)).shape;
  if (type == "Mul") {
    for (unsigned i : {0u, 1u}) {
      auto *function = getIf<Function>(node, i);
      std::optional<Nonlinearity> known = function ? recognizeFunction(*function) : std::nullopt;
      if (!known)
        continue;
      std::optional<View> up = getView(node, 1 - i);
      if (!up)
        return failure();
      if (ArrayRef(up->shape) != ArrayRef(function->of.shape))
        return fail("expected a gate of the shape of what it gates");
      FailureOr<Value> gateRows = materializeExactly(function->of);
      FailureOr<Value> upRows = failed(gateRows) ? gateRows : materializeExactly(*up);
      if (failed(upRows))
        return failure();
      Value gated =
          GateOp::create(builder, location, upRows->getType(),
                         NonlinearityAttr::get(builder.getContext(), *known), *gateRows, *upRows);
      View result = *up;
      result.base = std::make_shared<Base>(location);
      result.base->value = gated;
      result.base->width = up->columns.size();
      for (auto [c, column] : llvm::enumerate(result.columns))
        column = {{static_cast<int32_t>(c), -1, 1}, {}};
      set(node, 0, std::move(result));
      return success();
    }
    return fail("expected a gate: relu, silu or a gelu times rows");
  }
  if (type != "Add" && type != "Sub")
    return fail("expected two matrices of rows to be added");
  std::optional<View> left = getView(node, 0), right = getView(node, 1);
  if (!left || !right)
    return failure();
  if (ArrayRef(left->shape) != shape || ArrayRef(right->shape) != shape)
    return fail("expected rows of one shape");
  double sign = type == "Add" ? 1 : -1;
  // Two terms of a rotation.
  if (left->base == right->base && left->past == right->past && left->rowsAxis == right->rowsAxis) {
    for (auto [a, b] : llvm::zip(left->columns, right->columns)) {
      if (a.second.column >= 0 || b.second.column >= 0)
        return fail("expected two terms of a rotation");
      a.second = b.first;
      a.second.coefficient *= sign;
    }
    set(node, 0, std::move(*left));
    return success();
  }
  if (type == "Sub")
    return fail("expected two matrices of rows to be added");
  FailureOr<Value> a = materializeExactly(*left);
  FailureOr<Value> b = failed(a) ? a : materializeExactly(*right);
  if (failed(b))
    return failure();
  if (a->getType() != b->getType() || left->rowsAxis != right->rowsAxis)
    return fail("expected rows of one width");
  View result = *left;
  result.base = std::make_shared<Base>(location);
  result.base->value = emitSum(*a, *b);
  result.base->width = left->columns.size();
  for (auto [c, column] : llvm::enumerate(result.columns))
    column = {{static_cast<int32_t>(c), -1, 1}, {}};
  set(node, 0, std::move(result));
  return success();
}
