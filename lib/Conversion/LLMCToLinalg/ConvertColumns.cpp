//===- ConvertColumns.cpp - choices of columns ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"
#include "llmc/Dialect/LLMC/IR/ColumnOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace llmc;

/// A vector of constants.
static Value makeVector(ImplicitLocOpBuilder &builder, ArrayRef<float> numbers) {
  auto type = RankedTensorType::get({static_cast<int64_t>(numbers.size())}, builder.getF32Type());
  return arith::ConstantOp::create(builder, DenseElementsAttr::get(type, numbers));
}

namespace {

/// The places are constants of fp32, which holds them exactly: meanings have no others in memory.
struct ConvertTakeColumns : OpConversionPattern<TakeColumnsOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(TakeColumnsOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Formula formula(rewriter, op.getLoc());
    ArrayRef<int32_t> columns = op.getColumns();
    const SmallVector<float> numbers(columns.begin(), columns.end());
    Value places = makeVector(formula.getBuilder(), numbers), input = adaptor.getInput();
    Value result = formula.forEach(
        {formula.sizeOf(input, 0), formula.size(static_cast<int64_t>(columns.size()))},
        rewriter.getF32Type(), {{places, {formula.dim(1)}}},
        [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
          Value place = arith::FPToSIOp::create(b, b.getI32Type(), v[0]);
          Value column = arith::IndexCastOp::create(b, b.getIndexType(), place);
          Value row = linalg::IndexOp::create(b, 0);
          return tensor::ExtractOp::create(b, input, ValueRange{row, column});
        });
    rewriter.replaceOp(op, formula.castTo(result, op.getType()));
    return success();
  }
};

struct ConvertClearColumns : OpConversionPattern<ClearColumnsOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(ClearColumnsOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Formula formula(rewriter, op.getLoc());
    SmallVector<float> kept(op.getType().getDimSize(1), 1);
    for (int32_t column : op.getColumns())
      kept[column] = 0;
    Value mask = makeVector(formula.getBuilder(), kept), input = adaptor.getInput();
    AffineExpr r = formula.dim(0), c = formula.dim(1);
    Value result =
        formula.forEach({formula.sizeOf(input, 0), formula.size(static_cast<int64_t>(kept.size()))},
                        rewriter.getF32Type(), {{input, {r, c}}, {mask, {c}}},
                        [](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                          Value zero = Number(b, v[0]).constant(0);
                          Value isCleared =
                              arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, v[1], zero);
                          return arith::SelectOp::create(b, isCleared, zero, v[0]);
                        });
    rewriter.replaceOp(op, formula.castTo(result, op.getType()));
    return success();
  }
};

} // namespace

void llmc::populateColumnPatterns(const TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<ConvertTakeColumns, ConvertClearColumns>(converter, patterns.getContext());
}
