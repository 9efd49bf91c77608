//===- ConvertAttention.cpp - caches as tensors, and attention over all their positions ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HeavyHitterFormula.h"
#include "ObservedFormula.h"
#include "Patterns.h"
#include "llmc/Dialect/LLMC/IR/CacheLayout.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace llmc;

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
    auto encode = [&](const CacheVectors &vectors, ValueRange written) {
      CacheEncodingInterface encoding = vectors.encoding;
      Value numbers = formula.splitHeads(written.front(), vectors.heads);
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
    SmallVector<Value> planes = encode(type.getKeyVectors(), adaptor.getKeys());
    llvm::append_range(planes, encode(type.getValueVectors(), adaptor.getValues()));
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

/// A number of planes, in which `place` has an element of each.
static Value readPlanes(ImplicitLocOpBuilder &b, CacheEncodingInterface encoding, int64_t headSize,
                        ArrayRef<Value> tensors, const CachePlace &place) {
  SmallVector<Value> elements;
  SmallVector<Plane> planes = encoding.getPlanes({1, headSize});
  for (auto [plane, tensor] : llvm::zip_equal(planes, tensors)) {
    Value index = place.element;
    if (plane.columns == Plane::all)
      index = arith::ConstantIndexOp::create(b, 0);
    else if (plane.columns > 1)
      index = arith::DivUIOp::create(b, index, arith::ConstantIndexOp::create(b, plane.columns));
    elements.push_back(tensor::ExtractOp::create(
        b, tensor, ValueRange{place.sequence, place.position, place.head, index}));
  }
  return EncodingInterface(encoding).buildValue(b, planes, elements);
}

/// How what is stored of keys or values is read.
static CacheNumbers readNumbers(Formula &formula, KVCacheType cache, const CacheVectors &vectors,
                                ValueRange stored) {
  const int64_t size = vectors.size;
  CacheEncodingInterface encoding = vectors.encoding;
  SmallVector<Value> planes(stored);
  CacheNumbers numbers;
  Value exact;
  if (cache.keepsExact(encoding)) {
    exact = planes.pop_back_val();
    numbers.exact = [=](ImplicitLocOpBuilder &b, const CachePlace &place) -> Value {
      Value half = tensor::ExtractOp::create(
          b, exact, ValueRange{place.sequence, place.position, place.head, place.element});
      return arith::ExtFOp::create(b, b.getF32Type(), half);
    };
  }
  if (getCachePositions(encoding) == 1) {
    numbers.rounded = [=](ImplicitLocOpBuilder &b, const CachePlace &place) {
      return readPlanes(b, encoding, size, planes, place);
    };
    return numbers;
  }
  Value rounded = encoding.buildRounded(formula, exact);
  numbers.rounded = [=](ImplicitLocOpBuilder &b, const CachePlace &place) -> Value {
    Value first =
        arith::MulIOp::create(b, place.head, arith::ConstantIndexOp::create(b, size)).getResult();
    Value element = arith::AddIOp::create(b, first, place.element);
    return tensor::ExtractOp::create(b, rounded,
                                     ValueRange{place.sequence, element, place.position});
  };
  return numbers;
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

  /// The result, and what is known of positions afterwards.
  SmallVector<Value> build(OpBuilder &builder) {
    Formula formula(builder, op.getLoc());
    ImplicitLocOpBuilder &b = formula.getBuilder();
    Value zero = arith::ConstantIndexOp::create(b, 0), one = arith::ConstantIndexOp::create(b, 1);
    Value count = getValueOrCreateConstantIndexOp(b, op.getLoc(), formula.sizeOf(query, 0));
    int64_t width = op.getResult().getType().getDimSize(1);
    Value empty =
        tensor::EmptyOp::create(b, {formula.sizeOf(query, 0), formula.size(width)}, b.getF32Type());
    SmallVector<Value> carried{formula.castTo(empty, op.getResult().getType())};
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
    SmallVector<Value> choice;
    for (Value all : before.drop_front())
      choice.push_back(takeChoice(formula, all, sequence));
    HeavyHitterFormula hitters(formula, cache, position);
    if (cache.getObserved() == 0)
      choice.back() = hitters.evict(choice.front(), choice.back());
    else
      choice = ObservedFormula(formula, cache, position).choose(choice);
    PlainRows own{sliceRow(formula, rows.sequences, row), sliceRow(formula, rows.positions, row),
                  Value()};
    AttentionFormula attention(op, builder, own, sinks, cache.getCapacity(), choice.back());
    Value weights =
        attention.buildWeights(sliceRow(formula, query, row),
                               readNumbers(formula, cache, cache.getKeyVectors(), plain.keys));
    Value result = attention.buildResult(
        weights, readNumbers(formula, cache, cache.getValueVectors(), plain.values));
    OpFoldResult zero = formula.size(0), one = formula.size(1);
    Value results = tensor::InsertSliceOp::create(
        b, result, before[0], ArrayRef<OpFoldResult>{row, zero},
        ArrayRef<OpFoldResult>{one, formula.sizeOf(result, 1)}, ArrayRef<OpFoldResult>{one, one});
    choice.front() = hitters.addWeights(choice.front(), weights);
    SmallVector<Value> after{results};
    for (auto [own, all] : llvm::zip_equal(choice, before.drop_front()))
      after.push_back(putChoice(formula, own, all, sequence));
    return after;
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
    KVCacheType cache = op.getCache().getType();
    PlainCache plain = PlainCache::get(cache, adaptor.getCache());
    if (!op.getUpdated()) {
      Formula outside(rewriter, op.getLoc());
      CacheNumbers keys = readNumbers(outside, cache, cache.getKeyVectors(), plain.keys),
                   values = readNumbers(outside, cache, cache.getValueVectors(), plain.values);
      AttentionFormula formula(op, rewriter, rows, sinks, cache.getCapacity());
      rewriter.replaceOp(op, formula.buildResult(formula.buildWeights(query, keys), values));
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
