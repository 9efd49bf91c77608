//===- ConvertHadamard.cpp - rotations by Hadamard matrices ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// H = C ⊗ S of order m · 2^k: k steps of sums and differences of elements 1, 2, 4, … apart, which
// are Sylvester's matrix S, then sums with the signs of the core C over elements 2^k apart.
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"
#include "llmc/Support/Hadamard.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

/// Sums in the place of the first of each two elements `half` apart, and differences in that of the
/// second.
static Value addAndSubtract(Formula &formula, Value rows, int64_t width, int64_t half) {
  ImplicitLocOpBuilder &builder = formula.getBuilder();
  auto type = RankedTensorType::get({2}, builder.getF32Type());
  Value signs = arith::ConstantOp::create(
      builder, DenseElementsAttr::get(type, ArrayRef<float>{1.0f, -1.0f}));
  AffineExpr r = formula.dim(0), c = formula.dim(1);
  AffineExpr first = c.floorDiv(2 * half) * (2 * half) + c % half;
  return formula.forEach(
      {formula.sizeOf(rows, 0), formula.size(width)}, builder.getF32Type(),
      {{rows, {r, first}}, {rows, {r, first + half}}, {signs, {c.floorDiv(half) % 2}}},
      [](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
        return Number(b, v[0]) + Number(b, v[1]) * Number(b, v[2]);
      });
}

/// The core's part, and the factor 1 / √n.
static Value mix(Formula &formula, Value rows, int64_t width, const Hadamard &matrix,
                 bool transposed) {
  ImplicitLocOpBuilder &builder = formula.getBuilder();
  int64_t core = matrix.getCoreOrder(), power = matrix.getPower(), order = matrix.getOrder();
  double scale = 1 / std::sqrt(static_cast<double>(order));
  SmallVector<float> factors;
  for (int64_t from = 0; from < core; ++from)
    for (int64_t to = 0; to < core; ++to)
      factors.push_back(static_cast<float>(
          scale * matrix.getCore()[transposed ? to * core + from : from * core + to]));
  auto type = RankedTensorType::get({core, core}, builder.getF32Type());
  Value constant =
      arith::ConstantOp::create(builder, DenseElementsAttr::get(type, ArrayRef<float>(factors)));
  AffineExpr r = formula.dim(0), c = formula.dim(1), from = formula.dim(2);
  return formula.sumOfProducts({formula.sizeOf(rows, 0), formula.size(width)}, {r, c},
                               {rows, {r, c.floorDiv(order) * order + from * power + c % power}},
                               {constant, {from, c.floorDiv(power) % core}});
}

namespace {

struct ConvertHadamard : OpConversionPattern<HadamardOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(HadamardOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Formula formula(rewriter, op.getLoc());
    std::optional<Hadamard> matrix = Hadamard::get(op.getOrder());
    int64_t width = op.getType().getDimSize(1);
    Value rows = adaptor.getInput();
    for (int64_t half = 1; half < matrix->getPower(); half *= 2)
      rows = addAndSubtract(formula, rows, width, half);
    rewriter.replaceOp(op, mix(formula, rows, width, *matrix, op.getTransposed()));
    return success();
  }
};

} // namespace

void llmc::populateHadamardPatterns(const TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<ConvertHadamard>(converter, patterns.getContext());
}
