//===- GroupedFormula.cpp - the values of grouped integers in plain arithmetic ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// The canonical form of #llmc.grouped, read as LLMCAttrs.td describes it: every code is a sum of
// its bits, every scale a sum of its bytes.
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/LLMC/IR/GroupedEncoding.h"
#include "llmc/Support/Formula.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace llmc;

namespace {

class GroupedFormula {
public:
  GroupedFormula(Formula &formula, GroupedAttr encoding, ArrayRef<int64_t> shape, Value bytes)
      : formula(formula), b(formula.getBuilder()), encoding(encoding), rows(shape[0]),
        columns(shape[1]), layout(getGroupedLayout(encoding, shape)),
        scaleShape(encoding.getScaleShape(shape)), bytes(bytes) {}

  Value build();

private:
  /// Bytes from `offset` on as a tensor [rows, columns, …].
  Value getPlane(int64_t offset, ArrayRef<int64_t> shape);
  /// 1, base, base², … as a tensor of integers.
  Value getPowers(unsigned count, unsigned base, Type type);
  /// [rows, columns], in i32.
  Value getCodes();
  /// The plane of scales, or the one of minima, as it is stored.
  Value getNumbers(int64_t offset);
  Value getZeroPoints();

  Formula &formula;
  ImplicitLocOpBuilder &b;
  GroupedAttr encoding;
  int64_t rows, columns;
  GroupedLayout layout;
  std::pair<int64_t, int64_t> scaleShape;
  Value bytes;
};

} // namespace

Value GroupedFormula::getPlane(int64_t offset, ArrayRef<int64_t> shape) {
  int64_t size = 1;
  ReassociationIndices all;
  for (auto [index, dim] : llvm::enumerate(shape)) {
    size *= dim;
    all.push_back(index);
  }
  Value plane = tensor::ExtractSliceOp::create(
      b, bytes, ArrayRef<OpFoldResult>{formula.size(offset)},
      ArrayRef<OpFoldResult>{formula.size(size)}, ArrayRef<OpFoldResult>{formula.size(1)});
  auto type = RankedTensorType::get(shape, b.getI8Type());
  return tensor::ExpandShapeOp::create(b, type, plane, ArrayRef<ReassociationIndices>{all});
}

Value GroupedFormula::getPowers(unsigned count, unsigned base, Type type) {
  SmallVector<APInt> powers{APInt(type.getIntOrFloatBitWidth(), 1)};
  while (powers.size() < count)
    powers.push_back(powers.back() * base);
  auto tensor = RankedTensorType::get({static_cast<int64_t>(count)}, type);
  return arith::ConstantOp::create(b, DenseElementsAttr::get(tensor, powers));
}

Value GroupedFormula::getCodes() {
  int64_t bits = encoding.getBits();
  Type i32 = b.getI32Type();
  AffineExpr r = formula.dim(0), c = formula.dim(1), bit = formula.dim(2);
  AffineExpr place = c * bits + bit;
  return formula.reduce(
      {formula.size(rows), formula.size(columns)}, {r, c}, b.getI32IntegerAttr(0),
      {{getPlane(0, {rows, layout.bytesPerRow}), {r, place.floorDiv(8)}},
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

Value GroupedFormula::getNumbers(int64_t offset) {
  auto [scaleRows, scaleColumns] = scaleShape;
  unsigned size = encoding.getScale().getIntOrFloatBitWidth() / 8;
  IntegerType integer = b.getIntegerType(8 * size);
  AffineExpr r = formula.dim(0), g = formula.dim(1), byte = formula.dim(2);
  Value patterns = formula.reduce(
      {formula.size(scaleRows), formula.size(scaleColumns)}, {r, g}, b.getIntegerAttr(integer, 0),
      {{getPlane(offset, {scaleRows, scaleColumns, size}), {r, g, byte}},
       {getPowers(size, 256, integer), {byte}}},
      [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
        Value digit = arith::ExtUIOp::create(b, integer, v[0]);
        return arith::AddIOp::create(b, v[2], arith::MulIOp::create(b, digit, v[1]));
      });
  auto type = RankedTensorType::get({scaleRows, scaleColumns}, encoding.getScale());
  return arith::BitcastOp::create(b, type, patterns);
}

Value GroupedFormula::getZeroPoints() {
  auto [scaleRows, scaleColumns] = scaleShape;
  return getPlane(layout.zeroOffset, {scaleRows, scaleColumns});
}

Value GroupedFormula::build() {
  AffineExpr r = formula.dim(0), c = formula.dim(1), zero = b.getAffineConstantExpr(0);
  SmallVector<AffineExpr> group{r, c.floorDiv(encoding.getGroupSize(columns))};
  if (encoding.getGroup() == GroupedAttr::tensorGroup)
    group = {zero, zero};
  SmallVector<Term> terms{{getCodes(), {r, c}}, {getNumbers(layout.scaleOffset), group}};
  if (encoding.getZero() == ZeroPoint::Integer)
    terms.push_back({getZeroPoints(), group});
  if (encoding.getZero() == ZeroPoint::Float)
    terms.push_back({getNumbers(layout.zeroOffset), group});
  // In double nothing is rounded before the end.
  Type f32 = b.getF32Type(), f64 = b.getF64Type();
  return formula.forEach({formula.size(rows), formula.size(columns)}, f32, terms,
                         [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                           auto ofInteger = [&](Value integer) -> Number {
                             return {b, arith::UIToFPOp::create(b, f64, integer)};
                           };
                           auto ofFloat = [&](Value number) -> Number {
                             return {b, arith::ExtFOp::create(b, f64, number)};
                           };
                           Number code = ofInteger(v[0]), scale = ofFloat(v[1]),
                                  value = code * scale;
                           switch (encoding.getZero()) {
                           case ZeroPoint::None:
                             value = (code - code.constant(1 << (encoding.getBits() - 1))) * scale;
                             break;
                           case ZeroPoint::Integer:
                             value = (code - ofInteger(v[2])) * scale;
                             break;
                           case ZeroPoint::Float:
                             value = code * scale + ofFloat(v[2]);
                             break;
                           }
                           return arith::TruncFOp::create(b, f32, value);
                         });
}

Value GroupedAttr::buildValues(Formula &formula, ArrayRef<int64_t> shape, Value bytes) const {
  if (ShapedType::getNumElements(shape) == 0)
    return tensor::EmptyOp::create(formula.getBuilder(), shape, formula.getBuilder().getF32Type());
  return GroupedFormula(formula, *this, shape, bytes).build();
}
