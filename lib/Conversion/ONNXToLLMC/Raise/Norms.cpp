//===- Norms.cpp - means of rows, and norms by them ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raise/Norms.h"
#include "Raise/Elementwise.h"
#include "Raise/Emission.h"
#include "Raise/Functions.h"
#include "Raise/Matchers.h"
#include "Raise/Movement.h"
#include "Raise/Raise.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

//===----------------------------------------------------------------------===//
// Means and roots of rows
//===----------------------------------------------------------------------===//

LogicalResult llmc::raiseReduction(Raise &raise, Node &node) {
  ArrayRef<int64_t> shape = raise.getShape(node, 0);
  Evaluation evaluation = raise.getEvaluation(node);
  auto axes = evaluation.integers("axes", 1);
  if (!axes || axes->size() != 1 ||
      normalizeAxis(axes->front(), shape.size()) != static_cast<int64_t>(shape.size()) - 1)
    return raise.fail("expected a reduction over the last axis");
  Statistic statistic;
  std::string type = node.getType();
  double size = shape.back();
  if (auto *function = raise.getIf<Function>(node, 0)) {
    std::vector<double> points = getSamplePoints();
    double square = function->samples[0] / (points[0] * points[0]);
    for (auto [x, y] : llvm::zip(points, function->samples))
      if (!(std::fabs(y - square * x * x) <= 1e-9 * (1 + square * x * x)))
        return raise.fail("expected the mean of rows or of their squares");
    statistic.kind = Statistic::Kind::MeanSquare;
    statistic.of = function->of;
    // Of rows that were scaled: a function is said of the rows before.
    for (Column &column : statistic.of.columns)
      column.first.coefficient *= std::sqrt(square);
    statistic.centered = function->centered;
  } else {
    std::optional<View> view = raise.getRows(node, 0);
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
    return raise.fail("expected a reduction over columns");
  raise.set(node, 0, std::move(statistic));
  return success();
}

static LogicalResult raiseOnStatistic(Raise &raise, Node &node, Statistic statistic) {
  using Root = Statistic::Root;
  std::string type = node.getType();
  unsigned count = node.op.getInputs().size();
  unsigned at = raise.getIf<Statistic>(node, 0) ? 0 : 1;
  std::optional<double> scalar = count == 2 ? raise.getScalar(node, 1 - at) : std::nullopt;
  auto done = [&](Root root) {
    statistic.root = root;
    raise.set(node, 0, statistic);
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
      return raise.fail("expected a mean to be scaled or raised by a constant");
    return done(Root::None);
  }
  if (count != 2 || !raise.isData(node, 1 - at))
    return raise.fail("expected a mean or root of rows to become part of a norm");

  // x − mean(x), and what is divided by a root.
  auto *normal = raise.getIf<Normal>(node, 1 - at);
  if (type == "Sub" && at == 1 && statistic.kind == Statistic::Kind::Mean &&
      statistic.root == Root::None && statistic.add == 0 && std::fabs(statistic.mul - 1) < 1e-9) {
    std::optional<View> view = raise.getView(node, 0);
    if (!view || !sameColumns(*view, statistic.of))
      return raise.fail("expected the mean of the rows that it is taken from");
    raise.set(node, 0, Normal(*view, true, std::nullopt));
    return success();
  }
  bool divides = (type == "Div" && at == 1 && statistic.root == Root::Square) ||
                 (type == "Mul" && statistic.root == Root::InverseSquare);
  if (!divides || statistic.kind != Statistic::Kind::MeanSquare || statistic.mul <= 0)
    return raise.fail("expected rows to be divided by the root of their mean square");
  std::optional<View> view = normal ? std::optional(normal->of) : raise.getView(node, 1 - at);
  if (!view)
    return failure();
  bool centered = normal && normal->centered && !normal->epsilon;
  if (!sameColumns(*view, statistic.of) || centered != statistic.centered ||
      std::fabs(statistic.mul - 1) > 1e-9)
    return raise.fail("expected the mean square of the rows that are divided");
  raise.set(node, 0, Normal(*view, centered, statistic.add));
  return success();
}

std::optional<LogicalResult> Statistic::raiseUse(Raise &raise, Node &node) const {
  if (onlyMoves(node) && raise.getIf<Statistic>(node, 0) == this)
    return keepMeaning(raise, node);
  if (!isElementwise(node))
    return std::nullopt;
  if (node.op.getInputs().size() > 2)
    return raise.fail("expected a mean or root of rows to become part of a norm");
  return raiseOnStatistic(raise, node, *this);
}

//===----------------------------------------------------------------------===//
// Norms
//===----------------------------------------------------------------------===//

FailureOr<View> Normal::toRows(Raise &raise) const {
  if (!epsilon)
    return raise.fail("expected the difference to the mean to be divided by a deviation");
  FailureOr<Value> input = materializeExactly(raise, of);
  if (failed(input))
    return failure();
  int64_t width = of.columns.size(), size = of.shape.back();
  OpBuilder &builder = raise.builder;
  auto makeOnes = [&] {
    Weight ones;
    ones.shape = {size};
    ones.values = std::make_shared<const std::vector<double>>(size, 1.0);
    return ones;
  };
  Value gains = raise.parameters.get(builder, raise.location, gain ? *gain : makeOnes());
  Value biases = bias ? raise.parameters.get(builder, raise.location, *bias) : Value();
  if (!gains || (bias && !biases))
    return raise.fail("cannot read its gain or bias");
  FloatAttr smallest = builder.getF32FloatAttr(static_cast<float>(*epsilon));
  if (!centered) {
    Value result = RMSNormOp::create(builder, raise.location, input->getType(), *input, gains,
                                     smallest, builder.getI64IntegerAttr(width / size));
    return of.over(result, raise.location);
  }
  if (size != width)
    return raise.fail("expected a layer norm over whole rows");
  Value result = LayerNormOp::create(builder, raise.location, input->getType(), *input, gains,
                                     biases, smallest);
  return of.over(result, raise.location);
}

/// Gains and biases of norms, and squares of what a mean was taken from.
std::optional<LogicalResult> Normal::raiseUse(Raise &raise, Node &node) const {
  if (!isElementwise(node))
    return std::nullopt;
  if (node.op.getInputs().size() != 2)
    return std::nullopt;
  unsigned at = raise.getIf<Normal>(node, 0) ? 0 : 1;
  std::string type = node.getType();
  auto *other = raise.getIf<Normal>(node, 1 - at);
  bool squares = (type == "Pow" && at == 0 && raise.getScalar(node, 1) == 2.0) ||
                 (type == "Mul" && other && raise.getOperand(node, 0) == raise.getOperand(node, 1));
  if (squares && centered && !epsilon) {
    std::vector<double> samples = getSamplePoints();
    for (double &sample : samples)
      sample *= sample;
    Function function;
    function.of = of;
    function.centered = true;
    function.samples = std::move(samples);
    raise.set(node, 0, std::move(function));
    return success();
  }
  std::optional<Weight> vector =
      raise.isData(node, 1 - at) ? std::nullopt : raise.getVector(node, 1 - at, of.shape.back());
  if (!vector || !epsilon || bias)
    return std::nullopt;
  Normal result = *this;
  if (type == "Mul" && !result.gain)
    result.gain = std::move(*vector);
  else if (type == "Add" && result.centered && result.gain)
    result.bias = std::move(*vector);
  else
    return std::nullopt;
  raise.set(node, 0, std::move(result));
  return success();
}
