//===- AttentionFormula.cpp - attention, as plain arithmetic ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/LLMCToLinalg/AttentionFormula.h"
#include "ObservedFormula.h"
#include "Patterns.h"
#include "llmc/Dialect/LLMC/IR/CacheLayout.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <limits>

using namespace mlir;
using namespace llmc;

Value llmc::toIndex(ImplicitLocOpBuilder &b, Value integer) {
  return arith::IndexCastOp::create(b, b.getIndexType(), integer);
}

AttentionFormula::AttentionFormula(AttentionOp op, OpBuilder &builder, PlainRows rows, Value sinks,
                                   int64_t positions, Value gone)
    : op(op), formula(builder, op.getLoc()), rows(rows),
      sinks(sinks ? formula.widen(sinks) : Value()), positions(positions), gone(gone),
      f32(formula.getBuilder().getF32Type()), cache(op.getCache().getType()) {}

Value AttentionFormula::isRead(ImplicitLocOpBuilder &b, Value t, Value head, Value position) {
  auto isNear = [&](int64_t window) -> Value {
    Value before = arith::SubIOp::create(b, position, arith::ConstantIndexOp::create(b, window));
    return arith::CmpIOp::create(b, arith::CmpIPredicate::sgt, t, before);
  };
  Value isRead = arith::CmpIOp::create(b, arith::CmpIPredicate::sle, t, position);
  if (op.getWindow())
    isRead = arith::AndIOp::create(b, isRead, isNear(static_cast<int64_t>(*op.getWindow())));
  if (!cache.evicts())
    return isRead;
  int64_t first = cache.getFirst() + (gone ? 0 : cache.getHeavy());
  Value isFirst = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, t,
                                        arith::ConstantIndexOp::create(b, first));
  Value isOther;
  if (gone) {
    Value isGone = tensor::ExtractOp::create(b, gone, ValueRange{t, head});
    Value zero = arith::ConstantIntOp::create(b, isGone.getType(), 0);
    isOther = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, isGone, zero);
  } else if (cache.getObserved() != 0) {
    // The newest reach back from where queries have chosen last.
    Value first = arith::SubIOp::create(b, position, countSinceChoice(b, cache, position));
    Value distance =
        arith::ConstantIndexOp::create(b, cache.getObserved() - cache.getWindow()).getResult();
    isOther = arith::CmpIOp::create(b, arith::CmpIPredicate::sge, t,
                                    arith::AddIOp::create(b, first, distance).getResult());
  } else {
    isOther = isNear(cache.getWindow());
  }
  return arith::AndIOp::create(b, isRead, arith::OrIOp::create(b, isFirst, isOther));
}

Number AttentionFormula::getBias(ImplicitLocOpBuilder &b, Value slopes, Value t, Value position) {
  Value head = linalg::IndexOp::create(b, 1);
  Value slope = tensor::ExtractOp::create(b, slopes, ValueRange{head});
  Value distance = arith::SubIOp::create(b, t, position);
  distance = arith::IndexCastOp::create(b, b.getI64Type(), distance);
  distance = arith::SIToFPOp::create(b, f32, distance);
  return Number(b, slope) * Number(b, distance);
}

Value AttentionFormula::isExact(ImplicitLocOpBuilder &b, CacheEncodingInterface encoding, Value t,
                                Value position) {
  auto constant = [&](int64_t number) -> Value {
    return arith::ConstantIndexOp::create(b, number);
  };
  Value group = constant(getCachePositions(encoding));
  Value next = arith::MulIOp::create(
      b, arith::AddIOp::create(b, arith::DivUIOp::create(b, t, group), constant(1)), group);
  Value end = arith::AddIOp::create(b, next, constant(cache.getResidual() - 1));
  Value isRecent = arith::CmpIOp::create(b, arith::CmpIPredicate::sgt, end, position);
  Value isSink = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, t, constant(cache.getSinks()));
  return arith::OrIOp::create(b, isRecent, isSink);
}

Value AttentionFormula::read(const CacheVectors &vectors, const CacheNumbers &numbers) {
  AffineExpr r = formula.dim(0);
  return formula.forEach(
      {formula.sizeOf(rows.positions, 0), formula.size(positions), formula.size(vectors.heads),
       formula.size(vectors.size)},
      f32, {{rows.sequences, {r}}, {rows.positions, {r}}},
      [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
        Value t = linalg::IndexOp::create(b, 1), head = linalg::IndexOp::create(b, 2),
              d = linalg::IndexOp::create(b, 3), position = toIndex(b, v[1]);
        CachePlace place{toIndex(b, v[0]), t, head, d};
        Value element = numbers.rounded(b, place);
        if (numbers.exact) {
          Value exact = numbers.exact(b, place);
          element =
              arith::SelectOp::create(b, isExact(b, vectors.encoding, t, position), exact, element);
        }
        Value nothing = Number(b, element).constant(0);
        return arith::SelectOp::create(b, isRead(b, t, head, position), element, nothing);
      });
}

Value AttentionFormula::getScores(Value query, Value keys) {
  AffineExpr r = formula.dim(0), h = formula.dim(1), t = formula.dim(2), d = formula.dim(3);
  int64_t heads = op.getHeads(), headsPerKey = heads / cache.getHeads();
  SmallVector<OpFoldResult> sizes{formula.sizeOf(query, 0), formula.size(heads),
                                  formula.size(positions)};
  Value products = formula.sumOfProducts(sizes, {r, h, t}, {query, {r, h, d}},
                                         {keys, {r, t, h.floorDiv(headsPerKey), d}});
  Value slopes;
  if (op.getSlopes())
    slopes = arith::ConstantOp::create(
        formula.getBuilder(),
        DenseElementsAttr::get(RankedTensorType::get({heads}, f32), *op.getSlopes()));
  return formula.forEach(
      sizes, f32, {{products, {r, h, t}}, {rows.positions, {r}}},
      [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
        Number score = Number(b, v[0]) * op.getScale().convertToDouble();
        if (op.getSoftcap()) {
          double softcap = op.getSoftcap()->convertToDouble();
          score = tanh(score / softcap) * softcap;
        }
        Value t = linalg::IndexOp::create(b, 2), p = toIndex(b, v[1]);
        if (slopes)
          score = score + getBias(b, slopes, t, p);
        Value head = arith::DivUIOp::create(b, linalg::IndexOp::create(b, 1),
                                            arith::ConstantIndexOp::create(b, headsPerKey));
        Value read = isRead(b, t, head, p);
        return arith::SelectOp::create(b, read, score,
                                       score.constant(-std::numeric_limits<double>::infinity()));
      });
}

Value AttentionFormula::getSoftmax(Value scores) {
  AffineExpr r = formula.dim(0), h = formula.dim(1), t = formula.dim(2);
  ImplicitLocOpBuilder &builder = formula.getBuilder();
  SmallVector<OpFoldResult> sizes{formula.sizeOf(scores, 0), formula.sizeOf(scores, 1),
                                  formula.sizeOf(scores, 2)};
  ArrayRef<OpFoldResult> perHead = ArrayRef(sizes).drop_back();
  Value maxima = formula.reduce(
      perHead, {r, h}, builder.getF32FloatAttr(-std::numeric_limits<float>::infinity()),
      {{scores, {r, h, t}}}, [](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
        return max(Number(b, v[1]), Number(b, v[0]));
      });
  if (sinks)
    maxima = formula.forEach(perHead, f32, {{maxima, {r, h}}, {sinks, {h}}},
                             [](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                               return max(Number(b, v[0]), Number(b, v[1]));
                             });
  Value powers = formula.forEach(sizes, f32, {{scores, {r, h, t}}, {maxima, {r, h}}},
                                 [](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                                   return exp(Number(b, v[0]) - Number(b, v[1]));
                                 });
  Value sums = formula.reduce(perHead, {r, h}, builder.getF32FloatAttr(0), {{powers, {r, h, t}}},
                              [](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                                return Number(b, v[1]) + Number(b, v[0]);
                              });
  if (sinks)
    sums = formula.forEach(perHead, f32, {{sums, {r, h}}, {sinks, {h}}, {maxima, {r, h}}},
                           [](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                             return Number(b, v[0]) + exp(Number(b, v[1]) - Number(b, v[2]));
                           });
  return formula.forEach(sizes, f32, {{powers, {r, h, t}}, {sums, {r, h}}},
                         [](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                           return Number(b, v[0]) / Number(b, v[1]);
                         });
}

Value AttentionFormula::buildWeights(Value query, const CacheNumbers &keys) {
  query = formula.splitHeads(query, op.getHeads());
  return getSoftmax(getScores(query, read(cache.getKeyVectors(), keys)));
}

Value AttentionFormula::buildResult(Value weights, const CacheNumbers &values) {
  AffineExpr r = formula.dim(0), h = formula.dim(1), d = formula.dim(2), t = formula.dim(3);
  int64_t headsPerValue = op.getHeads() / cache.getValueHeads();
  Value result = formula.sumOfProducts(
      {formula.sizeOf(weights, 0), formula.sizeOf(weights, 1), formula.size(cache.getValueSize())},
      {r, h, d}, {weights, {r, h, t}},
      {read(cache.getValueVectors(), values), {r, t, h.floorDiv(headsPerValue), d}});
  return formula.joinHeads(result);
}
