//===- DecodeFormula.cpp - the values of an encoding in plain arithmetic ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The canonical form, read as CanonicalForm.h describes it (every integer is a sum of its bits,
// every float a sum of its bytes), and an encoding's arithmetic on it in double.
//
//===----------------------------------------------------------------------===//

#include "TakenBytes.h"
#include "llmc/Dialect/LLMC/IR/CanonicalForm.h"
#include "llmc/Support/Formula.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <vector>

using namespace mlir;
using namespace llmc;

//===----------------------------------------------------------------------===//
// Planes as tensors
//===----------------------------------------------------------------------===//

/// What each code of a type of floats of a byte or less stands for, as a tensor of f32.
static Value buildTable(ImplicitLocOpBuilder &b, FloatType element) {
  unsigned bits = element.getWidth();
  std::vector<float> numbers;
  for (unsigned code = 0; code < 1u << bits; ++code) {
    APFloat number(element.getFloatSemantics(), APInt(bits, code));
    bool lossy;
    number.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven, &lossy);
    numbers.push_back(number.convertToFloat());
  }
  auto type = RankedTensorType::get({static_cast<int64_t>(numbers.size())}, b.getF32Type());
  return arith::ConstantOp::create(b, DenseElementsAttr::get(type, ArrayRef(numbers)));
}

namespace {

/// Reads planes out of a tensor of bytes.
class PlaneFormula {
public:
  PlaneFormula(Formula &formula, Value bytes)
      : formula(formula), b(formula.getBuilder()), bytes(bytes) {}

  /// The elements as they are stored, [rows, columns] of the plane; integers of fewer than 8 bits
  /// as i32.
  Value read(const PlaneArray &plane) {
    if (!plane.isOfCodes())
      return readFloats(plane);
    if (plane.isStream())
      return readWindows(plane);
    Value codes = plane.getBits() == 8 ? slice(plane, {plane.arrayRows, plane.arrayColumns})
                                       : readIntegers(plane);
    return plane.isFloat() ? lookUpFloats(plane, codes) : codes;
  }

  /// The elements of a plane of kept weights alone at the places of the weights, of which `mask`
  /// has a 1, and zeros at all others.
  Value spread(const PlaneArray &plane, Value mask);
  /// What is listed for each weight of a matrix, as f64.
  Value place(const PlaneArray &positions, const PlaneArray &plane, ArrayRef<int64_t> shape);

private:
  /// Builds a loop whose body makes of what it carries what the next iteration does.
  SmallVector<Value>
  loop(int64_t size, ValueRange carried,
       llvm::function_ref<SmallVector<Value>(Value index, ValueRange inside)> body);
  /// The plane's bytes as a tensor of this shape.
  Value slice(const PlaneArray &plane, ArrayRef<int64_t> shape);
  /// 1, base, base², … as a tensor of integers.
  Value getPowers(unsigned count, unsigned base, Type type);
  Value readIntegers(const PlaneArray &plane);
  Value readWindows(const PlaneArray &plane);
  Value readFloats(const PlaneArray &plane);
  /// What codes of a type of floats stand for, as f32.
  Value lookUpFloats(const PlaneArray &plane, Value codes);

  Formula &formula;
  ImplicitLocOpBuilder &b;
  Value bytes;
};

} // namespace

Value PlaneFormula::slice(const PlaneArray &plane, ArrayRef<int64_t> shape) {
  ReassociationIndices all;
  for (size_t index = 0; index < shape.size(); ++index)
    all.push_back(static_cast<int64_t>(index));
  Value part =
      tensor::ExtractSliceOp::create(b, bytes, ArrayRef<OpFoldResult>{formula.size(plane.offset)},
                                     ArrayRef<OpFoldResult>{formula.size(plane.getByteSize())},
                                     ArrayRef<OpFoldResult>{formula.size(1)});
  auto type = RankedTensorType::get(shape, b.getI8Type());
  return tensor::ExpandShapeOp::create(b, type, part, ArrayRef<ReassociationIndices>{all});
}

Value PlaneFormula::getPowers(unsigned count, unsigned base, Type type) {
  SmallVector<APInt> powers{APInt(type.getIntOrFloatBitWidth(), 1)};
  while (powers.size() < count)
    powers.push_back(powers.back() * base);
  auto tensor = RankedTensorType::get({static_cast<int64_t>(count)}, type);
  return arith::ConstantOp::create(b, DenseElementsAttr::get(tensor, powers));
}

Value PlaneFormula::readIntegers(const PlaneArray &plane) {
  int64_t bits = plane.getBits();
  Type i32 = b.getI32Type();
  AffineExpr r = formula.dim(0), c = formula.dim(1), bit = formula.dim(2);
  AffineExpr place = c * bits + bit;
  return formula.reduce(
      {formula.size(plane.arrayRows), formula.size(plane.arrayColumns)}, {r, c},
      b.getI32IntegerAttr(0),
      {{slice(plane, {plane.arrayRows, plane.rowBytes}), {r, place.floorDiv(8)}},
       {getPowers(bits, 2, i32), {bit}}},
      [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
        Value column = linalg::IndexOp::create(b, 1), bit = linalg::IndexOp::create(b, 2);
        Value width = arith::ConstantIndexOp::create(b, bits);
        Value eight = arith::ConstantIndexOp::create(b, 8);
        Value place =
            arith::AddIOp::create(b, arith::MulIOp::create(b, column, width), bit).getResult();
        Value shift = arith::IndexCastOp::create(b, i32, arith::RemUIOp::create(b, place, eight));
        Value one = arith::ConstantIntOp::create(b, 1, 32);
        Value byte = arith::ExtUIOp::create(b, i32, v[0]);
        Value digit = arith::AndIOp::create(b, arith::ShRUIOp::create(b, byte, shift), one);
        return arith::AddIOp::create(b, v[2], arith::MulIOp::create(b, digit, v[1]));
      });
}

/// The windows of a stream as i32: bits from before a row's first are zero.
Value PlaneFormula::readWindows(const PlaneArray &plane) {
  int64_t bits = plane.getBits();
  Type i32 = b.getI32Type();
  AffineExpr r = formula.dim(0), c = formula.dim(1), bit = formula.dim(2);
  Value stored = slice(plane, {plane.arrayRows, plane.rowBytes});
  return formula.reduce(
      {formula.size(plane.arrayRows), formula.size(plane.arrayColumns)}, {r, c},
      b.getI32IntegerAttr(0), {{getPowers(plane.window, 2, i32), {bit}}},
      [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
        auto index = [&](int64_t number) -> Value {
          return arith::ConstantIndexOp::create(b, number);
        };
        Value row = linalg::IndexOp::create(b, 0), column = linalg::IndexOp::create(b, 1);
        // Where the element's own bits end.
        Value next = arith::AddIOp::create(b, column, index(1)).getResult();
        Value end = arith::MulIOp::create(b, next, index(bits)).getResult();
        if (plane.alternates)
          end = arith::AddIOp::create(b, end, arith::DivUIOp::create(b, next, index(2)));
        Value first = arith::AddIOp::create(
            b, end,
            arith::AddIOp::create(b, linalg::IndexOp::create(b, 2),
                                  index(-static_cast<int64_t>(plane.window))));
        Value zero = index(0), eight = index(8);
        Value isThere =
            arith::CmpIOp::create(b, arith::CmpIPredicate::sge, first, zero).getResult();
        Value place = arith::MaxSIOp::create(b, first, zero);
        Value byte = tensor::ExtractOp::create(
            b, stored, ValueRange{row, arith::DivUIOp::create(b, place, eight)});
        Value shift = arith::IndexCastOp::create(b, i32, arith::RemUIOp::create(b, place, eight));
        Value digit = arith::AndIOp::create(
            b, arith::ShRUIOp::create(b, arith::ExtUIOp::create(b, i32, byte), shift),
            arith::ExtUIOp::create(b, i32, isThere));
        return arith::AddIOp::create(b, v[1], arith::MulIOp::create(b, digit, v[0]));
      });
}

Value PlaneFormula::readFloats(const PlaneArray &plane) {
  int64_t size = plane.getBits() / 8;
  IntegerType integer = b.getIntegerType(plane.getBits());
  AffineExpr r = formula.dim(0), c = formula.dim(1), byte = formula.dim(2);
  Value patterns =
      formula.reduce({formula.size(plane.arrayRows), formula.size(plane.arrayColumns)}, {r, c},
                     b.getIntegerAttr(integer, 0),
                     {{slice(plane, {plane.arrayRows, plane.arrayColumns, size}), {r, c, byte}},
                      {getPowers(size, 256, integer), {byte}}},
                     [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                       Value digit = arith::ExtUIOp::create(b, integer, v[0]);
                       return arith::AddIOp::create(b, v[2], arith::MulIOp::create(b, digit, v[1]));
                     });
  auto type = RankedTensorType::get({plane.arrayRows, plane.arrayColumns}, plane.element);
  return arith::BitcastOp::create(b, type, patterns);
}

Value PlaneFormula::lookUpFloats(const PlaneArray &plane, Value codes) {
  Value table = buildTable(b, cast<FloatType>(plane.element));
  return formula.forEach({formula.size(plane.arrayRows), formula.size(plane.arrayColumns)},
                         b.getF32Type(), {{codes, {formula.dim(0), formula.dim(1)}}},
                         [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                           Value place = arith::IndexCastUIOp::create(b, b.getIndexType(), v[0]);
                           return tensor::ExtractOp::create(b, table, place);
                         });
}

SmallVector<Value> PlaneFormula::loop(int64_t size, ValueRange carried,
                                      function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  auto index = [&](int64_t number) -> Value { return arith::ConstantIndexOp::create(b, number); };
  auto done = scf::ForOp::create(b, index(0), index(size), index(1), carried,
                                 [&](OpBuilder &, Location, Value at, ValueRange inside) {
                                   scf::YieldOp::create(b, body(at, inside));
                                 });
  return SmallVector<Value>(done.getResults());
}

Value PlaneFormula::place(const PlaneArray &positions, const PlaneArray &plane,
                          ArrayRef<int64_t> shape) {
  Value columns = readIntegers(positions), numbers = readFloats(plane);
  Type f64 = b.getF64Type();
  Value none = arith::ConstantOp::create(b, b.getZeroAttr(f64));
  Value empty = formula.forEach({formula.size(shape[0]), formula.size(shape[1])}, f64, {},
                                [&](ImplicitLocOpBuilder &b, ValueRange) -> Value {
                                  return arith::ConstantOp::create(b, b.getZeroAttr(f64));
                                });
  // Numbers of one column are summed, so that this is a loop.
  auto add = [&](Value row, Value element, Value sums) -> Value {
    Value column = tensor::ExtractOp::create(b, columns, ValueRange{row, element});
    column = arith::IndexCastUIOp::create(b, b.getIndexType(), column);
    Value width = arith::ConstantIndexOp::create(b, shape[1]);
    Value last = arith::ConstantIndexOp::create(b, shape[1] - 1);
    Value isThere = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, column, width).getResult();
    Value at = arith::MinUIOp::create(b, column, last);
    Value number = tensor::ExtractOp::create(b, numbers, ValueRange{row, element});
    number = number.getType() == f64 ? number : arith::ExtFOp::create(b, f64, number).getResult();
    number = arith::SelectOp::create(b, isThere, number, none);
    Value sum = tensor::ExtractOp::create(b, sums, ValueRange{row, at});
    sum = arith::AddFOp::create(b, sum, number);
    return tensor::InsertOp::create(b, sum, sums, ValueRange{row, at});
  };
  return loop(shape[0], empty, [&](Value row, ValueRange carried) {
    return loop(plane.listed, carried, [&](Value element, ValueRange inside) {
      return SmallVector<Value>{add(row, element, inside[0])};
    });
  })[0];
}

Value PlaneFormula::spread(const PlaneArray &plane, Value mask) {
  Value kept = read(plane);
  Type element = cast<RankedTensorType>(kept.getType()).getElementType();
  ArrayRef<int64_t> shape = cast<RankedTensorType>(mask.getType()).getShape();
  auto index = [&](int64_t number) -> Value { return arith::ConstantIndexOp::create(b, number); };
  Value zero = index(0), all = index(plane.kept), last = index(plane.kept - 1);
  Value none = arith::ConstantOp::create(b, b.getZeroAttr(element));
  Value empty = tensor::EmptyOp::create(b, shape, element);
  // The place of a kept weight among all follows from those before it, so that this is a loop.
  auto place = [&](Value row, Value column, ValueRange carried) -> SmallVector<Value> {
    Value next = carried[1];
    Value bit = tensor::ExtractOp::create(b, mask, ValueRange{row, column});
    bit = arith::IndexCastUIOp::create(b, b.getIndexType(), bit);
    Value isKept =
        arith::AndIOp::create(b, arith::CmpIOp::create(b, arith::CmpIPredicate::ne, bit, zero),
                              arith::CmpIOp::create(b, arith::CmpIPredicate::ult, next, all));
    Value from = arith::MinUIOp::create(b, next, last);
    Value value = tensor::ExtractOp::create(b, kept, ValueRange{zero, from});
    value = arith::SelectOp::create(b, isKept, value, none);
    return {tensor::InsertOp::create(b, value, carried[0], ValueRange{row, column}),
            arith::AddIOp::create(b, next, bit)};
  };
  return loop(shape[0], {empty, zero}, [&](Value row, ValueRange carried) -> SmallVector<Value> {
    return loop(shape[1], carried,
                [&](Value column, ValueRange inside) { return place(row, column, inside); });
  })[0];
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

namespace {

/// Builds inside the body of a linalg.generic.
class BodyBuilder final : public DecodeBuilder {
public:
  explicit BodyBuilder(ImplicitLocOpBuilder &builder) : b(builder) {}

  static Value toValue(Operand operand) { return Value::getFromOpaquePointer(operand.getHandle()); }

  /// An element as it is stored.
  Operand load(Value element) {
    if (element.getType().isF64())
      return make(element);
    if (isa<FloatType>(element.getType()))
      return make(arith::ExtFOp::create(b, b.getF64Type(), element));
    if (element.getType() == b.getI32Type())
      return make(element);
    return make(arith::ExtUIOp::create(b, b.getI32Type(), element));
  }

  Operand integer(int32_t value) override {
    return make(arith::ConstantIntOp::create(b, value, 32));
  }
  Operand add(Operand a, Operand c) override { return make<arith::AddIOp>(a, c); }
  Operand subtract(Operand a, Operand c) override { return make<arith::SubIOp>(a, c); }
  Operand bitAnd(Operand a, Operand c) override { return make<arith::AndIOp>(a, c); }
  Operand shiftRight(Operand a, unsigned bits) override {
    return make<arith::ShRUIOp>(a, integer(static_cast<int32_t>(bits)));
  }
  Operand shiftLeft(Operand a, Operand bits) override { return make<arith::ShLIOp>(a, bits); }
  Operand takeBytes(Operand bytes, Operand places) override {
    return make(buildTakenBytes(b, toValue(bytes), toValue(places)));
  }
  Operand lookUpInteger(ArrayRef<int32_t> table, Operand index) override {
    return lookUpIn(b.getI32TensorAttr(table), index);
  }
  Operand selectEqual(Operand a, Operand c, Operand then, Operand otherwise) override {
    Value equal =
        arith::CmpIOp::create(b, arith::CmpIPredicate::eq, toValue(a), toValue(c)).getResult();
    return make(arith::SelectOp::create(b, equal, toValue(then), toValue(otherwise)));
  }
  Operand real(float value) override {
    return make(arith::ConstantOp::create(b, b.getF64FloatAttr(value)));
  }
  Operand toReal(Operand integer) override {
    return make(arith::SIToFPOp::create(b, b.getF64Type(), toValue(integer)));
  }
  Operand multiply(Operand a, Operand c) override { return make<arith::MulFOp>(a, c); }
  Operand multiplyAdd(Operand a, Operand c, Operand added) override {
    return make<arith::AddFOp>(multiply(a, c), added);
  }
  Operand lookUp(ArrayRef<float> table, Operand index) override {
    SmallVector<double> numbers(table.begin(), table.end());
    auto type = RankedTensorType::get({static_cast<int64_t>(table.size())}, b.getF64Type());
    return lookUpIn(DenseElementsAttr::get(type, ArrayRef(numbers)), index);
  }

  Operand lookUpByte(Operand table, Operand index) override {
    int64_t sharing = rowsOfTables.lookup(toValue(table));
    Value row = sharing == Plane::all
                    ? arith::ConstantIndexOp::create(b, 0).getResult()
                    : arith::DivUIOp::create(b, linalg::IndexOp::create(b, 0),
                                             arith::ConstantIndexOp::create(b, sharing))
                          .getResult();
    Value place = arith::IndexCastUIOp::create(b, b.getIndexType(), toValue(index));
    Value byte = tensor::ExtractOp::create(b, toValue(table), ValueRange{row, place});
    return make(arith::ExtUIOp::create(b, b.getI32Type(), byte));
  }
  /// Tables that so many rows share, as the tensor that they are.
  Operand makeTable(Value tensor, int64_t rows) {
    rowsOfTables[tensor] = rows;
    return make(tensor);
  }

private:
  Operand lookUpIn(DenseElementsAttr table, Operand index) {
    Value constant = arith::ConstantOp::create(b, table);
    Value place = arith::IndexCastUIOp::create(b, b.getIndexType(), toValue(index));
    return make(tensor::ExtractOp::create(b, constant, place));
  }
  static Operand make(Value value) { return Operand(value.getAsOpaquePointer()); }
  template <typename OpTy>
  Operand make(Operand a, Operand c) {
    return make(OpTy::create(b, toValue(a), toValue(c)).getResult());
  }

  ImplicitLocOpBuilder &b;
  llvm::SmallDenseMap<Value, int64_t> rowsOfTables;
};

} // namespace

/// Where the elements of a plane stand that belong to the unit of weight (r, c), from left to
/// right.
static SmallVector<SmallVector<AffineExpr>> getPlaces(Formula &formula, const Plane &plane,
                                                      int64_t unit) {
  AffineExpr r = formula.dim(0), c = formula.dim(1);
  AffineExpr zero = formula.getBuilder().getAffineConstantExpr(0);
  AffineExpr row = plane.rows == Plane::all ? zero : r.floorDiv(plane.rows);
  if (plane.columns == Plane::all)
    return {{row, zero}};
  if (plane.columns >= unit)
    return {{row, c.floorDiv(plane.columns)}};
  SmallVector<SmallVector<AffineExpr>> places;
  int64_t parts = unit / plane.columns;
  for (int64_t part = 0; part < parts; ++part)
    places.push_back({row, c.floorDiv(unit) * parts + part});
  return places;
}

Value EncodingInterface::buildValues(Formula &formula, ArrayRef<int64_t> shape, Value bytes) const {
  ImplicitLocOpBuilder &outside = formula.getBuilder();
  Type f32 = outside.getF32Type();
  if (ShapedType::getNumElements(shape) == 0)
    return tensor::EmptyOp::create(outside, shape, f32);
  int64_t unit = getUnit();
  PlaneFormula planes(formula, bytes);
  SmallVector<Term> terms;
  SmallVector<size_t> counts;                    // of each plane's elements in a unit
  SmallVector<std::pair<Value, int64_t>> tables; // and how many rows share each
  auto form = CanonicalForm::get(*this, shape);
  for (auto [index, plane] : llvm::enumerate(form.planes)) {
    if (plane.listed != 0) {
      counts.push_back(plane.isFloat());
      if (plane.isFloat())
        terms.push_back(
            {planes.place(form.planes[index - 1], plane, shape), {formula.dim(0), formula.dim(1)}});
      continue;
    }
    Value tensor =
        plane.kept == 0 ? planes.read(plane) : planes.spread(plane, terms.front().tensor);
    if (plane.isTable()) {
      counts.push_back(0);
      tables.push_back({tensor, plane.rows});
      continue;
    }
    auto places = getPlaces(formula, plane, unit);
    counts.push_back(places.size());
    for (SmallVector<AffineExpr> &place : places)
      terms.push_back({tensor, std::move(place)});
  }
  return formula.forEach(
      {formula.size(shape[0]), formula.size(shape[1])}, f32, terms,
      [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
        BodyBuilder builder(b);
        SmallVector<DecodeBuilder::Operands> elements;
        auto nextTable = tables.begin();
        for (auto [count, plane] : llvm::zip_equal(counts, form.planes)) {
          auto &ofPlane = elements.emplace_back();
          if (plane.isTable()) {
            ofPlane.push_back(builder.makeTable(nextTable->first, nextTable->second));
            ++nextTable;
          }
          for (Value element : v.take_front(count))
            ofPlane.push_back(builder.load(element));
          v = v.drop_front(count);
        }
        DecodeBuilder::Operands decoded = decode(builder, elements);
        Value value = BodyBuilder::toValue(decoded[0]);
        if (unit > 1) {
          Value place = arith::RemUIOp::create(b, linalg::IndexOp::create(b, 1),
                                               arith::ConstantIndexOp::create(b, unit));
          for (int64_t i = 1; i < unit; ++i) {
            Value here = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, place,
                                               arith::ConstantIndexOp::create(b, i));
            value = arith::SelectOp::create(b, here, BodyBuilder::toValue(decoded[i]), value);
          }
        }
        return arith::TruncFOp::create(b, f32, value);
      });
}

Value EncodingInterface::buildValue(ImplicitLocOpBuilder &builder, ArrayRef<Plane> planes,
                                    ValueRange elements) const {
  BodyBuilder body(builder);
  SmallVector<DecodeBuilder::Operands> ofPlanes;
  for (auto [plane, element] : llvm::zip_equal(planes, elements)) {
    if (plane.isFloat() && plane.isOfCodes()) {
      Value table = buildTable(builder, cast<FloatType>(plane.element));
      Value place = arith::IndexCastUIOp::create(builder, builder.getIndexType(), element);
      element = tensor::ExtractOp::create(builder, table, place);
    }
    ofPlanes.push_back({body.load(element)});
  }
  Value value = BodyBuilder::toValue(decode(body, ofPlanes)[0]);
  return arith::TruncFOp::create(builder, builder.getF32Type(), value);
}
