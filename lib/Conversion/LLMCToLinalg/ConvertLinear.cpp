//===- ConvertLinear.cpp - linears as sums of products ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"
#include "llmc/Conversion/LLMCToLinalg/Rounding.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <limits>

using namespace mlir;
using namespace llmc;

Value llmc::buildGroupMaxima(Formula &formula, Value input, DynamicAttr rounding) {
  int64_t width = cast<RankedTensorType>(input.getType()).getDimSize(1);
  int64_t group = rounding.getGroupSize(width), groups = llvm::divideCeil(width, group);
  AffineExpr r = formula.dim(0), k = formula.dim(1);
  SmallVector<OpFoldResult> sizes{formula.sizeOf(input, 0), formula.size(groups)};
  if (FloatAttr range = rounding.getRange())
    return formula.forEach(sizes, formula.getBuilder().getF32Type(), {},
                           [&](ImplicitLocOpBuilder &b, ValueRange) -> Value {
                             return arith::ConstantOp::create(b, range);
                           });
  return formula.reduce(sizes, {r, k.floorDiv(group)}, formula.getBuilder().getF32FloatAttr(0),
                        {{input, {r, k}}}, [](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                          return max(Number(b, v[1]), abs(Number(b, v[0])));
                        });
}

Number llmc::getScale(Number maximum, DynamicAttr rounding) {
  return maximum / static_cast<double>(rounding.getLargest());
}

/// A number of at most 448 in magnitude, rounded to 4 significant bits, or to a multiple of 2^-9
/// below 2^-6: added to 1.5 · 2^20 times the power of two at or below it, it has no bits beyond.
static Number roundToFP8(Number x) {
  ImplicitLocOpBuilder &b = x.getBuilder();
  constexpr int64_t exponentBits = 0x7f800000;
  Value bits = arith::BitcastOp::create(b, b.getI32Type(), x);
  Value mask = arith::ConstantOp::create(b, b.getI32IntegerAttr(exponentBits));
  Number power(b,
               arith::BitcastOp::create(b, b.getF32Type(), arith::AndIOp::create(b, bits, mask)));
  Number rounder = max(power, 0x1p-6) * 0x1.8p20;
  return x + rounder - rounder;
}

Number llmc::roundToCode(Number x, Number scale, DynamicAttr rounding) {
  ImplicitLocOpBuilder &b = x.getBuilder();
  Number inverse = 1 / scale;
  Value isInfinite =
      arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, inverse,
                            inverse.constant(std::numeric_limits<double>::infinity()));
  Number position = x * inverse;
  // Ends of the range first: what is beyond may have no integer.
  if (rounding.getRange()) {
    auto largest = static_cast<double>(rounding.getLargest());
    position = -max(-max(position, -largest), -largest);
  }
  Number code = rounding.isInteger() ? roundEven(position) : roundToFP8(position);
  return {b, arith::SelectOp::create(b, isInfinite, x.constant(0), code)};
}

/// Every activation as q · s, as #llmc.dynamic says.
static Value roundActivations(Formula &formula, Value input, DynamicAttr rounding) {
  int64_t width = cast<RankedTensorType>(input.getType()).getDimSize(1);
  AffineExpr r = formula.dim(0), k = formula.dim(1);
  Value maxima = buildGroupMaxima(formula, input, rounding);
  return formula.forEach({formula.sizeOf(input, 0), formula.size(width)},
                         formula.getBuilder().getF32Type(),
                         {{input, {r, k}}, {maxima, {r, k.floorDiv(rounding.getGroupSize(width))}}},
                         [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                           Number scale = getScale(Number(b, v[1]), rounding);
                           return roundToCode(Number(b, v[0]), scale, rounding) * scale;
                         });
}

namespace {

/// A rounded row is the fp32 row of what its integers stand for.
struct ConvertRound : OpConversionPattern<RoundOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(RoundOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Formula formula(rewriter, op.getLoc());
    Value result = roundActivations(formula, adaptor.getInput(), op.getRounding());
    rewriter.replaceOp(op, formula.castTo(result, getTypeConverter()->convertType(op.getType())));
    return success();
  }
};

struct ConvertRoundValues : OpConversionPattern<RoundValuesOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(RoundValuesOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Formula formula(rewriter, op.getLoc());
    Value result = roundActivations(formula, adaptor.getInput(), op.getRounding());
    rewriter.replaceOp(op, formula.castTo(result, op.getType()));
    return success();
  }
};

struct ConvertLinear : OpConversionPattern<LinearOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(LinearOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Formula formula(rewriter, op.getLoc());
    Value input = adaptor.getInput(), weight = formula.widen(adaptor.getWeight());
    if (op.getActivation())
      input = roundActivations(formula, input, *op.getActivation());
    SmallVector<OpFoldResult> sizes{formula.sizeOf(input, 0), formula.sizeOf(weight, 0)};
    AffineExpr r = formula.dim(0), n = formula.dim(1), k = formula.dim(2);
    Value result = formula.sumOfProducts(sizes, {r, n}, {input, {r, k}}, {weight, {n, k}});
    if (adaptor.getBias())
      result = formula.forEach(sizes, rewriter.getF32Type(),
                               {{result, {r, n}}, {formula.widen(adaptor.getBias()), {n}}},
                               [](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                                 return Number(b, v[0]) + Number(b, v[1]);
                               });
    rewriter.replaceOp(op, formula.castTo(result, op.getType()));
    return success();
  }
};

} // namespace

void llmc::populateLinearPatterns(const TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<ConvertLinear, ConvertRound, ConvertRoundValues>(converter, patterns.getContext());
}
