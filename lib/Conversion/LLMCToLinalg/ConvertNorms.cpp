//===- ConvertNorms.cpp - norms as sums over parts of a row ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"

using namespace mlir;
using namespace llmc;

namespace {

struct ConvertRMSNorm : OpConversionPattern<RMSNormOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(RMSNormOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Formula formula(rewriter, op.getLoc());
    Value input = adaptor.getInput();
    int64_t width = op.getType().getDimSize(1), groups = op.getGroups(), part = width / groups;
    double epsilon = op.getEpsilon().convertToDouble();
    AffineExpr r = formula.dim(0), c = formula.dim(1);
    OpFoldResult rows = formula.sizeOf(input, 0);
    Value squares = formula.sumOfProducts({rows, formula.size(groups)}, {r, c.floorDiv(part)},
                                          {input, {r, c}}, {input, {r, c}});
    Value result = formula.forEach({rows, formula.size(width)}, rewriter.getF32Type(),
                                   {{input, {r, c}},
                                    {squares, {r, c.floorDiv(part)}},
                                    {formula.widen(adaptor.getGain()), {c % part}}},
                                   [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                                     Number x(b, v[0]), mean = Number(b, v[1]) / part,
                                                        gain(b, v[2]);
                                     return x / sqrt(mean + epsilon) * gain;
                                   });
    rewriter.replaceOp(op, result);
    return success();
  }
};

struct ConvertLayerNorm : OpConversionPattern<LayerNormOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(LayerNormOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Formula formula(rewriter, op.getLoc());
    Value input = adaptor.getInput();
    int64_t width = op.getType().getDimSize(1);
    double epsilon = op.getEpsilon().convertToDouble();
    AffineExpr r = formula.dim(0), c = formula.dim(1);
    SmallVector<OpFoldResult> sizes{formula.sizeOf(input, 0), formula.size(width)};
    Type f32 = rewriter.getF32Type();
    Value sums = formula.reduce(sizes[0], {r}, rewriter.getF32FloatAttr(0), {{input, {r, c}}},
                                [](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                                  return Number(b, v[1]) + Number(b, v[0]);
                                });
    Value centred = formula.forEach(sizes, f32, {{input, {r, c}}, {sums, {r}}},
                                    [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                                      return Number(b, v[0]) - Number(b, v[1]) / width;
                                    });
    Value squares = formula.sumOfProducts(sizes[0], {r}, {centred, {r, c}}, {centred, {r, c}});
    SmallVector<Term> terms{
        {centred, {r, c}}, {squares, {r}}, {formula.widen(adaptor.getGain()), {c}}};
    if (adaptor.getBias())
      terms.push_back({formula.widen(adaptor.getBias()), {c}});
    Value result =
        formula.forEach(sizes, f32, terms, [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
          Number x(b, v[0]), variance = Number(b, v[1]) / width, gain(b, v[2]);
          Number scaled = x / sqrt(variance + epsilon) * gain;
          return op.getBias() ? scaled + Number(b, v[3]) : scaled;
        });
    rewriter.replaceOp(op, result);
    return success();
  }
};

} // namespace

void llmc::populateNormPatterns(const TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<ConvertRMSNorm, ConvertLayerNorm>(converter, patterns.getContext());
}
