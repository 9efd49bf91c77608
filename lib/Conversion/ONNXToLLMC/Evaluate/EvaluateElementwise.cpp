//===- EvaluateElementwise.cpp - operators on one element at a time ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluate/Evaluate.h"
#include "Evaluate/Operator.h"
#include "Raise/Matchers.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace llmc;

using Unary = double (*)(double);
using Binary = double (*)(double, double);

/// Applies f to each element.
template <Unary f, bool isInteger = false>
static bool evaluateUnary(Evaluation &evaluation) {
  const HostTensor &input = evaluation.in(0);
  if (!input.isKnown()) {
    evaluation.outputs.push_back(HostTensor::unknown(input.shape, isInteger));
    return true;
  }
  std::vector<double> values(*input.data);
  for (double &value : values)
    value = f(value);
  evaluation.outputs.push_back(
      HostTensor::known(input.shape, std::move(values), isInteger || input.isInteger));
  return true;
}

/// Applies f to elements that broadcasting brings together, input by input.
static bool applyBinary(Evaluation &evaluation, Binary f, bool isInteger) {
  HostTensor result = evaluation.in(0);
  for (const HostTensor *next : llvm::drop_begin(evaluation.inputs)) {
    if (!next)
      return evaluation.fail("expected all inputs to be given");
    auto shape = broadcastShapes(result.shape, next->shape);
    if (!shape)
      return evaluation.fail("expected shapes that broadcast");
    int64_t count = getProduct(*shape);
    bool integer = isInteger || (result.isInteger && next->isInteger);
    if (!result.isKnown() || !next->isKnown() || evaluation.leavesOut(count)) {
      result = HostTensor::unknown(*shape, integer);
      continue;
    }
    if (count < 0 || count > maxEvaluatedElements)
      return evaluation.fail("expected a smaller result, found " + Twine(count) + " elements");
    std::vector<int64_t> left = getBroadcastIndices(result.shape, *shape);
    std::vector<int64_t> right = getBroadcastIndices(next->shape, *shape);
    std::vector<double> values(count);
    for (int64_t i = 0; i < count; ++i)
      values[i] = f(result[left[i]], (*next)[right[i]]);
    result = HostTensor::known(*shape, std::move(values), integer);
  }
  result.constant.reset();
  evaluation.outputs.push_back(std::move(result));
  return true;
}

template <Binary f, bool isInteger = false>
static bool evaluateBinary(Evaluation &evaluation) {
  return applyBinary(evaluation, f, isInteger);
}

static bool evaluateDiv(Evaluation &evaluation) {
  bool integer = evaluation.in(0).isInteger && evaluation.in(1).isInteger;
  if (!integer)
    return applyBinary(evaluation, [](double a, double b) { return a / b; }, false);
  if (evaluation.in(1).isKnown() && llvm::is_contained(*evaluation.in(1).data, 0.0))
    return evaluation.fail("an integer is divided by 0");
  return applyBinary(evaluation, [](double a, double b) { return std::trunc(a / b); }, true);
}

/// The remainder has the sign of the divisor, or with `fmod` that of the dividend.
static bool evaluateMod(Evaluation &evaluation) {
  if (evaluation.in(1).isKnown() && evaluation.in(0).isInteger &&
      llvm::is_contained(*evaluation.in(1).data, 0.0))
    return evaluation.fail("an integer is divided by 0");
  if (evaluation.node.getInt("fmod", 0) != 0)
    return applyBinary(evaluation, [](double a, double b) { return std::fmod(a, b); }, false);
  return applyBinary(
      evaluation, [](double a, double b) { return a - b * std::floor(a / b); }, false);
}

static bool evaluateWhere(Evaluation &evaluation) {
  const HostTensor &condition = evaluation.in(0), &yes = evaluation.in(1), &no = evaluation.in(2);
  auto shape = broadcastShapes(yes.shape, no.shape);
  shape = shape ? broadcastShapes(*shape, condition.shape) : shape;
  if (!shape)
    return evaluation.fail("expected shapes that broadcast");
  int64_t count = getProduct(*shape);
  if (!evaluation.allKnown() || evaluation.leavesOut(count)) {
    evaluation.outputs.push_back(HostTensor::unknown(*shape, yes.isInteger));
    return true;
  }
  if (count < 0 || count > maxEvaluatedElements)
    return evaluation.fail("expected a smaller result, found " + Twine(count) + " elements");
  std::vector<int64_t> conditions = getBroadcastIndices(condition.shape, *shape);
  std::vector<int64_t> left = getBroadcastIndices(yes.shape, *shape);
  std::vector<int64_t> right = getBroadcastIndices(no.shape, *shape);
  std::vector<double> values(count);
  for (int64_t i = 0; i < count; ++i)
    values[i] = condition[conditions[i]] != 0 ? yes[left[i]] : no[right[i]];
  evaluation.outputs.push_back(HostTensor::known(*shape, std::move(values), yes.isInteger));
  return true;
}

static bool evaluateClip(Evaluation &evaluation) {
  const HostTensor &input = evaluation.in(0);
  if (!evaluation.allKnown()) {
    evaluation.outputs.push_back(HostTensor::unknown(input.shape, input.isInteger));
    return true;
  }
  std::vector<double> values(*input.data);
  for (double &value : values) {
    if (evaluation.has(1) && evaluation.in(1).getNumElements() == 1)
      value = std::max(value, evaluation.in(1)[0]);
    if (evaluation.has(2) && evaluation.in(2).getNumElements() == 1)
      value = std::min(value, evaluation.in(2)[0]);
  }
  evaluation.outputs.push_back(HostTensor::known(input.shape, std::move(values), input.isInteger));
  return true;
}

static double negate(double x) { return -x; }
static double absolute(double x) { return std::fabs(x); }
static double reciprocal(double x) { return 1 / x; }
static double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
static double roundEven(double x) { return std::nearbyint(x); }
static double sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }
static double relu(double x) { return x > 0 ? x : 0; }
static double softplus(double x) { return std::log1p(std::exp(x)); }
static double hardSwish(double x) { return x * std::clamp(x / 6 + 0.5, 0.0, 1.0); }
static double logicalNot(double x) { return x == 0; }
static double isNan(double x) { return std::isnan(x); }
static double isInf(double x) { return std::isinf(x); }
static double squareRoot(double x) { return std::sqrt(x); }
static double exponential(double x) { return std::exp(x); }
static double logarithm(double x) { return std::log(x); }
static double cosine(double x) { return std::cos(x); }
static double sine(double x) { return std::sin(x); }
static double hyperbolicTangent(double x) { return std::tanh(x); }
static double errorFunction(double x) { return std::erf(x); }
static double roundDown(double x) { return std::floor(x); }
static double roundUp(double x) { return std::ceil(x); }

static double add(double a, double b) { return a + b; }
static double subtract(double a, double b) { return a - b; }
static double multiply(double a, double b) { return a * b; }
static double power(double a, double b) { return std::pow(a, b); }
static double larger(double a, double b) { return std::max(a, b); }
static double smaller(double a, double b) { return std::min(a, b); }
static double equal(double a, double b) { return a == b; }
static double less(double a, double b) { return a < b; }
static double lessOrEqual(double a, double b) { return a <= b; }
static double greater(double a, double b) { return a > b; }
static double greaterOrEqual(double a, double b) { return a >= b; }
static double logicalAnd(double a, double b) { return a != 0 && b != 0; }
static double logicalOr(double a, double b) { return a != 0 || b != 0; }
static double logicalXor(double a, double b) { return (a != 0) != (b != 0); }

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

static Operator unary(const char *name, int64_t first, EvaluateFunction function) {
  return Operator::onnx(name, first)
      .takes({"X"})
      .elementwise()
      .evaluatedBy(function)
      .raisedBy(raiseElementwise);
}

static Operator binary(const char *name, int64_t first, EvaluateFunction function) {
  return Operator::onnx(name, first)
      .takes({"A", "B"})
      .elementwise()
      .evaluatedBy(function)
      .raisedBy(raiseElementwise);
}

ArrayRef<Operator> llmc::getElementwiseOperators() {
  static const Operator rows[] = {
      unary("Neg", 6, evaluateUnary<negate>),
      unary("Abs", 6, evaluateUnary<absolute>),
      unary("Reciprocal", 6, evaluateUnary<reciprocal>),
      unary("Sigmoid", 6, evaluateUnary<sigmoid>),
      unary("Sqrt", 6, evaluateUnary<squareRoot>),
      unary("Exp", 6, evaluateUnary<exponential>),
      unary("Log", 6, evaluateUnary<logarithm>),
      unary("Cos", 7, evaluateUnary<cosine>),
      unary("Sin", 7, evaluateUnary<sine>),
      unary("Tanh", 6, evaluateUnary<hyperbolicTangent>),
      unary("Erf", 9, evaluateUnary<errorFunction>),
      unary("Floor", 6, evaluateUnary<roundDown>),
      unary("Ceil", 6, evaluateUnary<roundUp>),
      unary("Round", 11, evaluateUnary<roundEven>),
      unary("Sign", 9, evaluateUnary<sign>),
      unary("Relu", 6, evaluateUnary<relu>),
      unary("Softplus", 1, evaluateUnary<softplus>),
      unary("HardSwish", 14, evaluateUnary<hardSwish>),
      unary("Not", 1, evaluateUnary<logicalNot, true>),
      unary("IsNaN", 9, evaluateUnary<isNan, true>).raisedBy(raiseIsNaN),
      unary("IsInf", 10, evaluateUnary<isInf, true>)
          .reads({"detect_negative=1", "detect_positive=1"}),
      binary("Add", 7, evaluateBinary<add>),
      binary("Sub", 7, evaluateBinary<subtract>),
      binary("Mul", 7, evaluateBinary<multiply>),
      binary("Div", 7, evaluateDiv),
      binary("Pow", 7, evaluateBinary<power>),
      binary("Mod", 10, evaluateMod).reads({"fmod=0|1"}),
      Operator::onnx("Max", 8)
          .takes({"data_0..."})
          .elementwise()
          .evaluatedBy(evaluateBinary<larger>)
          .raisedBy(raiseElementwise),
      Operator::onnx("Min", 8)
          .takes({"data_0..."})
          .elementwise()
          .evaluatedBy(evaluateBinary<smaller>)
          .raisedBy(raiseElementwise),
      binary("Equal", 7, evaluateBinary<equal, true>),
      binary("Less", 7, evaluateBinary<less, true>),
      binary("LessOrEqual", 12, evaluateBinary<lessOrEqual, true>),
      binary("Greater", 7, evaluateBinary<greater, true>),
      binary("GreaterOrEqual", 12, evaluateBinary<greaterOrEqual, true>),
      binary("And", 7, evaluateBinary<logicalAnd, true>),
      binary("Or", 7, evaluateBinary<logicalOr, true>),
      binary("Xor", 7, evaluateBinary<logicalXor, true>),
      Operator::onnx("Where", 9)
          .takes({"condition", "X", "Y"})
          .elementwise()
          .evaluatedBy(evaluateWhere)
          .raisedBy(raiseElementwise),
      Operator::onnx("Clip", 11)
          .takes({"input", "min?", "max?"})
          .elementwise()
          .evaluatedBy(evaluateClip)
          .raisedBy(raiseElementwise),
  };
  return rows;
}
