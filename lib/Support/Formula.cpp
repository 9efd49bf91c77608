//===- Formula.cpp - formulas over tensors, written as they are read ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Support/Formula.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace llmc;

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

Number Number::constant(double number) const {
  auto type = cast<FloatType>(value.getType());
  return {*builder, arith::ConstantOp::create(*builder, builder->getFloatAttr(type, number))};
}

Number Number::operator-() const { return {*builder, arith::NegFOp::create(*builder, value)}; }

template <typename OpTy, typename... Numbers>
static Number build(Number first, Numbers... others) {
  return {first.getBuilder(), OpTy::create(first.getBuilder(), first, others...)};
}

namespace llmc {
Number operator+(Number a, Number b) { return build<arith::AddFOp>(a, b); }
Number operator-(Number a, Number b) { return build<arith::SubFOp>(a, b); }
Number operator*(Number a, Number b) { return build<arith::MulFOp>(a, b); }
Number operator/(Number a, Number b) { return build<arith::DivFOp>(a, b); }
} // namespace llmc

Number llmc::max(Number a, Number b) { return build<arith::MaximumFOp>(a, b); }
Number llmc::abs(Number x) { return build<math::AbsFOp>(x); }
Number llmc::sqrt(Number x) { return build<math::SqrtOp>(x); }
Number llmc::exp(Number x) { return build<math::ExpOp>(x); }
Number llmc::tanh(Number x) { return build<math::TanhOp>(x); }
Number llmc::erf(Number x) { return build<math::ErfOp>(x); }
Number llmc::cos(Number x) { return build<math::CosOp>(x); }
Number llmc::sin(Number x) { return build<math::SinOp>(x); }
Number llmc::roundEven(Number x) { return build<math::RoundEvenOp>(x); }

//===----------------------------------------------------------------------===//
// Formulas
//===----------------------------------------------------------------------===//

OpFoldResult Formula::sizeOf(Value tensor, int64_t dim) {
  return tensor::getMixedSize(builder, builder.getLoc(), tensor, dim);
}

/// Builds the operation that adds up to, or overwrites, `output`.
static Value buildGeneric(ImplicitLocOpBuilder &builder, unsigned dims, ArrayRef<Term> terms,
                          Value output, ArrayRef<AffineExpr> index, Body body) {
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  for (const Term &term : terms) {
    inputs.push_back(term.tensor);
    maps.push_back(AffineMap::get(dims, 0, term.index, builder.getContext()));
  }
  maps.push_back(AffineMap::get(dims, 0, index, builder.getContext()));
  SmallVector<utils::IteratorType> iterators(dims, utils::IteratorType::reduction);
  for (AffineExpr place : index)
    if (auto dim = dyn_cast<AffineDimExpr>(place))
      iterators[dim.getPosition()] = utils::IteratorType::parallel;
  auto generic =
      linalg::GenericOp::create(builder, output.getType(), inputs, output, maps, iterators,
                                [&](OpBuilder &nested, Location location, ValueRange values) {
                                  ImplicitLocOpBuilder inside(location, nested);
                                  Value result = body(inside, values);
                                  linalg::YieldOp::create(inside, result);
                                });
  return generic.getResult(0);
}

Value Formula::forEach(ArrayRef<OpFoldResult> sizes, Type element, ArrayRef<Term> terms,
                       Body body) {
  Value empty = tensor::EmptyOp::create(builder, sizes, element);
  SmallVector<AffineExpr> index;
  for (size_t i = 0; i < sizes.size(); ++i)
    index.push_back(dim(i));
  return buildGeneric(builder, sizes.size(), terms, empty, index, body);
}

Value Formula::reduce(ArrayRef<OpFoldResult> sizes, ArrayRef<AffineExpr> index, TypedAttr initial,
                      ArrayRef<Term> terms, Body body) {
  Value empty = tensor::EmptyOp::create(builder, sizes, initial.getType());
  Value start = arith::ConstantOp::create(builder, initial);
  Value filled = linalg::FillOp::create(builder, start, empty).getResult(0);
  unsigned dims = 0;
  for (const Term &term : terms)
    for (AffineExpr place : term.index)
      place.walk([&](AffineExpr part) {
        if (auto dim = dyn_cast<AffineDimExpr>(part))
          dims = std::max(dims, dim.getPosition() + 1);
      });
  return buildGeneric(builder, dims, terms, filled, index, body);
}

Value Formula::sumOfProducts(ArrayRef<OpFoldResult> sizes, ArrayRef<AffineExpr> index, Term left,
                             Term right) {
  return reduce(sizes, index, builder.getF32FloatAttr(0), {left, right},
                [](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                  return Number(b, v[2]) + Number(b, v[0]) * Number(b, v[1]);
                });
}

Value Formula::widen(Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (type.getElementType().isF32())
    return tensor;
  return arith::ExtFOp::create(builder, type.clone(builder.getF32Type()), tensor);
}

static SmallVector<ReassociationIndices> getHeadDimensions() { return {{0}, {1, 2}}; }

Value Formula::splitHeads(Value rows, int64_t heads) {
  auto type = cast<RankedTensorType>(rows.getType());
  int64_t size = type.getDimSize(1) / heads;
  auto split = RankedTensorType::get({type.getDimSize(0), heads, size}, type.getElementType());
  return tensor::ExpandShapeOp::create(builder, split, rows, getHeadDimensions(),
                                       {sizeOf(rows, 0), this->size(heads), this->size(size)});
}

Value Formula::joinHeads(Value heads) {
  return tensor::CollapseShapeOp::create(builder, heads, getHeadDimensions());
}

Value Formula::castTo(Value tensor, Type type) {
  return tensor.getType() == type ? tensor : tensor::CastOp::create(builder, type, tensor);
}
