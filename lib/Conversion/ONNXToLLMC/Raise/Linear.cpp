//===- Linear.cpp - rows times constant matrices ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raise/Linear.h"
#include "Raise/Emission.h"
#include "Raise/Matchers.h"
#include "Raise/Raise.h"
#include "Raise/Scores.h"
#include "Raise/StaticRounding.h"

using namespace mlir;
using namespace llmc;

/// Constant scales of a DequantizeLinear, and what all of them are multiplied by.
struct Scales {
  ConstantView scales;
  std::optional<ConstantView> matrix;
};

/// Constants, powers of two that a Cast makes floats of, or what another DequantizeLinear makes of
/// floats of 8 bits and one scale.
static std::optional<Scales> getScales(Raise &raise, Value value) {
  if (const HostTensor &found = raise.getTensor(value); found.constant)
    return Scales{*found.constant, std::nullopt};
  auto op = raise.probe.resolve(value).getDefiningOp<carrier::NodeOp>();
  if (!op)
    return std::nullopt;
  Node node(op);
  std::optional<ConstantView> codes = raise.getConstant(node, 0);
  if (!codes)
    return std::nullopt;
  constexpr int64_t toFloat = 1; // of TensorProto::DataType
  if (node.getType() == "Cast" && isa<Float8E8M0FNUType>(codes->element) &&
      node.getInt("to", 0) == toFloat)
    return Scales{std::move(*codes), std::nullopt};
  std::optional<ConstantView> matrix = raise.getConstant(node, 1);
  if (node.getType() != "DequantizeLinear" || !matrix || raise.has(node, 2) ||
      !isa<Float8E4M3FNType>(codes->element))
    return std::nullopt;
  return Scales{std::move(*codes), std::move(matrix)};
}

/// A matrix that DequantizeLinear computes from constants, seen through what only moves it.
static std::optional<Dequantized> getDequantized(Raise &raise, Value value) {
  value = raise.probe.resolve(value);
  auto op = value.getDefiningOp<carrier::NodeOp>();
  if (!op || op.getInputs().empty())
    return std::nullopt;
  Node node(op);
  std::string type = node.getType();
  bool keeps = type == "Identity" || (type == "Cast" && !raise.getTensor(value).isInteger);
  if (keeps || type == "Transpose") {
    std::optional<Dequantized> found = getDequantized(raise, op.getInputs()[0]);
    if (!found || keeps || node.getInts("perm") == ArrayRef<int64_t>({0, 1}))
      return found;
    return found->transpose();
  }
  if (type != "DequantizeLinear")
    return std::nullopt;
  std::optional<ConstantView> codes = raise.getConstant(node, 0),
                              zeros = raise.getConstant(node, 2);
  std::optional<Scales> scales = getScales(raise, raise.getOperand(node, 1));
  if (!codes || !scales || (raise.has(node, 2) && !zeros))
    return std::nullopt;
  return Dequantized::get(std::move(*codes), std::move(scales->scales), std::move(zeros),
                          node.getInt("axis", 1), node.getInt("block_size", 0),
                          std::move(scales->matrix));
}

LogicalResult llmc::settle(Raise &raise, Weight &weight) {
  if (!weight.dequantized || weight.dequantized->hasEncoding())
    return success();
  // Large matrices are decoded when they are written, row by row.
  if (weight.dequantized->rowBlock == 1 &&
      weight.dequantized->codes.getNumElements() > maxEvaluatedElements)
    return success();
  std::optional<std::vector<double>> values = weight.dequantized->load();
  if (!values)
    return raise.fail("cannot compute weights whose scales are not shared along the inputs");
  weight.values = std::make_shared<const std::vector<double>>(std::move(*values));
  weight.dequantized.reset();
  return success();
}

std::optional<Weight> llmc::getMatrix(Raise &raise, const Node &node, unsigned i) {
  const HostTensor &found = raise.getTensor(node, i);
  if (found.shape.size() != 2)
    return std::nullopt;
  Weight weight;
  weight.shape = found.shape;
  weight.dequantized = getDequantized(raise, raise.getOperand(node, i));
  if (weight.dequantized)
    return weight;
  if (found.constant) {
    weight.view = *found.constant;
  } else if (found.data) {
    weight.values = found.data;
    raise.lengths.addFixed(raise.getOperand(node, i), found, raise.location);
  } else {
    return std::nullopt;
  }
  return weight;
}

LogicalResult llmc::emitLinear(Raise &raise, Node &node, const View &input, Weight weight,
                               std::optional<Weight> bias, DynamicAttr activation) {
  int64_t last = static_cast<int64_t>(input.shape.size()) - 1;
  if (last < 0 || input.rowsAxis == last ||
      static_cast<int64_t>(input.columns.size()) != input.shape[last])
    return raise.fail("expected rows whose columns are the last axis");
  if (weight.shape[0] < 1 || weight.shape[0] > maxColumns)
    return raise.fail("expected 1 to " + Twine(maxColumns) + " outputs, found " +
                      Twine(weight.shape[0]));
  FailureOr<Value> rowsValue = materializeExactly(raise, input);
  if (failed(rowsValue) || failed(settle(raise, weight)))
    return failure();
  auto base = std::make_shared<Base>(raise.location);
  base->input = *rowsValue;
  base->width = weight.shape[0];
  base->weight = std::move(weight);
  base->bias = std::move(bias);
  base->activation = activation;
  View view = input;
  view.base = base;
  view.shape[last] = base->width;
  view.setColumns(base->width);
  raise.set(node, 0, std::move(view));
  return success();
}

LogicalResult llmc::raiseMatMul(Raise &raise, Node &node) {
  if (!raise.isData(node, 1)) {
    std::optional<View> input = raise.getView(node, 0);
    std::optional<Weight> weight = getMatrix(raise, node, 1);
    if (!input || !weight)
      return raise.fail("expected rows times a constant matrix");
    *weight = weight->transpose();
    DynamicAttr activation = takeStaticRounding(raise, node, *weight);
    return emitLinear(raise, node, *input, std::move(*weight), std::nullopt, activation);
  }
  if (!raise.isData(node, 0))
    return raise.fail("expected rows as the first operand");
  return raiseScores(raise, node);
}

/// A weight times a number, folded into it.
static std::optional<Weight> scale(const Weight &weight, double factor) {
  return factor == 1 ? std::optional(weight)
                     : weight.scaleRows(std::vector<double>(weight.shape[0], factor));
}

LogicalResult llmc::raiseGemm(Raise &raise, Node &node) {
  std::optional<View> input = raise.getView(node, 0);
  std::optional<Weight> weight = getMatrix(raise, node, 1);
  if (!input || !weight || node.getInt("transA", 0) != 0)
    return raise.fail("expected rows times a constant matrix");
  if (node.getInt("transB", 0) == 0)
    *weight = weight->transpose();
  weight = scale(*weight, node.getFloat("alpha", 1));
  if (!weight)
    return raise.fail("expected weights that are numbers to be scaled by alpha");
  std::optional<Weight> bias;
  if (raise.has(node, 2)) {
    bias = raise.getVector(node, 2, weight->shape[0]);
    bias = bias ? scale(*bias, node.getFloat("beta", 1)) : bias;
    if (!bias)
      return raise.fail("expected a constant bias as wide as the result");
  }
  DynamicAttr activation = takeStaticRounding(raise, node, *weight);
  return emitLinear(raise, node, *input, std::move(*weight), std::move(bias), activation);
}
