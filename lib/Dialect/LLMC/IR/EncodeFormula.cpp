//===- EncodeFormula.cpp - what a cache is given, in plain arithmetic ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every step of an encoding's arithmetic is a tensor of all numbers of all heads and rows.
//
//===----------------------------------------------------------------------===//

#include "TakenBytes.h"
#include "llmc/Dialect/LLMC/IR/CacheLayout.h"
#include "llmc/Dialect/LLMC/IR/SmallFloat.h"
#include "llmc/Support/Formula.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <limits>

using namespace mlir;
using namespace llmc;

namespace {

/// Operands are tensors [rows, heads, size] of f32 or i32.
class TensorBuilder final : public EncodeBuilder {
public:
  TensorBuilder(Formula &formula, Value heads, int64_t group)
      : formula(formula), group(group), size(cast<RankedTensorType>(heads.getType()).getDimSize(2)),
        sizes{formula.sizeOf(heads, 0), formula.sizeOf(heads, 1), formula.sizeOf(heads, 2)} {}

  static Operand make(Value value) { return Operand(value.getAsOpaquePointer()); }
  static Value toValue(Operand operand) { return Value::getFromOpaquePointer(operand.getHandle()); }

  /// An operand as the plane stores it, [rows, heads, elements].
  Value store(Operand operand, const Plane &plane) {
    Value value = toValue(operand);
    if (plane.columns != 1 || plane.rows != 1)
      value = pickFirst(value);
    auto type = cast<RankedTensorType>(value.getType());
    if (type.getElementType() == plane.element)
      return value;
    if (std::optional<SmallFloat> small = SmallFloat::get(plane.element))
      return storeSmallFloats(value, *small);
    Type stored = type.clone(getUnpackedType(plane));
    if (plane.isFloat())
      return arith::TruncFOp::create(formula.getBuilder(), stored, value);
    return arith::TruncIOp::create(formula.getBuilder(), stored, value);
  }

  Operand integer(int32_t value) override {
    return apply(i32(), {}, [=](ImplicitLocOpBuilder &b, ValueRange) -> Value {
      return arith::ConstantIntOp::create(b, value, 32);
    });
  }
  Operand add(Operand a, Operand c) override { return binary<arith::AddIOp>(a, c); }
  Operand subtract(Operand a, Operand c) override { return binary<arith::SubIOp>(a, c); }
  Operand bitAnd(Operand a, Operand c) override { return binary<arith::AndIOp>(a, c); }
  Operand shiftRight(Operand a, unsigned bits) override {
    return binary<arith::ShRUIOp>(a, integer(static_cast<int32_t>(bits)));
  }
  Operand shiftLeft(Operand a, Operand bits) override { return binary<arith::ShLIOp>(a, bits); }
  Operand takeBytes(Operand bytes, Operand places) override {
    return apply(i32(), {bytes, places}, [](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
      return buildTakenBytes(b, v[0], v[1]);
    });
  }
  Operand lookUpByte(Operand, Operand) override {
    llvm_unreachable("caches have no planes that are tables");
  }
  Operand lookUpInteger(ArrayRef<int32_t> table, Operand index) override {
    return lookUpIn(formula.getBuilder().getI32TensorAttr(table), index);
  }
  Operand selectEqual(Operand a, Operand c, Operand then, Operand otherwise) override {
    return apply(elementOf(then), {a, c, then, otherwise},
                 [](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                   Value equal =
                       arith::CmpIOp::create(b, arith::CmpIPredicate::eq, v[0], v[1]).getResult();
                   return arith::SelectOp::create(b, equal, v[2], v[3]);
                 });
  }

  Operand real(float value) override {
    return apply(f32(), {}, [=](ImplicitLocOpBuilder &b, ValueRange) -> Value {
      return arith::ConstantOp::create(b, b.getF32FloatAttr(value));
    });
  }
  Operand toReal(Operand integer) override {
    return apply(f32(), {integer}, [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
      return arith::SIToFPOp::create(b, f32(), v[0]);
    });
  }
  Operand multiply(Operand a, Operand c) override { return binary<arith::MulFOp>(a, c); }
  Operand multiplyAdd(Operand a, Operand c, Operand added) override {
    return binary<arith::AddFOp>(multiply(a, c), added);
  }
  Operand lookUp(ArrayRef<float> table, Operand index) override {
    auto type = RankedTensorType::get({static_cast<int64_t>(table.size())}, f32());
    return lookUpIn(DenseElementsAttr::get(type, table), index);
  }

  Operand absolute(Operand a) override {
    return apply(f32(), {a}, [](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
      return abs(Number(b, v[0]));
    });
  }
  Operand divide(Operand a, Operand c) override { return binary<arith::DivFOp>(a, c); }
  Operand squareRoot(Operand a) override {
    return apply(f32(), {a}, [](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
      return sqrt(Number(b, v[0]));
    });
  }
  Operand largest(Operand a) override;
  Operand sum(Operand a) override;
  Operand countBelow(ArrayRef<float> limits, Operand a) override {
    return apply(i32(), {a}, [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
      Number x(b, v[0]);
      Value count = arith::ConstantIntOp::create(b, 0, 32);
      for (float limit : limits) {
        Value isAbove =
            arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, x, Value(x.constant(limit)));
        count = arith::AddIOp::create(b, count, arith::ExtUIOp::create(b, i32(), isAbove));
      }
      return count;
    });
  }
  Operand roundTo(Operand a, Type element) override {
    if (element == f32())
      return a;
    return apply(f32(), {a}, [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
      Value narrow = arith::TruncFOp::create(b, element, v[0]);
      return arith::ExtFOp::create(b, f32(), narrow);
    });
  }
  Operand roundToInteger(Operand a, int32_t low, int32_t high) override {
    return apply(i32(), {a}, [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
      Number x(b, v[0]);
      auto cut = [&](arith::CmpFPredicate keeps, double limit) {
        Value end = x.constant(limit);
        Value isInside = arith::CmpFOp::create(b, keeps, x, end);
        x = Number(b, arith::SelectOp::create(b, isInside, x, end));
      };
      // No number is inside of anything.
      cut(arith::CmpFPredicate::OGT, low);
      cut(arith::CmpFPredicate::OLT, high);
      return arith::FPToSIOp::create(b, i32(), roundEven(x));
    });
  }

private:
  Type f32() { return formula.getBuilder().getF32Type(); }
  Type i32() { return formula.getBuilder().getI32Type(); }
  static Type elementOf(Operand operand) {
    return cast<RankedTensorType>(toValue(operand).getType()).getElementType();
  }
  SmallVector<AffineExpr> place() { return {formula.dim(0), formula.dim(1), formula.dim(2)}; }

  /// A tensor whose elements are `body` of those of `operands`.
  Operand apply(Type element, ArrayRef<Operand> operands, Body body) {
    SmallVector<Term> terms;
    for (Operand operand : operands)
      terms.push_back({toValue(operand), place()});
    return make(formula.forEach(sizes, element, terms, body));
  }
  template <typename OpTy>
  Operand binary(Operand a, Operand c) {
    return apply(elementOf(a), {a, c}, [](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
      return OpTy::create(b, v[0], v[1]);
    });
  }

  Operand lookUpIn(DenseElementsAttr table, Operand index) {
    Value constant = arith::ConstantOp::create(formula.getBuilder(), table);
    return apply(table.getElementType(), {index},
                 [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                   Value place = arith::IndexCastUIOp::create(b, b.getIndexType(), v[0]);
                   return tensor::ExtractOp::create(b, constant, place);
                 });
  }

  /// What a plane of these floats holds of numbers: their codes.
  Value storeSmallFloats(Value numbers, const SmallFloat &type) {
    auto sizesOf = [&](int64_t dim) { return formula.sizeOf(numbers, dim); };
    return formula.forEach({sizesOf(0), sizesOf(1), sizesOf(2)}, formula.getBuilder().getI8Type(),
                           {{numbers, place()}},
                           [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                             Value code = buildSmallFloatCode(b, b.getLoc(), type, v[0]);
                             return arith::TruncIOp::create(b, b.getI8Type(), code);
                           });
  }
  /// A number of each group, [rows, heads, groups], to all of the group.
  Operand spread(Value ofGroups) {
    return make(formula.forEach(
        sizes, f32(),
        {{ofGroups, {formula.dim(0), formula.dim(1), formula.dim(2).floorDiv(group)}}},
        [](ImplicitLocOpBuilder &, ValueRange v) { return v[0]; }));
  }

  OpFoldResult getGroups() { return formula.size((size + group - 1) / group); }

  /// [rows, heads, groups]: the first number of each group.
  Value pickFirst(Value tensor) {
    return formula.forEach(
        {sizes[0], sizes[1], getGroups()},
        cast<RankedTensorType>(tensor.getType()).getElementType(), {},
        [&](ImplicitLocOpBuilder &b, ValueRange) -> Value {
          Value width = arith::ConstantIndexOp::create(b, group);
          SmallVector<Value> indices{linalg::IndexOp::create(b, 0), linalg::IndexOp::create(b, 1)};
          indices.push_back(
              arith::MulIOp::create(b, linalg::IndexOp::create(b, 2), width).getResult());
          return tensor::ExtractOp::create(b, tensor, indices);
        });
  }

  Formula &formula;
  int64_t group, size;
  SmallVector<OpFoldResult> sizes;
};

} // namespace

DecodeBuilder::Operand TensorBuilder::largest(Operand a) {
  AffineExpr r = formula.dim(0), h = formula.dim(1), i = formula.dim(2);
  float least = -std::numeric_limits<float>::infinity();
  Value maxima =
      formula.reduce({sizes[0], sizes[1], getGroups()}, {r, h, i.floorDiv(group)},
                     formula.getBuilder().getF32FloatAttr(least), {{toValue(a), {r, h, i}}},
                     [](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                       return max(Number(b, v[1]), Number(b, v[0]));
                     });
  return spread(maxima);
}

DecodeBuilder::Operand TensorBuilder::sum(Operand a) {
  constexpr int64_t together = 16;
  AffineExpr r = formula.dim(0), h = formula.dim(1), i = formula.dim(2);
  int64_t groups = (size + group - 1) / group;
  // [rows, heads, groups · 16]
  Value sums = formula.reduce({sizes[0], sizes[1], formula.size(groups * together)},
                              {r, h, i.floorDiv(group) * together + i % together},
                              formula.getBuilder().getF32FloatAttr(0), {{toValue(a), {r, h, i}}},
                              [](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                                return Number(b, v[1]) + Number(b, v[0]);
                              });
  for (int64_t half = together / 2; half >= 1; half /= 2) {
    AffineExpr first = i.floorDiv(half) * (2 * half) + i % half;
    sums = formula.forEach({sizes[0], sizes[1], formula.size(groups * half)}, f32(),
                           {{sums, {r, h, first}}, {sums, {r, h, first + half}}},
                           [](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                             return Number(b, v[0]) + Number(b, v[1]);
                           });
  }
  return spread(sums);
}

/// The planes of rows of lines of numbers, of which `group` share elements.
static SmallVector<Value> buildPlanesOf(const CacheEncodingInterface &encoding, Formula &formula,
                                        Value lines, int64_t group, ArrayRef<Plane> planes) {
  TensorBuilder builder(formula, lines, group);
  SmallVector<Value> stored;
  for (auto [operand, plane] :
       llvm::zip_equal(encoding.encode(builder, TensorBuilder::make(lines)), planes))
    stored.push_back(builder.store(operand, plane));
  return stored;
}

SmallVector<Value> CacheEncodingInterface::buildPlanes(Formula &formula, Value heads) const {
  int64_t size = cast<RankedTensorType>(heads.getType()).getDimSize(2);
  return buildPlanesOf(*this, formula, heads, getCacheGroup(*this, size), getPlanes({1, size}));
}

SmallVector<Value> llmc::buildGroupPlanes(CacheEncodingInterface encoding, Formula &formula,
                                          Value lines) {
  return buildPlanesOf(encoding, formula, lines, getCachePositions(encoding),
                       encoding.getPlanes({1, 1}));
}

Value CacheEncodingInterface::buildRounded(Formula &formula, Value keys) const {
  auto type = cast<RankedTensorType>(keys.getType());
  int64_t size = type.getDimSize(3);
  AffineExpr sequence = formula.dim(0), element = formula.dim(1), position = formula.dim(2);
  Type f32 = formula.getBuilder().getF32Type();
  // Those that share elements side by side.
  Value lines =
      formula.forEach({formula.sizeOf(keys, 0), formula.size(type.getDimSize(2) * size),
                       formula.size(type.getDimSize(1))},
                      f32, {{keys, {sequence, position, element.floorDiv(size), element % size}}},
                      [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                        return arith::ExtFOp::create(b, f32, v[0]);
                      });
  TensorBuilder builder(formula, lines, getCachePositions(*this));
  SmallVector<DecodeBuilder::Operands> elements;
  for (DecodeBuilder::Operand operand : encode(builder, TensorBuilder::make(lines)))
    elements.push_back({operand});
  return TensorBuilder::toValue(decode(builder, elements).front());
}
