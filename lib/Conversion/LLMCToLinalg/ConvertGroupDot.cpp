//===- ConvertGroupDot.cpp - dot products of groups, lane by lane ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace llmc;

namespace {

/// Σ_s Σ_j weights_s[4r + j] · activations_s[4r + j]: products of every step in int32, added up
/// over the steps and then over each 4 that stand side by side.
struct ConvertGroupDot : OpConversionPattern<GroupDotOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(GroupDotOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    auto wide = VectorType::get({64}, b.getI32Type());
    auto lanes = VectorType::get({16, 4}, b.getI32Type());
    Value sum = arith::ConstantOp::create(b, b.getZeroAttr(wide));
    for (auto [weight, activation] : llvm::zip(adaptor.getWeights(), adaptor.getActivations())) {
      Value left = arith::ExtUIOp::create(b, wide, weight);
      Value right = arith::ExtSIOp::create(b, wide, activation);
      sum = arith::AddIOp::create(b, sum, arith::MulIOp::create(b, left, right));
    }
    Value zeros = arith::ConstantOp::create(b, b.getZeroAttr(op.getType()));
    Value split = vector::ShapeCastOp::create(b, lanes, sum);
    rewriter.replaceOp(op, vector::MultiDimReductionOp::create(b, split, zeros,
                                                               ArrayRef<bool>{false, true},
                                                               vector::CombiningKind::ADD));
    return success();
  }
};

} // namespace

void llmc::populateGroupDotPatterns(const TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<ConvertGroupDot>(converter, patterns.getContext());
}
