//===- ConvertRope.cpp - rotations of pairs ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace llmc;

namespace {

/// One half of the pairs of every head: [rows, heads, pairs] of [rows, heads, size of a head].
struct Half {
  SmallVector<OpFoldResult> offsets, sizes, strides;
};

struct ConvertRope : OpConversionPattern<RopeOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(RopeOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Formula formula(rewriter, op.getLoc());
    ImplicitLocOpBuilder &builder = formula.getBuilder();
    Value heads = formula.splitHeads(adaptor.getInput().front(), op.getHeads());
    Value angles = getAngles(formula, op, PlainRows::get(adaptor.getRows()).positions);
    int64_t pairs = op.getFrequencies().size();
    auto half = [&](int64_t first) -> Half {
      return {{formula.size(0), formula.size(0), formula.size(first)},
              {formula.sizeOf(heads, 0), formula.size(op.getHeads()), formula.size(pairs)},
              {formula.size(1), formula.size(1), formula.size(op.getInterleaved() ? 2 : 1)}};
    };
    Half first = half(0), second = half(op.getInterleaved() ? 1 : pairs);
    auto get = [&](const Half &half) -> Value {
      return tensor::ExtractSliceOp::create(builder, heads, half.offsets, half.sizes, half.strides);
    };
    auto set = [&](Value values, Value into, const Half &half) -> Value {
      return tensor::InsertSliceOp::create(builder, values, into, half.offsets, half.sizes,
                                           half.strides);
    };
    Value x = get(first), y = get(second);
    AffineExpr r = formula.dim(0), h = formula.dim(1), i = formula.dim(2);
    SmallVector<Term> terms{{x, {r, h, i}}, {y, {r, h, i}}, {angles, {r, i}}};
    double scaling = op.getScaling().convertToDouble();
    Value rotatedX = formula.forEach(first.sizes, rewriter.getF32Type(), terms,
                                     [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                                       Number x(b, v[0]), y(b, v[1]), a(b, v[2]);
                                       return (x * cos(a) - y * sin(a)) * scaling;
                                     });
    Value rotatedY = formula.forEach(first.sizes, rewriter.getF32Type(), terms,
                                     [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                                       Number x(b, v[0]), y(b, v[1]), a(b, v[2]);
                                       return (y * cos(a) + x * sin(a)) * scaling;
                                     });
    Value result = set(rotatedY, set(rotatedX, heads, first), second);
    rewriter.replaceOp(op, formula.joinHeads(result));
    return success();
  }

private:
  /// [rows, pairs]: position · frequency, in fp32.
  static Value getAngles(Formula &formula, RopeOp op, Value positions) {
    ImplicitLocOpBuilder &builder = formula.getBuilder();
    int64_t pairs = op.getFrequencies().size();
    auto type = RankedTensorType::get({pairs}, builder.getF32Type());
    Value frequencies =
        arith::ConstantOp::create(builder, DenseElementsAttr::get(type, op.getFrequencies()));
    AffineExpr r = formula.dim(0), i = formula.dim(1);
    return formula.forEach({formula.sizeOf(positions, 0), formula.size(pairs)},
                           builder.getF32Type(), {{positions, {r}}, {frequencies, {i}}},
                           [](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                             Number position(b, arith::SIToFPOp::create(b, b.getF32Type(), v[0]));
                             return position * Number(b, v[1]);
                           });
  }
};

} // namespace

void llmc::populateRopePatterns(const TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<ConvertRope>(converter, patterns.getContext());
}
