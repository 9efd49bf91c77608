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

/// How pairs stand in a row of heads.
struct Pairs {
  int64_t heads, count;
  bool interleaved;
};

/// x' = x · cosine − y · sine or y' = y · cosine + x · sine, given x, y and what `terms` read.
using Turn = function_ref<Value(ImplicitLocOpBuilder &, ValueRange)>;

/// Rotates the pairs of every row. `terms` are read at dimensions r (row), h (head), i (pair).
Value rotatePairs(Formula &formula, Value input, const Pairs &pairs, ArrayRef<Term> terms,
                  Turn turnX, Turn turnY) {
  ImplicitLocOpBuilder &builder = formula.getBuilder();
  Value heads = formula.splitHeads(input, pairs.heads);
  auto half = [&](int64_t first) -> Half {
    return {{formula.size(0), formula.size(0), formula.size(first)},
            {formula.sizeOf(heads, 0), formula.size(pairs.heads), formula.size(pairs.count)},
            {formula.size(1), formula.size(1), formula.size(pairs.interleaved ? 2 : 1)}};
  };
  Half first = half(0), second = half(pairs.interleaved ? 1 : pairs.count);
  auto get = [&](const Half &half) -> Value {
    return tensor::ExtractSliceOp::create(builder, heads, half.offsets, half.sizes, half.strides);
  };
  auto set = [&](Value values, Value into, const Half &half) -> Value {
    return tensor::InsertSliceOp::create(builder, values, into, half.offsets, half.sizes,
                                         half.strides);
  };
  AffineExpr r = formula.dim(0), h = formula.dim(1), i = formula.dim(2);
  SmallVector<Term> all{{get(first), {r, h, i}}, {get(second), {r, h, i}}};
  llvm::append_range(all, terms);
  Value rotatedX = formula.forEach(first.sizes, builder.getF32Type(), all, turnX);
  Value rotatedY = formula.forEach(first.sizes, builder.getF32Type(), all, turnY);
  return formula.joinHeads(set(rotatedY, set(rotatedX, heads, first), second));
}

/// [rows, frequencies]: position · frequency, in fp32.
Value getAngles(Formula &formula, ArrayRef<float> frequencies, Value positions) {
  ImplicitLocOpBuilder &builder = formula.getBuilder();
  int64_t count = frequencies.size();
  auto type = RankedTensorType::get({count}, builder.getF32Type());
  Value constant = arith::ConstantOp::create(builder, DenseElementsAttr::get(type, frequencies));
  AffineExpr r = formula.dim(0), i = formula.dim(1);
  return formula.forEach({formula.sizeOf(positions, 0), formula.size(count)}, builder.getF32Type(),
                         {{positions, {r}}, {constant, {i}}},
                         [](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                           Number position(b, arith::SIToFPOp::create(b, b.getF32Type(), v[0]));
                           return position * Number(b, v[1]);
                         });
}

struct ConvertRope : OpConversionPattern<RopeOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(RopeOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Formula formula(rewriter, op.getLoc());
    Value angles =
        getAngles(formula, op.getFrequencies(), PlainRows::get(adaptor.getRows()).positions);
    Pairs pairs{static_cast<int64_t>(op.getHeads()),
                static_cast<int64_t>(op.getFrequencies().size()), op.getInterleaved()};
    double scaling = op.getScaling().convertToDouble();
    rewriter.replaceOp(op, rotatePairs(
                               formula, adaptor.getInput().front(), pairs,
                               Term{angles, {formula.dim(0), formula.dim(2)}},
                               [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                                 Number x(b, v[0]), y(b, v[1]), a(b, v[2]);
                                 return (x * cos(a) - y * sin(a)) * scaling;
                               },
                               [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                                 Number x(b, v[0]), y(b, v[1]), a(b, v[2]);
                                 return (y * cos(a) + x * sin(a)) * scaling;
                               }));
    return success();
  }
};

struct ConvertRotationTable : OpConversionPattern<RotationTableOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(RotationTableOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Formula formula(rewriter, op.getLoc());
    ImplicitLocOpBuilder &builder = formula.getBuilder();
    // What stands past the frequencies is of no account: angles of zero.
    int64_t half = cast<RankedTensorType>(op.getType()).getDimSize(1) / 2;
    SmallVector<float> frequencies(op.getFrequencies());
    frequencies.resize(half);
    Value angles = getAngles(formula, frequencies, PlainRows::get(adaptor.getRows()).positions);
    double scaling = op.getScaling().convertToDouble();
    OpFoldResult rows = formula.sizeOf(angles, 0);
    AffineExpr r = formula.dim(0), i = formula.dim(1);
    auto compute = [&](function_ref<Number(Number)> function) {
      return formula.forEach({rows, formula.size(half)}, builder.getF32Type(), {{angles, {r, i}}},
                             [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                               return function(Number(b, v[0])) * scaling;
                             });
    };
    Value cosines = compute([](Number a) { return cos(a); });
    Value sines = compute([](Number a) { return sin(a); });
    Value table =
        tensor::EmptyOp::create(builder, {rows, formula.size(2 * half)}, builder.getF32Type());
    for (auto [values, first] : {std::pair(cosines, int64_t(0)), std::pair(sines, half)})
      table = tensor::InsertSliceOp::create(
          builder, values, table, ArrayRef<OpFoldResult>{formula.size(0), formula.size(first)},
          ArrayRef<OpFoldResult>{rows, formula.size(half)},
          ArrayRef<OpFoldResult>{formula.size(1), formula.size(1)});
    rewriter.replaceOp(op, formula.castTo(table, op.getType()));
    return success();
  }
};

struct ConvertRotate : OpConversionPattern<RotateOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(RotateOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Formula formula(rewriter, op.getLoc());
    Pairs pairs{static_cast<int64_t>(op.getHeads()), static_cast<int64_t>(op.getPairs()),
                op.getInterleaved()};
    Value table = adaptor.getTable();
    int64_t half = cast<RankedTensorType>(table.getType()).getDimSize(1) / 2;
    SmallVector<Term> terms;
    for (int64_t first : {int64_t(0), half}) {
      Value part = tensor::ExtractSliceOp::create(
          formula.getBuilder(), table, ArrayRef<OpFoldResult>{formula.size(0), formula.size(first)},
          ArrayRef<OpFoldResult>{formula.sizeOf(table, 0), formula.size(pairs.count)},
          ArrayRef<OpFoldResult>{formula.size(1), formula.size(1)});
      terms.push_back({part, {formula.dim(0), formula.dim(2)}});
    }
    rewriter.replaceOp(op, rotatePairs(
                               formula, adaptor.getInput(), pairs, terms,
                               [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                                 Number x(b, v[0]), y(b, v[1]), cosine(b, v[2]), sine(b, v[3]);
                                 return x * cosine - y * sine;
                               },
                               [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                                 Number x(b, v[0]), y(b, v[1]), cosine(b, v[2]), sine(b, v[3]);
                                 return y * cosine + x * sine;
                               }));
    return success();
  }
};

} // namespace

void llmc::populateRopePatterns(const TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<ConvertRope, ConvertRotate, ConvertRotationTable>(converter, patterns.getContext());
}
