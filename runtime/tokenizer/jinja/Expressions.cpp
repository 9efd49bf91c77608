//===- Expressions.cpp - evaluating the expressions of templates ----------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Evaluates expressions; what operators and methods do stands beside.
//
//===----------------------------------------------------------------------===//

#include "Error.h"
#include "Interpreter.h"

namespace llmc::tokenizer::jinja {

Value Interpreter::evaluate(const Expression &expression, Scope &scope) {
  Level level(*this);
  switch (expression.kind) {
  case Expression::Kind::None:
    return {};
  case Expression::Kind::Boolean:
    return expression.boolean;
  case Expression::Kind::Integer:
    return expression.integer;
  case Expression::Kind::Float:
    return expression.number;
  case Expression::Kind::String:
    return heap.string(expression.text);
  case Expression::Kind::Name:
    return evaluateName(expression.symbol, scope);
  case Expression::Kind::List:
  case Expression::Kind::Tuple:
  case Expression::Kind::Dict:
    return evaluateCollection(expression, scope);
  case Expression::Kind::Attribute: {
    Value value = evaluate(*expression.operands[0], scope);
    line = expression.line;
    return getAttribute(value, expression.text);
  }
  case Expression::Kind::Subscript: {
    Value value = evaluate(*expression.operands[0], scope);
    Value index = evaluate(*expression.operands[1], scope);
    line = expression.line;
    return getItem(value, index);
  }
  case Expression::Kind::Slice:
    return evaluateSlice(expression, scope);
  case Expression::Kind::Call:
    return evaluateCall(expression, scope);
  case Expression::Kind::Filter:
    return evaluateFilter(expression, scope, nullptr);
  case Expression::Kind::Test:
    return evaluateTest(expression, scope);
  default:
    return evaluateOperation(expression, scope);
  }
}

Value Interpreter::evaluateOperation(const Expression &expression, Scope &scope) {
  auto operand = [&](size_t i) { return evaluate(*expression.operands[i], scope); };
  switch (expression.kind) {
  case Expression::Kind::Not:
    return !isTrue(operand(0));
  case Expression::Kind::Negative:
    return negate(operand(0), heap);
  case Expression::Kind::Positive: {
    Value value = operand(0);
    if (value.isUndefined())
      throw wrongValue(value.getUndefined().message);
    if (!value.isNumber())
      throw wrongValue(std::string("bad operand type for unary +: '") + typeName(value) + "'");
    return value.isInteger() ? Value(value.getInteger()) : value;
  }
  case Expression::Kind::And: {
    Value left = operand(0);
    return isTrue(left) ? operand(1) : left;
  }
  case Expression::Kind::Or: {
    Value left = operand(0);
    return isTrue(left) ? left : operand(1);
  }
  case Expression::Kind::Binary: {
    Value left = operand(0);
    Value right = operand(1);
    line = expression.line;
    return applyOperator(expression.op, left, right, heap);
  }
  case Expression::Kind::Concatenate:
    return evaluateConcatenation(expression, scope);
  case Expression::Kind::Compare:
    return evaluateCompare(expression, scope);
  case Expression::Kind::Conditional:
    if (isTrue(operand(1)))
      return operand(0);
    return expression.operands[2]
               ? operand(2)
               : heap.undefined("the inline if-expression evaluated to false and no else section "
                                "was defined");
  default:
    throw Error(LLMC_INTERNAL, "an expression of a kind that has no value");
  }
}

Value Interpreter::evaluateName(Symbol symbol, Scope &scope) {
  for (const Scope *place = &scope; place; place = place->parent) {
    heap.step();
    if (const Value *value = place->find(symbol))
      return *value;
  }
  const std::string &name = symbols.name(symbol);
  Value global;
  if (findGlobal(*this, name, global))
    return global;
  return heap.undefined("'" + name + "' is undefined");
}

Value Interpreter::evaluateCollection(const Expression &expression, Scope &scope) {
  if (expression.kind == Expression::Kind::Dict) {
    Value result = heap.dict();
    for (size_t i = 0; i + 1 < expression.operands.size(); i += 2) {
      Value key = evaluate(*expression.operands[i], scope);
      Value value = evaluate(*expression.operands[i + 1], scope);
      setKey(result.getDict(), key, value, heap);
    }
    return result;
  }
  std::vector<Value> elements;
  elements.reserve(expression.operands.size());
  for (const ExpressionPtr &operand : expression.operands)
    elements.push_back(evaluate(*operand, scope));
  return expression.kind == Expression::Kind::List ? heap.list(std::move(elements))
                                                   : heap.tuple(std::move(elements));
}

Value Interpreter::evaluateSlice(const Expression &expression, Scope &scope) {
  auto bound = [&](size_t i) {
    return expression.operands[i] ? evaluate(*expression.operands[i], scope) : Value();
  };
  Value value = evaluate(*expression.operands[0], scope);
  Value start = bound(1), stop = bound(2), step = bound(3);
  line = expression.line;
  return slice(value, start, stop, step, heap);
}

Value Interpreter::evaluateCall(const Expression &expression, Scope &scope) {
  Value callee = evaluate(*expression.operands[0], scope);
  Arguments arguments = evaluateArguments(expression.arguments, scope);
  line = expression.line;
  return call(callee, arguments);
}

Value Interpreter::evaluateFilter(const Expression &expression, Scope &scope,
                                  const Value *content) {
  Value value;
  if (!expression.operands[0])
    value = *content;
  else if (content && expression.operands[0]->kind == Expression::Kind::Filter)
    value = evaluateFilter(*expression.operands[0], scope, content);
  else
    value = evaluate(*expression.operands[0], scope);
  Arguments arguments = evaluateArguments(expression.arguments, scope);
  line = expression.line;
  return applyFilter(expression.text, value, arguments);
}

Value Interpreter::evaluateTest(const Expression &expression, Scope &scope) {
  Value value = evaluate(*expression.operands[0], scope);
  Arguments arguments = evaluateArguments(expression.arguments, scope);
  line = expression.line;
  return applyTest(expression.text, value, arguments);
}

Value Interpreter::evaluateCompare(const Expression &expression, Scope &scope) {
  Value left = evaluate(*expression.operands[0], scope);
  for (size_t i = 0; i < expression.comparisons.size(); ++i) {
    Value right = evaluate(*expression.operands[i + 1], scope);
    line = expression.line;
    if (!applyComparison(expression.comparisons[i], left, right, heap))
      return false;
    left = right;
  }
  return true;
}

Value Interpreter::evaluateConcatenation(const Expression &expression, Scope &scope) {
  std::vector<Value> parts;
  parts.reserve(expression.operands.size());
  for (const ExpressionPtr &operand : expression.operands)
    parts.push_back(evaluate(*operand, scope));
  Text result;
  for (Value part : parts)
    appendString(result, part, heap);
  return heap.string(std::move(result));
}

Arguments Interpreter::evaluateArguments(const CallArguments &arguments, Scope &scope) {
  Arguments result;
  for (const ExpressionPtr &argument : arguments.positional)
    result.positional.push_back(evaluate(*argument, scope));
  for (const NamedArgument &argument : arguments.named)
    result.named.emplace_back(argument.name, evaluate(*argument.value, scope));
  if (arguments.list)
    for (Value element : iterate(evaluate(*arguments.list, scope), heap))
      result.positional.push_back(element);
  if (!arguments.mapping)
    return result;
  Value mapping = evaluate(*arguments.mapping, scope);
  if (!mapping.is(Value::Kind::Dict))
    throw wrongValue(std::string("argument after ** must be a mapping, not ") + typeName(mapping));
  for (const DictObject::Entry &entry : mapping.getDict().entries) {
    if (!entry.key.isString())
      throw wrongValue("keywords must be strings");
    for (const auto &argument : result.named)
      if (argument.first == entry.key.getText().str())
        throw wrongValue("got multiple values for keyword argument '" + argument.first + "'");
    result.named.emplace_back(entry.key.getText().str(), entry.value);
  }
  return result;
}

Value Interpreter::call(Value callee, const Arguments &arguments) {
  switch (callee.getKind()) {
  case Value::Kind::Undefined:
    throw wrongValue(callee.getUndefined().message);
  case Value::Kind::Function: {
    FunctionObject &function = callee.getFunction();
    return function.function(*this, function.self, arguments);
  }
  case Value::Kind::Macro:
    return callMacro(callee.getMacro(), arguments);
  case Value::Kind::Loop:
    throw wrongValue("The loop must have the 'recursive' marker to be called recursively.");
  default:
    throw wrongValue(std::string("'") + typeName(callee) + "' object is not callable");
  }
}

/// What Jinja calls a value in the message of what it lacks.
static std::string describeOwner(Value value) {
  return value.isNone() ? "None" : std::string(typeName(value)) + " object";
}

Value Interpreter::getAttribute(Value value, const std::string &name) {
  Value place;
  if (value.isUndefined())
    throw wrongValue(value.getUndefined().message);
  if (const Value *member = findMember(*this, value, name, place))
    return *member;
  if (value.is(Value::Kind::Dict)) {
    heap.step(1 + value.getDict().entries.size() / 8);
    if (const Value *entry = value.getDict().find(name))
      return *entry;
  }
  return heap.undefined("'" + describeOwner(value) + "' has no attribute '" + name + "'");
}

Value Interpreter::getItem(Value value, Value index) {
  using ValueKind = Value::Kind;
  if (value.isUndefined())
    throw wrongValue(value.getUndefined().message);
  if (value.is(ValueKind::Dict)) {
    bool canBeKey = !index.is(ValueKind::List) && !index.is(ValueKind::Dict);
    if (const Value *entry = canBeKey ? findKey(value.getDict(), index, heap) : nullptr)
      return *entry;
  } else if (index.isInteger()) {
    bool isIndexed = value.isString() || value.is(ValueKind::List) || value.is(ValueKind::Tuple) ||
                     value.is(ValueKind::Range);
    if (isIndexed) {
      int64_t size = length(value, heap);
      int64_t place = index.getInteger() < 0 ? index.getInteger() + size : index.getInteger();
      if (place >= 0 && place < size) {
        if (value.isString())
          return slice(value, Value(place), Value(place + 1), {}, heap);
        return value.is(ValueKind::Range) ? Value(value.getRange().at(place))
                                          : value.getElements()[static_cast<size_t>(place)];
      }
    }
  }
  Value place;
  if (index.isString())
    if (const Value *member = findMember(*this, value, index.getText().str(), place))
      return *member;
  if (index.isString())
    return heap.undefined("'" + describeOwner(value) + "' has no attribute '" +
                          index.getText().str() + "'");
  Text what;
  appendRepresentation(what, index, heap);
  return heap.undefined(describeOwner(value) + " has no element " + what.str());
}

} // namespace llmc::tokenizer::jinja
