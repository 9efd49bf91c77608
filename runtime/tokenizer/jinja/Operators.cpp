//===- Operators.cpp - the operators of expressions -----------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Defines arithmetic, comparison and slices as Python has them, for integers of 64 bits: a result
// beyond them is refused.
//
//===----------------------------------------------------------------------===//

#include "Characters.h"
#include "Error.h"
#include "Interpreter.h"

#include <algorithm>
#include <cmath>

namespace llmc::tokenizer::jinja {

using Kind = Value::Kind;

namespace {

const char *symbolOf(Operator op) {
  static const char *const symbols[] = {
      "+", "-", "*", "/", "//", "%", "**", "==", "!=", "<", "<=", ">", ">=", "in", "not in"};
  return symbols[static_cast<size_t>(op)];
}

[[noreturn]] void failOverflow() {
  throw unsupported("a result of more than 64 bits is not supported");
}

[[noreturn]] void failZero(const char *what) { throw wrongValue(what); }

int64_t floorDivide(int64_t left, int64_t right) {
  if (left == INT64_MIN && right == -1)
    failOverflow();
  int64_t quotient = left / right;
  return left % right != 0 && (left % right < 0) != (right < 0) ? quotient - 1 : quotient;
}

int64_t floorModulo(int64_t left, int64_t right) {
  if (right == -1)
    return 0;
  int64_t rest = left % right;
  return rest != 0 && (rest < 0) != (right < 0) ? rest + right : rest;
}

int64_t integerPower(int64_t base, int64_t exponent) {
  int64_t result = 1;
  while (exponent > 0) {
    if ((exponent & 1) && __builtin_mul_overflow(result, base, &result))
      failOverflow();
    exponent >>= 1;
    if (exponent > 0 && __builtin_mul_overflow(base, base, &base))
      failOverflow();
  }
  return result;
}

Value integerOperation(Operator op, int64_t left, int64_t right) {
  int64_t result = 0;
  bool overflows = false;
  switch (op) {
  case Operator::Add:
    overflows = __builtin_add_overflow(left, right, &result);
    break;
  case Operator::Subtract:
    overflows = __builtin_sub_overflow(left, right, &result);
    break;
  case Operator::Multiply:
    overflows = __builtin_mul_overflow(left, right, &result);
    break;
  case Operator::Divide:
    if (right == 0)
      failZero("division by zero");
    return static_cast<double>(left) / static_cast<double>(right);
  case Operator::FloorDivide:
    if (right == 0)
      failZero("integer division or modulo by zero");
    result = floorDivide(left, right);
    break;
  case Operator::Modulo:
    if (right == 0)
      failZero("integer modulo by zero");
    result = floorModulo(left, right);
    break;
  default:
    if (right >= 0)
      return integerPower(left, right);
    if (left == 0)
      failZero("0.0 cannot be raised to a negative power");
    return std::pow(static_cast<double>(left), static_cast<double>(right));
  }
  if (overflows)
    failOverflow();
  return result;
}

/// Gives the remainder with the sign of the divisor, and the quotient that belongs to it.
void divideFloats(double left, double right, double &quotient, double &rest) {
  rest = std::fmod(left, right);
  double exact = (left - rest) / right;
  if (rest != 0) {
    if ((right < 0) != (rest < 0)) {
      rest += right;
      exact -= 1;
    }
  } else {
    rest = std::copysign(0.0, right);
  }
  if (exact == 0) {
    quotient = std::copysign(0.0, left / right);
    return;
  }
  quotient = std::floor(exact);
  if (exact - quotient > 0.5)
    quotient += 1;
}

Value floatOperation(Operator op, double left, double right) {
  double quotient, rest;
  switch (op) {
  case Operator::Add:
    return left + right;
  case Operator::Subtract:
    return left - right;
  case Operator::Multiply:
    return left * right;
  case Operator::Divide:
    if (right == 0)
      failZero("float division by zero");
    return left / right;
  case Operator::FloorDivide:
  case Operator::Modulo:
    if (right == 0)
      failZero("float floor division by zero");
    divideFloats(left, right, quotient, rest);
    return op == Operator::Modulo ? rest : quotient;
  default:
    break;
  }
  if (left == 0 && right < 0)
    failZero("0.0 cannot be raised to a negative power");
  if (left < 0 && std::isfinite(left) && std::isfinite(right) && right != std::floor(right))
    throw unsupported("complex numbers are not supported");
  double power = std::pow(left, right);
  if (std::isinf(power) && std::isfinite(left) && std::isfinite(right))
    throw wrongValue("(34, 'Numerical result out of range')");
  return power;
}

Value repeat(Value value, int64_t count, Heap &heap) {
  size_t times = count < 0 ? 0 : static_cast<size_t>(count);
  if (value.isString()) {
    const Text &text = value.getText();
    size_t total;
    if (__builtin_mul_overflow(text.size(), times, &total))
      throw tooMuch("the template takes too much memory");
    heap.allocate(total);
    Text result;
    for (size_t i = 0; i < times && !text.empty(); ++i)
      result.append(text);
    return value.isMarkup() ? heap.markup(std::move(result)) : heap.string(std::move(result));
  }
  const std::vector<Value> &elements = value.getElements();
  size_t total;
  if (__builtin_mul_overflow(elements.size(), times * sizeof(Value), &total) ||
      times > SIZE_MAX / sizeof(Value))
    throw tooMuch("the template takes too much memory");
  heap.allocate(total);
  std::vector<Value> result;
  for (size_t i = 0; i < times && !elements.empty(); ++i)
    result.insert(result.end(), elements.begin(), elements.end());
  return value.is(Kind::List) ? heap.list(std::move(result)) : heap.tuple(std::move(result));
}

bool isRepeatable(Value value) {
  return value.isString() || value.is(Kind::List) || value.is(Kind::Tuple);
}

bool contains(Value container, Value element, Heap &heap) {
  switch (container.getKind()) {
  case Kind::Undefined:
    return false;
  case Kind::String:
    if (!element.isString())
      throw wrongValue(std::string("'in <string>' requires string as left operand, not ") +
                       typeName(element));
    heap.scan(container.getText().size());
    return container.getText().str().find(element.getText().str()) != std::string::npos;
  case Kind::Dict:
    return findKey(container.getDict(), element, heap) != nullptr;
  case Kind::Range: {
    const RangeObject &range = container.getRange();
    for (int64_t i = 0; i < range.size; ++i)
      if (areEqual(Value(range.at(i)), element, heap))
        return true;
    return false;
  }
  case Kind::List:
  case Kind::Tuple:
  case Kind::View: {
    for (Value candidate : container.getElements())
      if (areEqual(candidate, element, heap))
        return true;
    return false;
  }
  case Kind::Iterator: {
    // What was looked at is gone.
    std::vector<Value> &elements = container.getElements();
    for (size_t i = 0; i < elements.size(); ++i)
      if (areEqual(elements[i], element, heap)) {
        elements.erase(elements.begin(), elements.begin() + static_cast<ptrdiff_t>(i) + 1);
        return true;
      }
    elements.clear();
    return false;
  }
  default:
    throw wrongValue(std::string("argument of type '") + typeName(container) + "' is not iterable");
  }
}

/// Brings a bound of a slice into range, as Python does.
int64_t clampBound(Value bound, int64_t size, int64_t lowest, int64_t highest, int64_t missing) {
  if (bound.isNone())
    return missing;
  if (bound.isUndefined() || !bound.isInteger())
    throw wrongValue("slice indices must be integers or None or have an __index__ method");
  int64_t value = bound.getInteger();
  if (value < 0)
    value = value < -size ? lowest : value + size;
  return std::clamp(value, lowest, highest);
}

} // namespace

Value applyOperator(Operator op, Value left, Value right, Heap &heap) {
  // Text on the left formats whatever is on the right.
  if (op == Operator::Modulo && left.isMarkup())
    throw unsupported("formatting text that is marked safe is not supported");
  if (op == Operator::Modulo && left.isString())
    return heap.string(formatText(left.getText(), right, heap));
  for (Value value : {left, right})
    if (value.isUndefined())
      throw wrongValue(value.getUndefined().message);
  if (left.isNumber() && right.isNumber())
    return left.isInteger() && right.isInteger()
               ? integerOperation(op, left.getInteger(), right.getInteger())
               : floatOperation(op, left.getNumber(), right.getNumber());
  if (op == Operator::Multiply && isRepeatable(left) && right.isInteger())
    return repeat(left, right.getInteger(), heap);
  if (op == Operator::Multiply && isRepeatable(right) && left.isInteger())
    return repeat(right, left.getInteger(), heap);
  if (op == Operator::Add && left.getKind() == right.getKind()) {
    if (left.isString()) {
      bool isMarkup = left.isMarkup() || right.isMarkup();
      Text text = isMarkup ? escapeMarkup(left, heap) : toText(left, heap);
      if (isMarkup)
        text.append(escapeMarkup(right, heap));
      else
        appendString(text, right, heap);
      return isMarkup ? heap.markup(std::move(text)) : heap.string(std::move(text));
    }
    if (left.is(Kind::List) || left.is(Kind::Tuple)) {
      std::vector<Value> elements = iterate(left, heap);
      for (Value element : right.getElements())
        heap.append(elements, element);
      return left.is(Kind::List) ? heap.list(std::move(elements)) : heap.tuple(std::move(elements));
    }
  }
  throw wrongValue(std::string("unsupported operand type(s) for ") + symbolOf(op) + ": '" +
                   typeName(left) + "' and '" + typeName(right) + "'");
}

bool applyComparison(Operator op, Value left, Value right, Heap &heap) {
  if (op == Operator::In || op == Operator::NotIn)
    return contains(right, left, heap) == (op == Operator::In);
  if (op == Operator::Equal || op == Operator::NotEqual)
    return areEqual(left, right, heap) == (op == Operator::Equal);
  bool isOrdered;
  int order = compare(left, right, symbolOf(op), heap, isOrdered);
  if (!isOrdered)
    return false;
  switch (op) {
  case Operator::Less:
    return order < 0;
  case Operator::LessEqual:
    return order <= 0;
  case Operator::Greater:
    return order > 0;
  default:
    return order >= 0;
  }
}

Value negate(Value value, Heap &) {
  if (value.isUndefined())
    throw wrongValue(value.getUndefined().message);
  if (value.is(Kind::Float))
    return -value.getNumber();
  if (!value.isInteger())
    throw wrongValue(std::string("bad operand type for unary -: '") + typeName(value) + "'");
  if (value.getInteger() == INT64_MIN)
    failOverflow();
  return -value.getInteger();
}

Text escapeMarkup(Value value, Heap &heap) {
  if (value.isMarkup())
    return value.getText();
  Text text = toText(value, heap);
  Text result;
  for (size_t i = 0; i < text.size(); ++i) {
    const char *escape = nullptr;
    switch (text.str()[i]) {
    case '&':
      escape = "&amp;";
      break;
    case '<':
      escape = "&lt;";
      break;
    case '>':
      escape = "&gt;";
      break;
    case '\'':
      escape = "&#39;";
      break;
    case '"':
      escape = "&#34;";
      break;
    default:
      break;
    }
    if (escape)
      result.append(std::string_view(escape), text.isMarked(i));
    else
      result.append(text, i, i + 1);
  }
  heap.allocate(result.size());
  return result;
}

Value slice(Value value, Value start, Value stop, Value step, Heap &heap) {
  if (value.isMarkup())
    return heap.markup(slice(heap.string(value.getText()), start, stop, step, heap).getText());
  if (value.isUndefined())
    throw wrongValue(value.getUndefined().message);
  if (!isRepeatable(value)) {
    if (value.is(Kind::Range))
      throw unsupported("a slice of a range is not supported");
    throw wrongValue(std::string("'") + typeName(value) + "' object is not subscriptable");
  }
  if (!step.isNone() && !step.isInteger())
    throw wrongValue("slice indices must be integers or None or have an __index__ method");
  int64_t stride = step.isNone() ? 1 : step.getInteger();
  if (stride == 0)
    throw wrongValue("slice step cannot be zero");
  int64_t size = length(value, heap);
  bool isForward = stride > 0;
  int64_t lowest = isForward ? 0 : -1, highest = isForward ? size : size - 1;
  int64_t first = clampBound(start, size, lowest, highest, isForward ? 0 : size - 1);
  int64_t last = clampBound(stop, size, lowest, highest, isForward ? size : -1);
  if (value.isString() && stride == 1) {
    const Text &text = value.getText();
    if (first >= last)
      return heap.string({});
    bool isAscii = static_cast<size_t>(size) == text.size();
    auto place = [&](int64_t index) {
      return isAscii ? static_cast<size_t>(index)
                     : findCharacter(text.str(), static_cast<size_t>(index));
    };
    return heap.string(text.slice(place(first), place(last)));
  }
  std::vector<Value> elements = iterate(value, heap);
  std::vector<Value> chosen;
  // The stride may be larger than what is left to any end.
  for (int64_t i = first; isForward ? i < last : i > last;) {
    heap.append(chosen, elements[static_cast<size_t>(i)]);
    if (__builtin_add_overflow(i, stride, &i))
      break;
  }
  if (value.is(Kind::List))
    return heap.list(std::move(chosen));
  if (value.is(Kind::Tuple))
    return heap.tuple(std::move(chosen));
  Text text;
  for (Value element : chosen)
    text.append(element.getText());
  return heap.string(std::move(text));
}

} // namespace llmc::tokenizer::jinja
