//===- Functions.cpp - functions of each element ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raise/Functions.h"
#include "Raise/Elementwise.h"
#include "Raise/Emission.h"
#include "Raise/Matchers.h"
#include "Raise/Raise.h"
#include "llmc/Dialect/LLMC/IR/Nonlinearities.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

//===----------------------------------------------------------------------===//
// What a function is
//===----------------------------------------------------------------------===//

std::vector<double> llmc::getSamplePoints() {
  std::vector<double> points;
  for (int i = -64; i <= 64; ++i)
    points.push_back(i / 8.0 + 0.01);
  for (int i = 0; i < 10; ++i) {
    double far = 12 * std::pow(1.5, i);
    points.insert(points.begin(), -far);
    points.push_back(far);
  }
  return points;
}

/// Functions of nothing but their operand.
static SmallVector<Nonlinearity> getKnownFunctions() {
  SmallVector<Nonlinearity> known;
  for (uint32_t number = 0; number <= getMaxEnumValForNonlinearity(); ++number) {
    std::optional<Nonlinearity> function = symbolizeNonlinearity(number);
    // These come with factors, and with bounds.
    if (function && *function != Nonlinearity::Tanh && *function != Nonlinearity::HardTanh)
      known.push_back(*function);
  }
  return known;
}

std::optional<Nonlinearity> llmc::recognizeFunction(const Function &function) {
  if (function.centered)
    return std::nullopt;
  std::vector<double> points = getSamplePoints();
  // The nearest one: constants in fp16 or bf16 leave room for two gelus.
  std::optional<Nonlinearity> nearest;
  double least = 1e-6 + 2 * function.roundoff;
  for (Nonlinearity known : getKnownFunctions()) {
    double distance = 0;
    for (auto [x, y] : llvm::zip(points, function.samples)) {
      double error = std::fabs(applyNonlinearity(known, x) - y) / (1 + std::fabs(x));
      // What is no number is far from everything.
      distance = error <= distance ? distance : std::isnan(error) ? INFINITY : error;
    }
    if (distance <= least) {
      nearest = known;
      least = distance;
    }
  }
  return nearest;
}

/// Whether a function is relu(x)², as Nemotron and other models have it.
static bool isSquaredRelu(const Function &function) {
  bool same = !function.centered;
  for (auto [x, y] : llvm::zip(getSamplePoints(), function.samples))
    same &= std::fabs(y - (x > 0 ? x * x : 0)) <= 1e-6 * (1 + x * x);
  return same;
}

/// a and b where a function is a · tanh(b · x), as Gemma 2 bounds its logits.
static std::optional<std::pair<double, double>> recognizeTanh(const Function &function) {
  std::vector<double> points = getSamplePoints();
  // How much larger it is far out than near 0 says b: the ratio falls from that of the points to 1.
  size_t near = llvm::lower_bound(points, 0.0) - points.begin();
  double x = points[near], far = points.back();
  double ratio = function.samples.back() / function.samples[near];
  if (function.centered || !(ratio > 1 && ratio < far / x))
    return std::nullopt;
  // Outside these it bends where there are too few points to tell it from other functions.
  const double least = 0.5 / far, most = 5;
  double low = least, high = most;
  for (int step = 0; step < 100; ++step) {
    double middle = std::sqrt(low * high);
    (std::tanh(middle * far) / std::tanh(middle * x) > ratio ? low : high) = middle;
  }
  double scale = function.samples[near] / std::tanh(low * x);
  if (low < 1.01 * least || low > 0.99 * most)
    return std::nullopt;
  // Constants that were rounded are those of the function, however they were meant.
  for (auto [point, y] : llvm::zip(points, function.samples))
    if (!(std::fabs(scale * std::tanh(low * point) - y) <=
          1e-7 * std::fabs(scale) * std::min(1.0, std::fabs(low * point))))
      return std::nullopt;
  return std::pair(scale, low);
}

//===----------------------------------------------------------------------===//
// Functions of rows
//===----------------------------------------------------------------------===//

/// A function that is none of the dialect's.
static FailureOr<Value> emitFormulaOf(Raise &raise, Value input, const Function &function) {
  std::string unknown = function.formula ? function.formula->findUnknown() : "";
  if (!function.centered && function.formula && unknown.empty())
    return function.formula->emit(raise.builder, raise.location, input);
  std::string names;
  for (Nonlinearity known : getKnownFunctions())
    names += stringifyNonlinearity(known).str() + ", ";
  std::string found = unknown.empty() ? "another function of its operand" : unknown;
  return raise.fail("expected one of " + names +
                    "relu squared, a tanh or what plain operators compute of each element, found " +
                    found);
}

/// The operations of a function's value for rows of it.
static FailureOr<Value> emitFunctionOf(Raise &raise, Value input, const Function &function) {
  auto name = [&](Nonlinearity known) {
    return NonlinearityAttr::get(raise.builder.getContext(), known);
  };
  Type type = input.getType();
  if (std::optional<Nonlinearity> known = recognizeFunction(function))
    return ActivationOp::create(raise.builder, raise.location, type, name(*known), input)
        .getResult();
  if (isSquaredRelu(function)) // relu(x)² is relu(x) · x
    return GateOp::create(raise.builder, raise.location, type, name(Nonlinearity::Relu), input,
                          input)
        .getResult();
  auto tanh = recognizeTanh(function);
  if (!tanh)
    return emitFormulaOf(raise, input, function);
  auto scale = [&](Value value, double factor) -> Value {
    auto rounded = static_cast<float>(factor);
    return rounded == 1 ? value
                        : ScaleOp::create(raise.builder, raise.location, type, value,
                                          raise.builder.getF32FloatAttr(rounded));
  };
  Value inner = scale(input, tanh->second);
  inner =
      ActivationOp::create(raise.builder, raise.location, type, name(Nonlinearity::Tanh), inner);
  return scale(inner, tanh->first);
}

FailureOr<View> Function::toRows(Raise &raise) const {
  FailureOr<Value> input = materializeExactly(raise, of);
  FailureOr<Value> value = failed(input) ? input : emitFunctionOf(raise, *input, *this);
  if (failed(value))
    return failure();
  return of.over(*value, raise.location);
}

/// Rows as a function of themselves: a factor of all columns. Where they have none, as in a
/// rotation, they are taken as they are, and `whole` is set.
static Function makeIdentity(const View &view, bool &whole) {
  Function result;
  result.of = view;
  std::optional<double> factor = takeFactor(result.of);
  if (!factor) {
    result.of = view;
    whole = true;
  }
  result.samples = getSamplePoints();
  for (double &sample : result.samples)
    sample *= factor.value_or(1);
  result.formula = FunctionFormula::makeOperand(factor.value_or(1));
  return result;
}

FailureOr<Function> llmc::keepSign(Raise &raise, const Meaning &meaning, bool positive) {
  Function result;
  if (const auto *function = dyn_cast<Function>(&meaning)) {
    result = *function;
  } else {
    const auto *plain = dyn_cast<View>(&meaning);
    FailureOr<View> view = plain ? FailureOr<View>(*plain) : meaning.toRows(raise);
    if (failed(view))
      return failure();
    bool whole = false;
    result = makeIdentity(*view, whole);
  }
  for (double &sample : result.samples)
    sample = positive ? std::max(sample, 0.0) : std::min(sample, 0.0);
  result.formula = FunctionFormula::apply(positive ? "Max" : "Min",
                                          {result.formula, FunctionFormula::makeNumber(0)});
  return result;
}

std::optional<LogicalResult> llmc::raiseAsFunction(Raise &raise, Node &node) {
  std::vector<double> points = getSamplePoints();
  int64_t size = points.size();
  std::vector<HostTensor> samples;
  SmallVector<FunctionFormula::Ptr> formulas;
  std::optional<View> of;
  bool centered = false, whole = false;
  double roundoff = 0;
  for (unsigned i = 0; i < node.op.getInputs().size(); ++i) {
    if (!raise.has(node, i))
      return std::nullopt;
    roundoff = std::max<double>(roundoff, raise.getTensor(node, i).roundoff);
    if (!raise.isData(node, i)) {
      std::optional<double> scalar = raise.getScalar(node, i);
      if (!scalar)
        return std::nullopt;
      samples.push_back(HostTensor::known({}, {*scalar}, false));
      formulas.push_back(FunctionFormula::makeNumber(*scalar));
      continue;
    }
    std::optional<View> view;
    if (auto *function = raise.getIf<Function>(node, i)) {
      view = function->of;
      centered |= function->centered;
      roundoff = std::max(roundoff, function->roundoff);
      samples.push_back(HostTensor::known(size, function->samples, false));
      formulas.push_back(function->formula);
    } else if (auto *plain = raise.getIf<View>(node, i)) {
      Function identity = makeIdentity(*plain, whole);
      view = std::move(identity.of);
      samples.push_back(HostTensor::known(size, std::move(identity.samples), false));
      formulas.push_back(std::move(identity.formula));
    }
    if (!view || centered || (of && !sameColumns(*of, *view)))
      return std::nullopt;
    of = std::move(view);
  }
  Evaluation evaluation{node, {}, {}, {}};
  for (const HostTensor &sample : samples)
    evaluation.inputs.push_back(&sample);
  EvaluateFunction evaluate = findElementwise(node.getType());
  if (!of || !evaluate || !evaluate(evaluation) || evaluation.outputs.empty() ||
      !evaluation.outputs[0].isKnown() || evaluation.outputs[0].getNumElements() != size)
    return std::nullopt;
  const std::vector<double> &values = *evaluation.outputs[0].data;
  // A multiple of the rows stays a view of them.
  double factor = values[0] / points[0];
  bool linear = factor != 0 && std::isfinite(factor);
  for (auto [x, y] : llvm::zip(points, values))
    linear &= std::fabs(y - factor * x) <= 1e-12 * std::fabs(factor * x);
  if (linear && whole)
    return std::nullopt;
  // What bends farther out than where it was sampled is not linear.
  std::string type = node.getType();
  if (linear && (type == "Clip" || type == "Min" || type == "Max" || type == "Where"))
    return raise.fail("expected bounds of at most ±" + std::to_string(points.back()));
  if (linear) {
    for (Column &column : of->columns)
      column.first.coefficient = factor;
    raise.set(node, 0, std::move(*of));
  } else {
    Function function;
    function.of = std::move(*of);
    function.samples = values;
    function.roundoff = roundoff;
    function.formula = FunctionFormula::apply(type, formulas);
    raise.set(node, 0, std::move(function));
  }
  return success();
}

/// Rows times a nonlinearity of others, which is operand `at`.
static LogicalResult raiseGate(Raise &raise, Node &node, const Function &function, unsigned at,
                               Nonlinearity known) {
  std::optional<View> up = raise.getView(node, 1 - at);
  if (!up)
    return failure();
  if (ArrayRef(up->shape) != ArrayRef(function.of.shape))
    return raise.fail("expected a gate of the shape of what it gates");
  FailureOr<Value> gateRows = materializeExactly(raise, function.of);
  FailureOr<Value> upRows = failed(gateRows) ? gateRows : materializeExactly(raise, *up);
  if (failed(upRows))
    return failure();
  Value gated =
      GateOp::create(raise.builder, raise.location, upRows->getType(),
                     NonlinearityAttr::get(raise.builder.getContext(), known), *gateRows, *upRows);
  raise.set(node, 0, up->over(gated, raise.location));
  return success();
}

std::optional<LogicalResult> Function::raiseUse(Raise &raise, Node &node) const {
  if (!isElementwise(node))
    return std::nullopt;
  if (std::optional<LogicalResult> result = raiseAsFunction(raise, node))
    return result;
  if (node.getType() != "Mul" || !raise.isData(node, 0) || !raise.isData(node, 1))
    return std::nullopt;
  unsigned at = raise.getIf<Function>(node, 0) == this ? 0 : 1;
  if (std::optional<Nonlinearity> known = recognizeFunction(*this))
    return raiseGate(raise, node, *this, at, *known);
  return std::nullopt;
}
