//===- HeavyHitterFormula.cpp - which positions a cache chooses, as plain arithmetic ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HeavyHitterFormula.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <limits>

using namespace mlir;
using namespace llmc;

using arith::CmpFPredicate;
using arith::CmpIPredicate;

Value HeavyHitterFormula::constant(ImplicitLocOpBuilder &b, int64_t number) {
  return arith::ConstantIndexOp::create(b, number);
}

Value HeavyHitterFormula::getLeaving(ImplicitLocOpBuilder &b) {
  return arith::SubIOp::create(b, position, constant(b, cache.getWindow()));
}

Value HeavyHitterFormula::isChosen(ImplicitLocOpBuilder &b, Value t, Value gone) {
  Value isOld = arith::CmpIOp::create(b, CmpIPredicate::slt, t, getLeaving(b));
  Value isLater = arith::CmpIOp::create(b, CmpIPredicate::sge, t, constant(b, cache.getFirst()));
  Value zero = arith::ConstantIntOp::create(b, gone.getType(), 0);
  Value stays = arith::CmpIOp::create(b, CmpIPredicate::eq, gone, zero);
  return arith::AndIOp::create(b, stays, arith::AndIOp::create(b, isOld, isLater));
}

Value HeavyHitterFormula::evict(Value scores, Value gone) {
  ImplicitLocOpBuilder &builder = formula.getBuilder();
  AffineExpr h = formula.dim(0), t = formula.dim(1);
  SmallVector<OpFoldResult> heads{formula.size(cache.getHeads())};
  constexpr float infinity = std::numeric_limits<float>::infinity();
  constexpr int64_t never = std::numeric_limits<int64_t>::max();
  Value least = formula.reduce(
      heads, {h}, builder.getF32FloatAttr(infinity), {{scores, {t, h}}, {gone, {t, h}}},
      [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
        Value chosen = isChosen(b, linalg::IndexOp::create(b, 1), v[1]);
        Value score = arith::SelectOp::create(b, chosen, v[0], Number(b, v[0]).constant(infinity));
        return arith::MinimumFOp::create(b, score, v[2]);
      });
  // Of equal ones the first.
  Value lightest = formula.reduce(
      heads, {h}, builder.getI64IntegerAttr(never),
      {{scores, {t, h}}, {gone, {t, h}}, {least, {h}}},
      [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
        Value place = linalg::IndexOp::create(b, 1);
        Value isLeast = arith::CmpFOp::create(b, CmpFPredicate::OEQ, v[0], v[2]);
        isLeast = arith::AndIOp::create(b, isLeast, isChosen(b, place, v[1]));
        Value number = arith::IndexCastOp::create(b, b.getI64Type(), place);
        Value none = arith::ConstantIntOp::create(b, b.getI64Type(), never);
        return arith::MinSIOp::create(b, arith::SelectOp::create(b, isLeast, number, none), v[3]);
      });
  auto type = cast<RankedTensorType>(gone.getType());
  return formula.forEach(
      {formula.sizeOf(gone, 0), formula.sizeOf(gone, 1)}, type.getElementType(),
      {{gone, {formula.dim(0), formula.dim(1)}},
       {least, {formula.dim(1)}},
       {lightest, {formula.dim(1)}}},
      [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
        Value place = linalg::IndexOp::create(b, 0), head = linalg::IndexOp::create(b, 1);
        Value leaving = getLeaving(b), inside = arith::MaxSIOp::create(b, leaving, constant(b, 0));
        Value own = tensor::ExtractOp::create(b, scores, ValueRange{inside, head});
        Value isHeavier = arith::CmpFOp::create(b, CmpFPredicate::OLT, v[1], own);
        Value other = arith::IndexCastOp::create(b, b.getIndexType(), v[2]);
        Value evicted = arith::SelectOp::create(b, isHeavier, other, leaving);
        Value isEvicted = arith::CmpIOp::create(b, CmpIPredicate::eq, place, evicted);
        Value isFull = arith::CmpIOp::create(b, CmpIPredicate::sge, leaving,
                                             constant(b, cache.getFirst() + cache.getHeavy()));
        isEvicted = arith::AndIOp::create(b, isEvicted, isFull);
        Value isNew = arith::CmpIOp::create(b, CmpIPredicate::eq, place, position);
        Value zero = arith::ConstantIntOp::create(b, v[0].getType(), 0),
              one = arith::ConstantIntOp::create(b, v[0].getType(), 1);
        Value next = arith::SelectOp::create(b, isEvicted, one, v[0]);
        return arith::SelectOp::create(b, isNew, zero, next);
      });
}

Value HeavyHitterFormula::addWeights(Value scores, Value weights) {
  ImplicitLocOpBuilder &builder = formula.getBuilder();
  AffineExpr r = formula.dim(0), h = formula.dim(1), t = formula.dim(2);
  SmallVector<OpFoldResult> sizes{formula.sizeOf(scores, 0), formula.sizeOf(scores, 1)};
  int64_t headsPerKey = cast<RankedTensorType>(weights.getType()).getDimSize(1) / cache.getHeads();
  Value sums =
      formula.reduce(sizes, {t, h.floorDiv(headsPerKey)}, builder.getF32FloatAttr(0),
                     {{weights, {r, h, t}}}, [](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                       return Number(b, v[1]) + Number(b, v[0]);
                     });
  return formula.forEach(
      sizes, builder.getF32Type(),
      {{scores, {formula.dim(0), formula.dim(1)}}, {sums, {formula.dim(0), formula.dim(1)}}},
      [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
        Value place = linalg::IndexOp::create(b, 0);
        Value isNew = arith::CmpIOp::create(b, CmpIPredicate::eq, place, position);
        Value before = arith::SelectOp::create(b, isNew, Number(b, v[0]).constant(0), v[0]);
        return Number(b, before) + Number(b, v[1]);
      });
}
