//===- ConvertElementwise.cpp - nonlinear functions, element by element ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"
#include "llmc/Dialect/LLMC/IR/Nonlinearities.h"

using namespace mlir;
using namespace llmc;

/// A matrix of what `function` gives for every element of another.
static Value mapElements(ConversionPatternRewriter &rewriter, Location location, Value input,
                         function_ref<Number(Number)> function) {
  Formula formula(rewriter, location);
  AffineExpr r = formula.dim(0), c = formula.dim(1);
  return formula.forEach(
      {formula.sizeOf(input, 0), formula.sizeOf(input, 1)}, rewriter.getF32Type(),
      {{input, {r, c}}},
      [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value { return function(Number(b, v[0])); });
}

namespace {

struct ConvertActivation : OpConversionPattern<ActivationOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(ActivationOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, mapElements(rewriter, op.getLoc(), adaptor.getInput(), [&](Number x) {
                         return applyNonlinearity(op.getFunction(), x);
                       }));
    return success();
  }
};

struct ConvertScale : OpConversionPattern<ScaleOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(ScaleOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, mapElements(rewriter, op.getLoc(), adaptor.getInput(), [&](Number x) {
                         return x * op.getFactor().convertToFloat();
                       }));
    return success();
  }
};

struct ConvertGate : OpConversionPattern<GateOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(GateOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Formula formula(rewriter, op.getLoc());
    Value gate = adaptor.getGate(), up = adaptor.getUp();
    AffineExpr r = formula.dim(0), c = formula.dim(1);
    Value result = formula.forEach(
        {formula.sizeOf(gate, 0), formula.sizeOf(gate, 1)}, rewriter.getF32Type(),
        {{gate, {r, c}}, {up, {r, c}}}, [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
          return applyNonlinearity(op.getFunction(), Number(b, v[0])) * Number(b, v[1]);
        });
    rewriter.replaceOp(op, result);
    return success();
  }
};

} // namespace

void llmc::populateElementwisePatterns(const TypeConverter &converter,
                                       RewritePatternSet &patterns) {
  patterns.add<ConvertActivation, ConvertScale, ConvertGate>(converter, patterns.getContext());
}
