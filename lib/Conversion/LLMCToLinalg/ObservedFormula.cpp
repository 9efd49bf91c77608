//===- ObservedFormula.cpp - which positions queries choose together, as plain arithmetic ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ObservedFormula.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace llmc;

using arith::CmpFPredicate;
using arith::CmpIPredicate;

/// Positions on either side whose scores a position weighs, too.
static constexpr int64_t neighboursAside = 2;

static Value compare(ImplicitLocOpBuilder &b, CmpIPredicate predicate, Value a, Value other) {
  return arith::CmpIOp::create(b, predicate, a, other);
}

static Value getIndex(ImplicitLocOpBuilder &b, int64_t number) {
  return arith::ConstantIndexOp::create(b, number);
}

/// `position` and so many.
static Value shift(ImplicitLocOpBuilder &b, Value position, int64_t distance) {
  return arith::AddIOp::create(b, position, getIndex(b, distance));
}

/// `count` and 1 where a condition holds.
static Value countIf(ImplicitLocOpBuilder &b, Value condition, Value count) {
  return arith::AddIOp::create(b, count, arith::ExtUIOp::create(b, count.getType(), condition));
}

Value llmc::countSinceChoice(ImplicitLocOpBuilder &b, KVCacheType cache, Value position) {
  // Of every `observed` positions one is the first, and so is the first beyond the budget.
  int64_t observed = cache.getObserved(),
          ahead = llvm::alignTo(cache.getBudget(), observed) - cache.getBudget();
  return arith::RemUIOp::create(b, shift(b, position, ahead), getIndex(b, observed));
}

SmallVector<OpFoldResult> ObservedFormula::getSizes(Formula &inside) {
  return {inside.size(cache.getCapacity()), inside.size(cache.getHeads())};
}

Value ObservedFormula::isCandidate(ImplicitLocOpBuilder &b, Value t, Value gone) {
  Value end = shift(b, position, cache.getObserved() - cache.getWindow());
  Value isOld = compare(b, CmpIPredicate::slt, t, end);
  Value isLater = compare(b, CmpIPredicate::sge, t, getIndex(b, cache.getFirst()));
  Value stays =
      compare(b, CmpIPredicate::eq, gone, arith::ConstantIntOp::create(b, gone.getType(), 0));
  return arith::AndIOp::create(b, stays, arith::AndIOp::create(b, isOld, isLater));
}

Value ObservedFormula::updateMost(Formula &inside, Value sums, Value most) {
  AffineExpr t = inside.dim(0), h = inside.dim(1);
  return inside.forEach(
      getSizes(inside), inside.getBuilder().getF32Type(), {{sums, {t, h}}, {most, {t, h}}},
      [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
        Value isNew = compare(b, CmpIPredicate::sge, linalg::IndexOp::create(b, 0),
                              shift(b, position, -cache.getObserved()));
        return arith::SelectOp::create(b, isNew, v[0], max(Number(b, v[1]), Number(b, v[0])));
      });
}

Value ObservedFormula::getRanks(Formula &inside, Value gone) {
  AffineExpr t = inside.dim(0), h = inside.dim(1), other = inside.dim(2);
  return inside.reduce(
      getSizes(inside), {t, h}, inside.getBuilder().getI64IntegerAttr(0),
      {{gone, {t, h}}, {gone, {other, h}}}, [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
        Value place = linalg::IndexOp::create(b, 0), before = linalg::IndexOp::create(b, 2);
        Value counts = arith::AndIOp::create(b, isCandidate(b, before, v[1]),
                                             compare(b, CmpIPredicate::slt, before, place));
        return countIf(b, counts, v[2]);
      });
}

Value ObservedFormula::getWeights(Formula &inside, Value scores, Value gone, Value ranks) {
  AffineExpr t = inside.dim(0), h = inside.dim(1), other = inside.dim(2);
  return inside.reduce(
      getSizes(inside), {t, h}, inside.getBuilder().getF32FloatAttr(0),
      {{ranks, {t, h}}, {ranks, {other, h}}, {gone, {other, h}}, {scores, {other, h}}},
      [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
        Value distance = arith::SubIOp::create(b, v[1], v[0]);
        auto limit = [&](int64_t number) -> Value {
          return arith::ConstantIntOp::create(b, b.getI64Type(), number);
        };
        Value isNear = arith::AndIOp::create(
            b, compare(b, CmpIPredicate::sge, distance, limit(-neighboursAside)),
            compare(b, CmpIPredicate::sle, distance, limit(neighboursAside)));
        Value counts =
            arith::AndIOp::create(b, isNear, isCandidate(b, linalg::IndexOp::create(b, 2), v[2]));
        Value sum = Number(b, v[4]) + Number(b, v[3]);
        return arith::SelectOp::create(b, counts, sum, v[4]);
      });
}

Value ObservedFormula::getHeavier(Formula &inside, Value weights, Value gone) {
  AffineExpr t = inside.dim(0), h = inside.dim(1), other = inside.dim(2);
  return inside.reduce(
      getSizes(inside), {t, h}, inside.getBuilder().getI64IntegerAttr(0),
      {{weights, {t, h}}, {weights, {other, h}}, {gone, {other, h}}},
      [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
        Value place = linalg::IndexOp::create(b, 0), another = linalg::IndexOp::create(b, 2);
        Value isHeavier = arith::CmpFOp::create(b, CmpFPredicate::OGT, v[1], v[0]);
        Value isAfter =
            arith::AndIOp::create(b, arith::CmpFOp::create(b, CmpFPredicate::OEQ, v[1], v[0]),
                                  compare(b, CmpIPredicate::sgt, another, place));
        Value counts = arith::AndIOp::create(b, isCandidate(b, another, v[2]),
                                             arith::OrIOp::create(b, isHeavier, isAfter));
        return countIf(b, counts, v[3]);
      });
}

SmallVector<Value> ObservedFormula::chooseAnew(Formula &inside, ValueRange before) {
  AffineExpr t = inside.dim(0), h = inside.dim(1);
  Value most = updateMost(inside, before[0], before[1]), gone = before[2];
  Value weights = getWeights(inside, most, gone, getRanks(inside, gone));
  Value heavier = getHeavier(inside, weights, gone);
  auto goneType = cast<RankedTensorType>(gone.getType());
  Value after = inside.forEach(
      getSizes(inside), goneType.getElementType(), {{gone, {t, h}}, {heavier, {t, h}}},
      [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
        Value room = arith::ConstantIntOp::create(b, b.getI64Type(), cache.getHeavy());
        Value leaves = arith::AndIOp::create(b, isCandidate(b, linalg::IndexOp::create(b, 0), v[0]),
                                             compare(b, CmpIPredicate::sge, v[1], room));
        Value one = arith::ConstantIntOp::create(b, v[0].getType(), 1);
        return arith::SelectOp::create(b, leaves, one, v[0]);
      });
  Value sums = inside.forEach(
      getSizes(inside), inside.getBuilder().getF32Type(), {{before[0], {t, h}}},
      [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value { return Number(b, v[0]).constant(0); });
  return {sums, most, after};
}

SmallVector<Value> ObservedFormula::choose(ValueRange before) {
  ImplicitLocOpBuilder &builder = formula.getBuilder();
  Value isFirst = compare(builder, CmpIPredicate::eq, countSinceChoice(builder, cache, position),
                          getIndex(builder, 0));
  auto chosen = scf::IfOp::create(
      builder, isFirst,
      [&](OpBuilder &nested, Location location) {
        Formula inside(nested, location);
        scf::YieldOp::create(inside.getBuilder(), chooseAnew(inside, before));
      },
      [&](OpBuilder &nested, Location location) {
        scf::YieldOp::create(nested, location, before);
      });
  SmallVector<Value> after(chosen.getResults());
  AffineExpr t = formula.dim(0), h = formula.dim(1);
  auto goneType = cast<RankedTensorType>(after.back().getType());
  after.back() =
      formula.forEach(getSizes(formula), goneType.getElementType(), {{after.back(), {t, h}}},
                      [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                        Value isNew =
                            compare(b, CmpIPredicate::eq, linalg::IndexOp::create(b, 0), position);
                        Value zero = arith::ConstantIntOp::create(b, v[0].getType(), 0);
                        return arith::SelectOp::create(b, isNew, zero, v[0]);
                      });
  return after;
}
