//===- Formula.h - formulas over tensors, written as they are read ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// A formula is a linalg.generic: sizes, what is read at which indices, and what is computed of one
// element of each. Numbers are added and multiplied with the signs for it.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_SUPPORT_FORMULA_H
#define LLMC_SUPPORT_FORMULA_H

#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace llmc {

/// A floating-point number in the body of a formula. Operators build operations of arith.
class Number {
public:
  Number(mlir::ImplicitLocOpBuilder &builder, mlir::Value value)
      : builder(&builder), value(value) {}
  operator mlir::Value() const { return value; }

  mlir::ImplicitLocOpBuilder &getBuilder() const { return *builder; }
  /// `number` in the type of this one.
  Number constant(double number) const;

  friend Number operator+(Number a, Number b);
  friend Number operator-(Number a, Number b);
  friend Number operator*(Number a, Number b);
  friend Number operator/(Number a, Number b);
  friend Number operator+(Number a, double b) { return a + a.constant(b); }
  friend Number operator*(Number a, double b) { return a * a.constant(b); }
  friend Number operator/(Number a, double b) { return a / a.constant(b); }
  friend Number operator/(double a, Number b) { return b.constant(a) / b; }
  Number operator-() const;

private:
  mlir::ImplicitLocOpBuilder *builder;
  mlir::Value value;
};

Number max(Number a, Number b);
inline Number max(Number a, double b) { return max(a, a.constant(b)); }
Number abs(Number x);
Number sqrt(Number x);
Number exp(Number x);
Number tanh(Number x);
Number erf(Number x);
Number cos(Number x);
Number sin(Number x);
/// To the nearest integer, half to even.
Number roundEven(Number x);

/// A tensor, read at `index`, which is written in the formula's dimensions.
struct Term {
  mlir::Value tensor;
  llvm::SmallVector<mlir::AffineExpr> index;
};

/// Computes an element of the result from one of each term; a reduction gets what it has so far as
/// the last value.
using Body = llvm::function_ref<mlir::Value(mlir::ImplicitLocOpBuilder &, mlir::ValueRange)>;

/// Builds formulas, one after the other.
class Formula {
public:
  Formula(mlir::OpBuilder &builder, mlir::Location location) : builder(location, builder) {}

  mlir::ImplicitLocOpBuilder &getBuilder() { return builder; }
  mlir::AffineExpr dim(unsigned index) { return builder.getAffineDimExpr(index); }
  mlir::OpFoldResult size(int64_t number) { return builder.getIndexAttr(number); }
  mlir::OpFoldResult sizeOf(mlir::Value tensor, int64_t dim);

  /// result[i, j, …] = body(terms) for all i, j, … below `sizes`.
  mlir::Value forEach(llvm::ArrayRef<mlir::OpFoldResult> sizes, mlir::Type element,
                      llvm::ArrayRef<Term> terms, Body body);

  /// result = initial everywhere; then result[index] = body(terms, result[index]) for all values of
  /// the dimensions in `terms`. Those that `index` names by themselves are the result's.
  mlir::Value reduce(llvm::ArrayRef<mlir::OpFoldResult> sizes,
                     llvm::ArrayRef<mlir::AffineExpr> index, mlir::TypedAttr initial,
                     llvm::ArrayRef<Term> terms, Body body);

  /// reduce with a body that adds the product of two terms, starting from 0.
  mlir::Value sumOfProducts(llvm::ArrayRef<mlir::OpFoldResult> sizes,
                            llvm::ArrayRef<mlir::AffineExpr> index, Term left, Term right);

  /// A tensor of f16 or bf16 as fp32.
  mlir::Value widen(mlir::Value tensor);
  /// Rows of heads side by side as [rows, heads, size of a head].
  mlir::Value splitHeads(mlir::Value rows, int64_t heads);
  /// The way back.
  mlir::Value joinHeads(mlir::Value heads);
  /// Makes sizes static or dynamic as `type` has them.
  mlir::Value castTo(mlir::Value tensor, mlir::Type type);

private:
  mlir::ImplicitLocOpBuilder builder;
};

} // namespace llmc

#endif // LLMC_SUPPORT_FORMULA_H
