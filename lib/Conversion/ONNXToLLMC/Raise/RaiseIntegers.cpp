//===- RaiseIntegers.cpp - linears on rows that the graph itself rounds ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// ONNX Runtime's dynamic quantization writes a linear as DynamicQuantizeLinear of its input,
// MatMulInteger with 8-bit weights, a Cast, and products with the scales of both; and an embedding
// as Gather of integers, then DequantizeLinear.
//
//===----------------------------------------------------------------------===//

#include "Raise/Raiser.h"

using namespace mlir;
using namespace llmc;

/// Activations that the graph rounds to 8 bits. The operator has one scale for all rows, which
/// makes results depend on what else is computed at the time; here every 32 inputs of a row share
/// one.
static DynamicAttr getRounding(MLIRContext *context) { return DynamicAttr::get(context, 8, 32); }

std::optional<ConstantView> Raiser::getConstant(Node &node, unsigned i) {
  const HostTensor *found = has(node, i) ? probe.get(operand(node, i)) : nullptr;
  return found ? found->constant : std::nullopt;
}

LogicalResult Raiser::raiseDynamicQuantizeLinear(Node &node) {
  std::optional<View> rowsView = getView(node, 0);
  if (!rowsView)
    return failure();
  using Part = RoundedRows::Part;
  set(node, 0, RoundedRows{*rowsView, Part::Integers, {}});
  set(node, 1, RoundedRows{*rowsView, Part::Scale, {}});
  set(node, 2, RoundedRows{std::move(*rowsView), Part::Zero, {}});
  return success();
}

LogicalResult Raiser::raiseMatMulInteger(Node &node) {
  using Part = RoundedRows::Part;
  auto *integers = getIf<RoundedRows>(node, 0), *zero = getIf<RoundedRows>(node, 2);
  if (!integers || integers->part != Part::Integers || !zero || zero->part != Part::Zero ||
      !sameColumns(integers->of, zero->of))
    return fail("expected integers and zero point of the same DynamicQuantizeLinear");
  std::optional<ConstantView> codes = getConstant(node, 1), zeros = getConstant(node, 3);
  if (!codes || codes->shape.size() != 2 || (has(node, 3) && !zeros))
    return fail("expected a constant matrix of integers and constant zero points");
  set(node, 0, IntegerProduct{integers->of, std::move(*codes), std::move(zeros), {}, false});
  return success();
}

/// A product with a scale: of the rows, of the weights, or of both.
LogicalResult Raiser::raiseOnIntegers(Node &node) {
  if (node.getType() != "Mul")
    return fail("expected a product of integers to be multiplied by scales");
  unsigned at = getIf<IntegerProduct>(node, 0) ? 0 : 1;
  auto *product = getIf<IntegerProduct>(node, at);
  auto *scale = getIf<RoundedRows>(node, getIf<RoundedRows>(node, 0) ? 0 : 1);
  if (scale && scale->part != RoundedRows::Part::Scale)
    return fail("expected the scale of DynamicQuantizeLinear");
  if (!product) {
    std::optional<ConstantView> constant = getConstant(node, getIf<RoundedRows>(node, 0) ? 1 : 0);
    if (!constant || scale->weightScale)
      return fail("expected the scale of rows times a constant scale of weights");
    set(node, 0, RoundedRows{scale->of, scale->part, std::move(constant)});
    return success();
  }
  IntegerProduct next = *product;
  if (scale) {
    if (next.isScaled || (next.weightScale && scale->weightScale) ||
        !sameColumns(next.of, scale->of))
      return fail("expected the scale of the same rows, once");
    next.isScaled = true;
    if (scale->weightScale)
      next.weightScale = scale->weightScale;
  } else {
    std::optional<ConstantView> constant = getConstant(node, 1 - at);
    if (!constant || next.weightScale)
      return fail("expected a constant scale of weights, once");
    next.weightScale = std::move(constant);
  }
  if (next.isScaled && next.weightScale)
    return emitIntegerLinear(node, next);
  set(node, 0, std::move(next));
  return success();
}

LogicalResult Raiser::emitIntegerLinear(Node &node, const IntegerProduct &product) {
  int64_t scaleCount = product.weightScale->getNumElements();
  bool zerosFit = !product.zeros || product.zeros->getNumElements() == 1 ||
                  product.zeros->getNumElements() == scaleCount;
  std::optional<Dequantized> matrix =
      zerosFit ? Dequantized::get(product.codes, *product.weightScale, product.zeros, 1, 0)
               : std::nullopt;
  if (!matrix)
    return fail("expected a scale and a zero point for all weights, or for each output");
  Weight weight;
  weight.dequantized = matrix->transpose();
  weight.shape = weight.dequantized->codes.shape;
  return emitLinear(node, product.of, std::move(weight), std::nullopt,
                    getRounding(builder.getContext()));
}

/// A table of integers with the scales of a DequantizeLinear that stands after the look-up.
std::optional<Weight> Raiser::getScaledTable(Node &node, ConstantView codes) {
  std::optional<ConstantView> scales = getConstant(node, 1), zeros = getConstant(node, 2);
  int64_t rank = tensor(operand(node, 0)).shape.size();
  int64_t axis = normalizeAxis(node.getInt("axis", 1), rank);
  // What was looked up has the axes of tokens before the table's columns.
  if (!scales || (has(node, 2) && !zeros) || (scales->getNumElements() > 1 && axis != rank - 1))
    return std::nullopt;
  std::optional<Dequantized> matrix = Dequantized::get(
      std::move(codes), std::move(*scales), std::move(zeros), 1, node.getInt("block_size", 0));
  if (!matrix)
    return std::nullopt;
  Weight table;
  table.shape = matrix->codes.shape;
  table.dequantized = std::move(matrix);
  return table;
}

LogicalResult Raiser::raiseDequantizeLinear(Node &node) {
  auto *found = getIf<GatheredIntegers>(node, 0);
  std::optional<Weight> table = found ? getScaledTable(node, found->codes) : std::nullopt;
  if (!table)
    return fail("expected rows of a constant matrix of integers, with a constant scale and zero "
                "point for all or for each column");
  return emitEmbedding(node, std::move(*table));
}
