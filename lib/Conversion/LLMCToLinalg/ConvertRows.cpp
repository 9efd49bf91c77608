//===- ConvertRows.cpp - choices of rows ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace llmc;

/// result[i, :] = table[indices[i], :].
static Value gatherRows(Formula &formula, Value table, Value indices) {
  AffineExpr i = formula.dim(0);
  return formula.forEach({formula.sizeOf(indices, 0), formula.sizeOf(table, 1)},
                         cast<RankedTensorType>(table.getType()).getElementType(), {{indices, {i}}},
                         [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                           Value row = arith::IndexCastOp::create(b, b.getIndexType(), v[0]);
                           Value column = linalg::IndexOp::create(b, 1);
                           return tensor::ExtractOp::create(b, table, ValueRange{row, column});
                         });
}

namespace {

struct ConvertPositions : OpConversionPattern<PositionsOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(PositionsOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Formula formula(rewriter, op.getLoc());
    Value positions = PlainRows::get(adaptor.getRows()).positions;
    rewriter.replaceOp(op, formula.castTo(positions, op.getType()));
    return success();
  }
};

struct ConvertOutputRows : OpConversionPattern<OutputRowsOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(OutputRowsOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Formula formula(rewriter, op.getLoc());
    Value outputs = PlainRows::get(adaptor.getRows()).outputs;
    Value result = gatherRows(formula, adaptor.getInput().front(), outputs);
    rewriter.replaceOp(op, formula.castTo(result, op.getType()));
    return success();
  }
};

struct ConvertEmbedding : OpConversionPattern<EmbeddingOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(EmbeddingOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Formula formula(rewriter, op.getLoc());
    Value result = gatherRows(formula, formula.widen(adaptor.getTable()), adaptor.getIndices());
    rewriter.replaceOp(op, formula.castTo(result, op.getType()));
    return success();
  }
};

} // namespace

void llmc::populateRowPatterns(const TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<ConvertPositions, ConvertOutputRows, ConvertEmbedding>(converter,
                                                                      patterns.getContext());
}
