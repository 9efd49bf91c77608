//===- ConvertAttention.cpp - caches as tensors, and attention over all their positions ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HeavyHitterFormula.h"
#include "Patterns.h"
#include "llmc/Dialect/LLMC/IR/CacheLayout.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <limits>

using namespace mlir;
using namespace llmc;

static Value toIndex(ImplicitLocOpBuilder &b, Value integer) {
  return arith::IndexCastOp::create(b, b.getIndexType(), integer);
}

//===----------------------------------------------------------------------===//
// cache_append
//===----------------------------------------------------------------------===//

/// Writes row `row` of `rows`, [rows, heads, elements], at a sequence and position.
static Value insertRow(Formula &formula, Value rows, Value row, Value cache, Value sequence,
                       Value position) {
  ImplicitLocOpBuilder &b = formula.getBuilder();
  auto type = cast<RankedTensorType>(rows.getType());
  OpFoldResult zero = formula.size(0), one = formula.size(1);
  OpFoldResult heads = formula.sizeOf(rows, 1), size = formula.sizeOf(rows, 2);
  auto rowType = RankedTensorType::get(type.getShape().drop_front(), type.getElementType());
  Value slice = tensor::ExtractSliceOp::create(
      b, rowType, rows, ArrayRef<OpFoldResult>{row, zero, zero},
      ArrayRef<OpFoldResult>{one, heads, size}, ArrayRef<OpFoldResult>{one, one, one});
  return tensor::InsertSliceOp::create(
      b, slice, cache, ArrayRef<OpFoldResult>{sequence, position, zero, zero},
      ArrayRef<OpFoldResult>{one, one, heads, size}, ArrayRef<OpFoldResult>{one, one, one, one});
}

namespace {

struct ConvertCacheAppend : OpConversionPattern<CacheAppendOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(CacheAppendOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Formula formula(rewriter, op.getLoc());
    PlainRows rows = PlainRows::get(adaptor.getRows());
    KVCacheType type = op.getCache().getType();
    auto encode = [&](CacheEncodingInterface encoding, ValueRange written) {
      Value numbers = formula.splitHeads(written.front(), type.getHeads());
      SmallVector<Value> stored;
      // What positions share is rounded where it is read.
      if (getCachePositions(encoding) == 1)
        stored = encoding.buildPlanes(formula, numbers);
      if (type.keepsExact(encoding)) {
        CacheEncodingInterface half = PlainAttr::get(getContext(), Float16Type::get(getContext()));
        llvm::append_range(stored, half.buildPlanes(formula, numbers));
      }
      return stored;
    };
    SmallVector<Value> planes = encode(type.getKeys(), adaptor.getKeys());
    llvm::append_range(planes, encode(type.getValues(), adaptor.getValues()));
    ImplicitLocOpBuilder &builder = formula.getBuilder();
    Value zero = arith::ConstantIndexOp::create(builder, 0);
    Value one = arith::ConstantIndexOp::create(builder, 1);
    Value count =
        getValueOrCreateConstantIndexOp(builder, op.getLoc(), formula.sizeOf(planes[0], 0));
    ValueRange before = adaptor.getCache();
    auto loop = scf::ForOp::create(
        builder, zero, count, one, before.take_front(planes.size()),
        [&](OpBuilder &nested, Location location, Value row, ValueRange caches) {
          Formula inside(nested, location);
          ImplicitLocOpBuilder &b = inside.getBuilder();
          Value sequence = toIndex(b, tensor::ExtractOp::create(b, rows.sequences, row));
          Value position = toIndex(b, tensor::ExtractOp::create(b, rows.positions, row));
          SmallVector<Value> next;
          for (auto [plane, cache] : llvm::zip_equal(planes, caches))
            next.push_back(insertRow(inside, plane, row, cache, sequence, position));
          scf::YieldOp::create(b, next);
        });
    SmallVector<Value> after(loop.getResults());
    llvm::append_range(after, before.drop_front(planes.size()));
    rewriter.replaceOpWithMultiple(op, ArrayRef<ValueRange>{after});
    return success();
  }
};

namespace {

/// What positions share is rounded where it is read.
struct ConvertCacheRound : OpConversionPattern<CacheRoundOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(CacheRoundOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOpWithMultiple(op, ArrayRef<ValueRange>{adaptor.getCache()});
    return success();
  }
};

} // namespace

//===----------------------------------------------------------------------===//
// attention
//===----------------------------------------------------------------------===//

/// One attention's way from queries to results. Dimensions are named r (row), h (query head), t
/// (position) and d (element of a head).
class AttentionFormula {
public:
  /// `gone` is, where the cache chooses positions, [t, key/value head]: which the only row does not
  /// read.
  AttentionFormula(AttentionOp op, OpBuilder &builder, PlainRows rows, Value sinks,
                   Value gone = Value())
      : op(op), formula(builder, op.getLoc()), rows(rows),
        sinks(sinks ? formula.widen(sinks) : Value()), gone(gone),
        f32(formula.getBuilder().getF32Type()), cache(op.getCache().getType()) {}

  /// [r, h, t]: what each row and head weighs positions with.
  Value buildWeights(Value query, PlainCache plain);
  /// [r, heads side by side]
  Value buildResult(Value weights, PlainCache plain);

private:
  /// Whether position `t` is one that a row at `position` attends to in a key/value head.
  Value isRead(ImplicitLocOpBuilder &b, Value t, Value head, Value position);
  /// What the distance of position `t` from a row's adds to the scores of the head that is
  /// dimension 1.
  Number getBias(ImplicitLocOpBuilder &b, Value slopes, Value t, Value position);
  /// [r, t, key/value head, d]: what row r reads of the planes of keys or values; zero where it
  /// reads nothing.
  Value read(CacheEncodingInterface encoding, ValueRange tensors);
  /// The same of a number that is kept exactly too.
  Value readRounded(ImplicitLocOpBuilder &b, CacheEncodingInterface encoding, ValueRange tensors,
                    ValueRange place);
  /// Whether a row at `position` reads position `t` as it was before it was rounded.
  Value isExact(ImplicitLocOpBuilder &b, CacheEncodingInterface encoding, Value t, Value position);
  /// [r, h, t]
  Value getScores(Value query, Value keys);
  Value getSoftmax(Value scores);

  AttentionOp op;
  Formula formula;
  PlainRows rows;
  Value sinks; ///< [h], or null
  Value gone;
  Type f32;
  KVCacheType cache;
};

} // namespace

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
  Value isFirst = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, t,
                                        arith::ConstantIndexOp::create(b, cache.getFirst()));
  Value isKept = arith::OrIOp::create(b, isFirst, isNear(cache.getWindow()));
  if (gone) {
    Value isGone = tensor::ExtractOp::create(b, gone, ValueRange{t, head});
    Value zero = arith::ConstantIntOp::create(b, isGone.getType(), 0);
    isKept = arith::OrIOp::create(b, isKept,
                                  arith::CmpIOp::create(b, arith::CmpIPredicate::eq, isGone, zero));
  }
  return arith::AndIOp::create(b, isRead, isKept);
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

/// `place` is [sequence, position, head, element].
Value AttentionFormula::readRounded(ImplicitLocOpBuilder &b, CacheEncodingInterface encoding,
                                    ValueRange tensors, ValueRange place) {
  if (getCachePositions(encoding) != 1) {
    Value size = arith::ConstantIndexOp::create(b, cache.getHeadSize());
    Value element = arith::AddIOp::create(b, arith::MulIOp::create(b, place[2], size), place[3]);
    return tensor::ExtractOp::create(b, tensors[0], ValueRange{place[0], element, place[1]});
  }
  SmallVector<Value> elements;
  SmallVector<Plane> planes = encoding.getPlanes({1, cache.getHeadSize()});
  for (auto [plane, tensor] : llvm::zip_equal(planes, tensors)) {
    Value index = place[3];
    if (plane.columns == Plane::all)
      index = arith::ConstantIndexOp::create(b, 0);
    else if (plane.columns > 1)
      index = arith::DivUIOp::create(b, index, arith::ConstantIndexOp::create(b, plane.columns));
    elements.push_back(
        tensor::ExtractOp::create(b, tensor, ValueRange{place[0], place[1], place[2], index}));
  }
  return EncodingInterface(encoding).buildValue(b, planes, elements);
}

Value AttentionFormula::read(CacheEncodingInterface encoding, ValueRange tensors) {
  AffineExpr r = formula.dim(0);
  SmallVector<Value> rounded(tensors);
  Value exact;
  if (cache.keepsExact(encoding))
    exact = rounded.pop_back_val();
  if (getCachePositions(encoding) != 1)
    rounded = {encoding.buildRounded(formula, exact)};
  return formula.forEach(
      {formula.sizeOf(rows.positions, 0), formula.size(cache.getCapacity()),
       formula.size(cache.getHeads()), formula.size(cache.getHeadSize())},
      f32, {{rows.sequences, {r}}, {rows.positions, {r}}},
      [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
        Value t = linalg::IndexOp::create(b, 1), head = linalg::IndexOp::create(b, 2),
              d = linalg::IndexOp::create(b, 3), position = toIndex(b, v[1]);
        SmallVector<Value> place{toIndex(b, v[0]), t, head, d};
        Value element = readRounded(b, encoding, rounded, place);
        if (exact) {
          Value half = tensor::ExtractOp::create(b, exact, place);
          Value wide = arith::ExtFOp::create(b, f32, half);
          element = arith::SelectOp::create(b, isExact(b, encoding, t, position), wide, element);
        }
        Value nothing = Number(b, element).constant(0);
        return arith::SelectOp::create(b, isRead(b, t, head, position), element, nothing);
      });
}

Value AttentionFormula::getScores(Value query, Value keys) {
  AffineExpr r = formula.dim(0), h = formula.dim(1), t = formula.dim(2), d = formula.dim(3);
  int64_t heads = op.getHeads(), headsPerKey = heads / cache.getHeads();
  SmallVector<OpFoldResult> sizes{formula.sizeOf(query, 0), formula.size(heads),
                                  formula.size(cache.getCapacity())};
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

Value AttentionFormula::buildWeights(Value query, PlainCache plain) {
  query = formula.splitHeads(query, op.getHeads());
  return getSoftmax(getScores(query, read(cache.getKeys(), plain.keys)));
}

Value AttentionFormula::buildResult(Value weights, PlainCache plain) {
  AffineExpr r = formula.dim(0), h = formula.dim(1), d = formula.dim(2), t = formula.dim(3);
  int64_t headsPerKey = op.getHeads() / cache.getHeads();
  Value result = formula.sumOfProducts(
      {formula.sizeOf(weights, 0), formula.sizeOf(weights, 1), formula.size(cache.getHeadSize())},
      {r, h, d}, {weights, {r, h, t}},
      {read(cache.getValues(), plain.values), {r, t, h.floorDiv(headsPerKey), d}});
  return formula.joinHeads(result);
}

/// Row `row` alone of a tensor of rows.
static Value sliceRow(Formula &formula, Value rows, Value row) {
  ImplicitLocOpBuilder &b = formula.getBuilder();
  auto type = cast<RankedTensorType>(rows.getType());
  SmallVector<int64_t> shape(type.getShape());
  shape.front() = 1;
  SmallVector<OpFoldResult> offsets(shape.size(), formula.size(0)),
      strides(shape.size(), formula.size(1)), sizes;
  offsets.front() = row;
  for (int64_t size : shape)
    sizes.push_back(formula.size(size));
  return tensor::ExtractSliceOp::create(b, type.clone(shape), rows, offsets, sizes, strides);
}

namespace {

/// An attention over a cache that chooses positions: row by row, in their order.
class OrderedAttention {
public:
  OrderedAttention(AttentionOp op, PlainRows rows, Value sinks, Value query, PlainCache plain)
      : op(op), cache(op.getCache().getType()), rows(rows), sinks(sinks), query(query),
        plain(plain) {}

  /// The result, and scores and what is gone afterwards.
  SmallVector<Value> build(OpBuilder &builder) {
    Formula formula(builder, op.getLoc());
    ImplicitLocOpBuilder &b = formula.getBuilder();
    Value zero = arith::ConstantIndexOp::create(b, 0), one = arith::ConstantIndexOp::create(b, 1);
    Value count = getValueOrCreateConstantIndexOp(b, op.getLoc(), formula.sizeOf(query, 0));
    Value empty = tensor::EmptyOp::create(b, {formula.sizeOf(query, 0), formula.sizeOf(query, 1)},
                                          b.getF32Type());
    SmallVector<Value> carried{formula.castTo(empty, query.getType())};
    llvm::append_range(carried, plain.choice);
    auto loop =
        scf::ForOp::create(b, zero, count, one, carried,
                           [&](OpBuilder &nested, Location location, Value row, ValueRange before) {
                             scf::YieldOp::create(nested, location, buildRow(nested, row, before));
                           });
    return loop.getResults();
  }

private:
  SmallVector<Value> buildRow(OpBuilder &builder, Value row, ValueRange before) {
    Formula formula(builder, op.getLoc());
    ImplicitLocOpBuilder &b = formula.getBuilder();
    Value sequence = toIndex(b, tensor::ExtractOp::create(b, rows.sequences, row));
    Value position = toIndex(b, tensor::ExtractOp::create(b, rows.positions, row));
    Value scores = takeChoice(formula, before[1], sequence),
          gone = takeChoice(formula, before[2], sequence);
    HeavyHitterFormula hitters(formula, cache, position);
    gone = hitters.evict(scores, gone);
    PlainRows own{sliceRow(formula, rows.sequences, row), sliceRow(formula, rows.positions, row),
                  Value()};
    AttentionFormula attention(op, builder, own, sinks, gone);
    Value weights = attention.buildWeights(sliceRow(formula, query, row), plain);
    Value result = attention.buildResult(weights, plain);
    OpFoldResult zero = formula.size(0), one = formula.size(1);
    Value results = tensor::InsertSliceOp::create(
        b, result, before[0], ArrayRef<OpFoldResult>{row, zero},
        ArrayRef<OpFoldResult>{one, formula.sizeOf(result, 1)}, ArrayRef<OpFoldResult>{one, one});
    return {results, putChoice(formula, hitters.addWeights(scores, weights), before[1], sequence),
            putChoice(formula, gone, before[2], sequence)};
  }

  /// [t, key/value head] of a sequence.
  Value takeChoice(Formula &formula, Value all, Value sequence) {
    auto type = RankedTensorType::get({cache.getCapacity(), cache.getHeads()},
                                      cast<RankedTensorType>(all.getType()).getElementType());
    return tensor::ExtractSliceOp::create(formula.getBuilder(), type, all,
                                          getOffsets(formula, sequence), getSizes(formula),
                                          getStrides(formula));
  }
  Value putChoice(Formula &formula, Value own, Value all, Value sequence) {
    return tensor::InsertSliceOp::create(formula.getBuilder(), own, all,
                                         getOffsets(formula, sequence), getSizes(formula),
                                         getStrides(formula));
  }
  SmallVector<OpFoldResult> getOffsets(Formula &formula, Value sequence) {
    OpFoldResult zero = formula.size(0);
    return {sequence, zero, zero, zero};
  }
  SmallVector<OpFoldResult> getSizes(Formula &formula) {
    return {formula.size(1), formula.size(cache.getCapacity()), formula.size(cache.getHeads()),
            formula.size(1)};
  }
  SmallVector<OpFoldResult> getStrides(Formula &formula) {
    return SmallVector<OpFoldResult>(4, formula.size(1));
  }

  AttentionOp op;
  KVCacheType cache;
  PlainRows rows;
  Value sinks, query;
  PlainCache plain;
};

struct ConvertAttention : OpConversionPattern<AttentionOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(AttentionOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Value sinks = op.getSinks() ? adaptor.getSinks().front() : Value();
    Value query = adaptor.getQuery().front();
    PlainRows rows = PlainRows::get(adaptor.getRows());
    PlainCache plain = PlainCache::get(op.getCache().getType(), adaptor.getCache());
    if (!op.getUpdated()) {
      AttentionFormula formula(op, rewriter, rows, sinks);
      rewriter.replaceOp(op, formula.buildResult(formula.buildWeights(query, plain), plain));
      return success();
    }
    SmallVector<Value> built = OrderedAttention(op, rows, sinks, query, plain).build(rewriter);
    SmallVector<Value> updated(plain.keys);
    llvm::append_range(updated, plain.values);
    llvm::append_range(updated, ArrayRef(built).drop_front());
    rewriter.replaceOpWithMultiple(op, SmallVector<SmallVector<Value>>{{built.front()}, updated});
    return success();
  }
};

} // namespace

void llmc::populateAttentionPatterns(const TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<ConvertCacheAppend, ConvertCacheRound, ConvertAttention>(converter,
                                                                        patterns.getContext());
}
