//===- FunctionFormula.cpp - a function of each element as it is written ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// What no nonlinearity of the dialect is becomes one operation of linalg on the rows, whose body
// has an operation of arith or math for each operator.
//
//===----------------------------------------------------------------------===//

#include "Raise/FunctionFormula.h"
#include "llmc/Support/Formula.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSwitch.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

/// Operators of the longest formula.
static constexpr size_t maxFormulaSize = 256;
/// The largest power that is written as products.
static constexpr double maxPower = 8;

//===----------------------------------------------------------------------===//
// What a formula is
//===----------------------------------------------------------------------===//

FunctionFormula::Ptr FunctionFormula::makeOperand(double factor) {
  auto formula = std::make_shared<FunctionFormula>();
  formula->number = factor;
  return formula;
}

FunctionFormula::Ptr FunctionFormula::makeNumber(double number) {
  auto formula = std::make_shared<FunctionFormula>();
  formula->kind = Kind::Number;
  formula->number = number;
  return formula;
}

FunctionFormula::Ptr FunctionFormula::apply(StringRef type, ArrayRef<Ptr> operands) {
  auto formula = std::make_shared<FunctionFormula>();
  formula->kind = Kind::Operator;
  formula->type = type;
  formula->operands.assign(operands.begin(), operands.end());
  for (const Ptr &operand : operands) {
    if (!operand)
      return nullptr;
    formula->size += operand->size;
  }
  return formula->size <= maxFormulaSize ? formula : nullptr;
}

//===----------------------------------------------------------------------===//
// Operators
//===----------------------------------------------------------------------===//

using Apply = Value (*)(ArrayRef<Number>);

static Number minimum(Number a, Number b) {
  return {a.getBuilder(), arith::MinimumFOp::create(a.getBuilder(), a, b)};
}

static Number power(Number x, double exponent) {
  if (exponent == 0.5)
    return sqrt(x);
  Number result = x;
  for (int i = 1; i < static_cast<int>(exponent); ++i)
    result = result * x;
  return result;
}

static bool hasProducts(double exponent) {
  return exponent == 0.5 ||
         (exponent >= 1 && exponent <= maxPower && exponent == std::floor(exponent));
}

/// Operators that give a number.
static const llvm::StringMap<Apply> &getNumericOperators() {
  using Operands = ArrayRef<Number>;
  static const llvm::StringMap<Apply> operators = {
      {"Add", [](Operands x) -> Value { return x[0] + x[1]; }},
      {"Sub", [](Operands x) -> Value { return x[0] - x[1]; }},
      {"Mul", [](Operands x) -> Value { return x[0] * x[1]; }},
      {"Div", [](Operands x) -> Value { return x[0] / x[1]; }},
      {"Neg", [](Operands x) -> Value { return -x[0]; }},
      {"Abs", [](Operands x) -> Value { return abs(x[0]); }},
      {"Reciprocal", [](Operands x) -> Value { return 1.0 / x[0]; }},
      {"Sqrt", [](Operands x) -> Value { return sqrt(x[0]); }},
      {"Exp", [](Operands x) -> Value { return exp(x[0]); }},
      {"Erf", [](Operands x) -> Value { return erf(x[0]); }},
      {"Tanh", [](Operands x) -> Value { return tanh(x[0]); }},
      {"Sin", [](Operands x) -> Value { return sin(x[0]); }},
      {"Cos", [](Operands x) -> Value { return cos(x[0]); }},
      {"Round", [](Operands x) -> Value { return roundEven(x[0]); }},
      {"Sigmoid", [](Operands x) -> Value { return 1.0 / (exp(-x[0]) + 1.0); }},
      {"Relu", [](Operands x) -> Value { return max(x[0], 0.0); }},
      {"Max",
       [](Operands x) -> Value {
         return std::accumulate(x.begin() + 1, x.end(), x[0],
                                [](Number a, Number b) { return max(a, b); });
       }},
      {"Min",
       [](Operands x) -> Value { return std::accumulate(x.begin() + 1, x.end(), x[0], minimum); }},
      {"Clip", // of bounds that are given
       [](Operands x) -> Value {
         Number result = x.size() > 1 ? max(x[0], x[1]) : x[0];
         return x.size() > 2 ? minimum(result, x[2]) : result;
       }},
  };
  return operators;
}

/// Comparisons of two numbers.
static std::optional<arith::CmpFPredicate> getComparison(StringRef type) {
  return llvm::StringSwitch<std::optional<arith::CmpFPredicate>>(type)
      .Case("Equal", arith::CmpFPredicate::OEQ)
      .Case("Less", arith::CmpFPredicate::OLT)
      .Case("LessOrEqual", arith::CmpFPredicate::OLE)
      .Case("Greater", arith::CmpFPredicate::OGT)
      .Case("GreaterOrEqual", arith::CmpFPredicate::OGE)
      .Default(std::nullopt);
}

std::string FunctionFormula::findUnknown() const {
  if (kind != Kind::Operator)
    return "";
  for (const Ptr &operand : operands)
    if (std::string unknown = operand->findUnknown(); !unknown.empty())
      return unknown;
  if (type == "Pow")
    return operands[1]->kind == Kind::Number && hasProducts(operands[1]->number) ? "" : type;
  bool isLogic = llvm::is_contained({"Where", "And", "Or", "Not"}, type);
  return isLogic || getComparison(type) || getNumericOperators().contains(type) ? "" : type;
}

//===----------------------------------------------------------------------===//
// Emission
//===----------------------------------------------------------------------===//

namespace llmc {

/// Writes a formula for one element; each part once.
class FormulaEmitter {
public:
  FormulaEmitter(ImplicitLocOpBuilder &builder, Value element)
      : builder(builder), element(builder, element) {}

  /// The value of a formula that is a number.
  Number number(const FunctionFormula &formula) {
    Value value = get(formula);
    if (value.getType().isInteger(1))
      value = arith::UIToFPOp::create(builder, builder.getF32Type(), value);
    return {builder, value};
  }

private:
  Value truth(const FunctionFormula &formula) {
    Value value = get(formula);
    if (value.getType().isInteger(1))
      return value;
    return arith::CmpFOp::create(builder, arith::CmpFPredicate::UNE, value, element.constant(0));
  }

  Value get(const FunctionFormula &formula) {
    Value &known = values[&formula];
    if (known)
      return known;
    Value value = make(formula);
    return values[&formula] = value;
  }

  Value make(const FunctionFormula &formula) {
    ArrayRef<FunctionFormula::Ptr> operands = formula.operands;
    StringRef type = formula.type;
    if (formula.kind == FunctionFormula::Kind::Number)
      return element.constant(formula.number);
    if (formula.kind == FunctionFormula::Kind::Operand)
      return formula.number == 1 ? element : element * formula.number;
    if (type == "Pow")
      return power(number(*operands[0]), operands[1]->number);
    if (type == "Where")
      return arith::SelectOp::create(builder, truth(*operands[0]), number(*operands[1]),
                                     number(*operands[2]));
    if (type == "Not")
      return arith::XOrIOp::create(builder, truth(*operands[0]),
                                   arith::ConstantOp::create(builder, builder.getBoolAttr(true)));
    if (type == "And")
      return arith::AndIOp::create(builder, truth(*operands[0]), truth(*operands[1]));
    if (type == "Or")
      return arith::OrIOp::create(builder, truth(*operands[0]), truth(*operands[1]));
    SmallVector<Number> numbers;
    for (const FunctionFormula::Ptr &operand : operands)
      numbers.push_back(number(*operand));
    if (std::optional<arith::CmpFPredicate> comparison = getComparison(type))
      return arith::CmpFOp::create(builder, *comparison, numbers[0], numbers[1]);
    return getNumericOperators().lookup(type)(numbers);
  }

  ImplicitLocOpBuilder &builder;
  Number element;
  llvm::DenseMap<const FunctionFormula *, Value> values;
};

} // namespace llmc

Value FunctionFormula::emit(OpBuilder &builder, Location location, Value rows) const {
  Formula formula(builder, location);
  auto type = cast<RankedTensorType>(rows.getType());
  Value result = formula.forEach({formula.sizeOf(rows, 0), formula.size(type.getDimSize(1))},
                                 type.getElementType(), {{rows, {formula.dim(0), formula.dim(1)}}},
                                 [&](ImplicitLocOpBuilder &inside, ValueRange elements) -> Value {
                                   return FormulaEmitter(inside, elements[0]).number(*this);
                                 });
  return formula.castTo(result, type);
}
