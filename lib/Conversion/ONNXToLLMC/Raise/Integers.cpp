//===- Integers.cpp - linears on rows that the graph itself rounds ---===//
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

#include "Raise/Elementwise.h"
#include "Raise/Linear.h"
#include "Raise/Matchers.h"
#include "Raise/Raise.h"
#include "Raise/StaticRounding.h"

using namespace mlir;
using namespace llmc;

namespace llmc {

/// What DynamicQuantizeLinear gives of rows. A scale may have been multiplied by the weights' own.
struct RoundedRows : MeaningOf<RoundedRows> {
  enum class Part { Integers, Scale, Zero };
  View of;
  Part part;
  std::optional<ConstantView> weightScale;

  RoundedRows(View of, Part part, std::optional<ConstantView> weightScale = std::nullopt)
      : of(std::move(of)), part(part), weightScale(std::move(weightScale)) {}
  int64_t countColumns() const override { return of.countColumns(); }
  std::optional<LogicalResult> raiseUse(Raise &raise, Node &node) const override;
};

/// Rounded rows times a constant matrix of integers (in × out), on the way to a linear.
struct IntegerProduct : MeaningOf<IntegerProduct> {
  View of;
  ConstantView codes;
  std::optional<ConstantView> zeros, weightScale;
  bool isScaled = false; ///< by the rows' scale

  int64_t countColumns() const override { return of.countColumns(); }
  std::optional<LogicalResult> raiseUse(Raise &raise, Node &node) const override;
};

} // namespace llmc

DynamicAttr llmc::getRoundingOfRows(MLIRContext *context) {
  return DynamicAttr::get(context, 8, 32);
}

LogicalResult llmc::raiseDynamicQuantizeLinear(Raise &raise, Node &node) {
  std::optional<View> rowsView = raise.getView(node, 0);
  if (!rowsView)
    return failure();
  using Part = RoundedRows::Part;
  raise.set(node, 0, RoundedRows(*rowsView, Part::Integers));
  raise.set(node, 1, RoundedRows(*rowsView, Part::Scale));
  raise.set(node, 2, RoundedRows(std::move(*rowsView), Part::Zero));
  return success();
}

LogicalResult llmc::raiseMatMulInteger(Raise &raise, Node &node) {
  using Part = RoundedRows::Part;
  auto *integers = raise.getIf<RoundedRows>(node, 0), *zero = raise.getIf<RoundedRows>(node, 2);
  if (!integers || integers->part != Part::Integers || !zero || zero->part != Part::Zero ||
      !sameColumns(integers->of, zero->of))
    return raise.fail("expected integers and zero point of the same DynamicQuantizeLinear");
  std::optional<ConstantView> codes = raise.getConstant(node, 1),
                              zeros = raise.getConstant(node, 3);
  if (!codes || codes->shape.size() != 2 || (raise.has(node, 3) && !zeros))
    return raise.fail("expected a constant matrix of integers and constant zero points");
  IntegerProduct product;
  product.of = integers->of;
  product.codes = std::move(*codes);
  product.zeros = std::move(zeros);
  raise.set(node, 0, std::move(product));
  return success();
}

static LogicalResult emitIntegerLinear(Raise &raise, Node &node, const IntegerProduct &product) {
  int64_t scaleCount = product.weightScale->getNumElements();
  bool zerosFit = !product.zeros || product.zeros->getNumElements() == 1 ||
                  product.zeros->getNumElements() == scaleCount;
  std::optional<Dequantized> matrix =
      zerosFit ? Dequantized::get(product.codes, *product.weightScale, product.zeros, 1, 0)
               : std::nullopt;
  if (!matrix)
    return raise.fail("expected a scale and a zero point for all weights, or for each output");
  Weight weight;
  weight.dequantized = matrix->transpose();
  weight.shape = weight.dequantized->codes.shape;
  return emitLinear(raise, node, product.of, std::move(weight), std::nullopt,
                    getRoundingOfRows(raise.builder.getContext()));
}

/// A product with a scale: of the rows, of the weights, or of both.
static LogicalResult raiseOnIntegers(Raise &raise, Node &node) {
  if (node.getType() != "Mul")
    return raise.fail("expected a product of integers to be multiplied by scales");
  unsigned at = raise.getIf<IntegerProduct>(node, 0) ? 0 : 1;
  auto *product = raise.getIf<IntegerProduct>(node, at);
  auto *scale = raise.getIf<RoundedRows>(node, raise.getIf<RoundedRows>(node, 0) ? 0 : 1);
  if (scale && scale->part != RoundedRows::Part::Scale)
    return raise.fail("expected the scale of DynamicQuantizeLinear");
  if (!product) {
    std::optional<ConstantView> constant =
        raise.getConstant(node, raise.getIf<RoundedRows>(node, 0) ? 1 : 0);
    if (!constant || scale->weightScale)
      return raise.fail("expected the scale of rows times a constant scale of weights");
    raise.set(node, 0, RoundedRows(scale->of, scale->part, std::move(constant)));
    return success();
  }
  IntegerProduct next = *product;
  if (scale) {
    if (next.isScaled || (next.weightScale && scale->weightScale) ||
        !sameColumns(next.of, scale->of))
      return raise.fail("expected the scale of the same rows, once");
    next.isScaled = true;
    if (scale->weightScale)
      next.weightScale = scale->weightScale;
  } else {
    std::optional<ConstantView> constant = raise.getConstant(node, 1 - at);
    if (!constant || next.weightScale)
      return raise.fail("expected a constant scale of weights, once");
    next.weightScale = std::move(constant);
  }
  if (next.isScaled && next.weightScale)
    return emitIntegerLinear(raise, node, next);
  raise.set(node, 0, std::move(next));
  return success();
}

std::optional<LogicalResult> RoundedRows::raiseUse(Raise &raise, Node &node) const {
  return isElementwise(node) ? std::optional(raiseOnIntegers(raise, node)) : std::nullopt;
}

std::optional<LogicalResult> IntegerProduct::raiseUse(Raise &raise, Node &node) const {
  return isElementwise(node) ? std::optional(raiseOnIntegers(raise, node)) : std::nullopt;
}
