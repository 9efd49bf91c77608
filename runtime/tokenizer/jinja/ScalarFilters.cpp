//===- ScalarFilters.cpp - filters of one value ---------------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Defines the filters of strings and numbers.
//
//===----------------------------------------------------------------------===//

#include "Error.h"
#include "Methods.h"
#include "Parameters.h"
#include "Strings.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <optional>

namespace llmc::tokenizer::jinja {

using Kind = Value::Kind;

namespace {

template <Case to>
Value caseFilter(Interpreter &interpreter, Value value, const Arguments &arguments) {
  expectNoArguments(to == Case::Upper ? "upper" : "lower", arguments);
  Heap &heap = interpreter.heap;
  return heap.string(changeCase(toText(value, heap), to, heap));
}

Value capitalizeFilter(Interpreter &interpreter, Value value, const Arguments &arguments) {
  expectNoArguments("capitalize", arguments);
  Heap &heap = interpreter.heap;
  return heap.string(capitalize(toText(value, heap), heap));
}

Value titleFilter(Interpreter &interpreter, Value value, const Arguments &arguments) {
  expectNoArguments("title", arguments);
  Heap &heap = interpreter.heap;
  auto separates = [](char32_t before) {
    return before == 0 || before == '-' || before == '(' || before == '{' || before == '[' ||
           before == '<' || isSpace(before);
  };
  return heap.string(changeWords(toText(value, heap), Case::Upper, separates, heap));
}

Value trimFilter(Interpreter &interpreter, Value value, const Arguments &arguments) {
  Parameters given("trim", arguments, {"chars"});
  Heap &heap = interpreter.heap;
  Text set = given.get(0).isNone() ? Text() : given.getText(0, {});
  return heap.string(
      strip(toText(value, heap), given.get(0).isNone() ? nullptr : &set, Side::Both, heap));
}

Value replaceFilter(Interpreter &interpreter, Value value, const Arguments &arguments) {
  Parameters given("replace", arguments, {"old", "new", "count"}, 2);
  Heap &heap = interpreter.heap;
  int64_t count = given.get(2).isNone() ? -1 : given.getInteger(2, -1);
  return heap.string(replace(toText(value, heap), toText(given.get(0), heap),
                             toText(given.get(1), heap), count, heap));
}

Value indentFilter(Interpreter &interpreter, Value value, const Arguments &arguments) {
  Parameters given("indent", arguments, {"width", "first", "blank"});
  Heap &heap = interpreter.heap;
  if (value.isUndefined())
    throw wrongValue(value.getUndefined().message);
  if (!value.isString())
    throw wrongValue(std::string("indent: expected a string, found ") + typeName(value));
  Text indention;
  if (given.get(0).isString()) {
    indention = given.getText(0, {});
  } else {
    int64_t width = std::max<int64_t>(given.getInteger(0, 4), 0);
    heap.allocate(static_cast<uint64_t>(width));
    indention = std::string(static_cast<size_t>(width), ' ');
  }
  bool indentsBlank = given.getTruth(2, false);
  Text text = value.getText();
  text.append("\n");
  Text result;
  if (given.getTruth(1, false))
    result.append(indention);
  std::vector<Value> lines = splitLines(text, /*keepsEnds=*/false, heap);
  for (size_t i = 0; i < lines.size(); ++i) {
    const Text &line = lines[i].getText();
    heap.allocate(1 + indention.size() + line.size());
    if (i > 0)
      result.append("\n");
    if (i > 0 && (indentsBlank || !line.empty()))
      result.append(indention);
    result.append(line);
  }
  return heap.string(std::move(result));
}

Value stringFilter(Interpreter &interpreter, Value value, const Arguments &arguments) {
  expectNoArguments("string", arguments);
  return interpreter.heap.string(toText(value, interpreter.heap));
}

Value safeFilter(Interpreter &interpreter, Value value, const Arguments &arguments) {
  expectNoArguments("safe", arguments);
  return interpreter.heap.markup(toText(value, interpreter.heap));
}

Value escapeFilter(Interpreter &interpreter, Value value, const Arguments &arguments) {
  expectNoArguments("escape", arguments);
  return interpreter.heap.markup(escapeMarkup(value, interpreter.heap));
}

Value centerFilter(Interpreter &interpreter, Value value, const Arguments &arguments) {
  Parameters given("center", arguments, {"width"});
  Value text = interpreter.heap.string(toText(value, interpreter.heap));
  Value width = given.has(0) ? given.get(0) : Value(int64_t(80));
  return interpreter.call(interpreter.getAttribute(text, "center"), {{width}, {}});
}

Value formatFilter(Interpreter &interpreter, Value value, const Arguments &arguments) {
  Heap &heap = interpreter.heap;
  if (!arguments.positional.empty() && !arguments.named.empty())
    throw wrongValue("can't handle positional and keyword arguments at the same time");
  Value given = heap.tuple(arguments.positional);
  if (!arguments.named.empty()) {
    given = heap.dict();
    for (const auto &argument : arguments.named)
      setKey(given.getDict(), heap.string(argument.first), argument.second, heap);
  }
  return heap.string(formatText(toText(value, heap), given, heap));
}

Value defaultFilter(Interpreter &interpreter, Value value, const Arguments &arguments) {
  Parameters given("default", arguments, {"default_value", "boolean"});
  if (!value.isUndefined() && !(given.getTruth(1, false) && !isTrue(value)))
    return value;
  return given.has(0) ? given.get(0) : interpreter.heap.string({});
}

Value lengthFilter(Interpreter &interpreter, Value value, const Arguments &arguments) {
  expectNoArguments("length", arguments);
  return length(value, interpreter.heap);
}

Value absFilter(Interpreter &interpreter, Value value, const Arguments &arguments) {
  expectNoArguments("abs", arguments);
  if (value.is(Kind::Float))
    return std::fabs(value.getNumber());
  if (!value.isInteger())
    throw wrongValue(std::string("bad operand type for abs(): '") + typeName(value) + "'");
  return value.getInteger() < 0 ? negate(value, interpreter.heap) : Value(value.getInteger());
}

/// The text of a number without what Python allows around and in it; nothing where it is none.
std::optional<std::string> cleanNumber(const Text &text, Heap &heap) {
  std::string bytes = strip(text, nullptr, Side::Both, heap).str();
  std::string result;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] != '_') {
      result += bytes[i];
      continue;
    }
    bool isBetween = i > 0 && i + 1 < bytes.size() &&
                     std::isalnum(static_cast<unsigned char>(bytes[i - 1])) &&
                     std::isalnum(static_cast<unsigned char>(bytes[i + 1]));
    if (!isBetween)
      return std::nullopt;
  }
  return result;
}

/// Reads a number as Python's float() does.
std::optional<double> parseFloat(const Text &text, Heap &heap) {
  std::optional<std::string> clean = cleanNumber(text, heap);
  if (!clean || clean->empty())
    return std::nullopt;
  std::string lower;
  for (char c : *clean)
    lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  std::string magnitude = lower.substr(lower[0] == '+' || lower[0] == '-' ? 1 : 0);
  bool isWord = magnitude == "inf" || magnitude == "infinity" || magnitude == "nan";
  if (!isWord && lower.find_first_not_of("0123456789+-.e") != std::string::npos)
    return std::nullopt;
  char *end;
  double number = std::strtod(lower.c_str(), &end);
  return *end ? std::nullopt : std::optional<double>(number);
}

/// Reads a number as Python's int() does.
std::optional<int64_t> parseInteger(const Text &text, int64_t base, Heap &heap) {
  if (base != 0 && (base < 2 || base > 36))
    throw wrongValue("int() base must be >= 2 and <= 36, or 0");
  std::optional<std::string> clean = cleanNumber(text, heap);
  if (!clean || clean->empty())
    return std::nullopt;
  size_t sign = (*clean)[0] == '+' || (*clean)[0] == '-' ? 1 : 0;
  std::string digits = clean->substr(sign);
  // The library takes the prefix of 16 alone, and a bare 0 for that of 8.
  if (digits.size() > 2 && digits[0] == '0') {
    char letter = static_cast<char>(digits[1] | 0x20);
    int64_t named = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : -1;
    if (named > 0 && (base == 0 || base == named)) {
      digits = digits.substr(2);
      base = named;
    }
  }
  if (base == 0) {
    bool isZero = digits.find_first_not_of('0') == std::string::npos;
    if (digits[0] == '0' && !isZero)
      return std::nullopt;
    base = 10;
  }
  if (digits.empty() || !std::isalnum(static_cast<unsigned char>(digits[0])) ||
      (base == 16 && digits.size() > 1 && (digits[1] | 0x20) == 'x'))
    return std::nullopt;
  digits = clean->substr(0, sign) + digits;
  char *end;
  errno = 0;
  long long number = std::strtoll(digits.c_str(), &end, static_cast<int>(base));
  if (*end)
    return std::nullopt;
  if (errno == ERANGE)
    throw unsupported("an integer of more than 64 bits is not supported");
  return number;
}

/// Cuts a number to an integer; nothing where it is not finite.
std::optional<int64_t> truncate(double number) {
  if (!std::isfinite(number))
    return std::nullopt;
  if (!(std::fabs(number) < 9223372036854775808.0))
    throw unsupported("an integer of more than 64 bits is not supported");
  return static_cast<int64_t>(number);
}

Value intFilter(Interpreter &interpreter, Value value, const Arguments &arguments) {
  Parameters given("int", arguments, {"default", "base"});
  Value otherwise = given.has(0) ? given.get(0) : Value(int64_t(0));
  int64_t base = given.getInteger(1, 10);
  if (value.isUndefined())
    throw wrongValue(value.getUndefined().message);
  if (value.isInteger())
    return value.getInteger();
  if (value.is(Kind::Float)) {
    if (std::isinf(value.getNumber()))
      throw wrongValue("cannot convert float infinity to integer");
    std::optional<int64_t> whole = truncate(value.getNumber());
    return whole ? Value(*whole) : otherwise;
  }
  if (!value.isString())
    return otherwise;
  if (std::optional<int64_t> whole = parseInteger(value.getText(), base, interpreter.heap))
    return *whole;
  if (std::optional<double> number = parseFloat(value.getText(), interpreter.heap))
    if (std::optional<int64_t> whole = truncate(*number))
      return *whole;
  return otherwise;
}

Value floatFilter(Interpreter &interpreter, Value value, const Arguments &arguments) {
  Parameters given("float", arguments, {"default"});
  if (value.isUndefined())
    throw wrongValue(value.getUndefined().message);
  if (value.isNumber())
    return value.getNumber();
  if (value.isString())
    if (std::optional<double> number = parseFloat(value.getText(), interpreter.heap))
      return *number;
  return given.has(0) ? given.get(0) : Value(0.0);
}

Value roundFilter(Interpreter &interpreter, Value value, const Arguments &arguments) {
  Parameters given("round", arguments, {"precision", "method"});
  int64_t precision = given.getInteger(0, 0);
  std::string method = given.getText(1, "common").str();
  if (method != "common" && method != "ceil" && method != "floor")
    throw wrongValue("method must be common, ceil or floor");
  if (value.isUndefined())
    throw wrongValue(value.getUndefined().message);
  if (!value.isNumber())
    throw wrongValue(std::string("type ") + typeName(value) + " doesn't define __round__ method");
  if (precision < 0 || precision > 300)
    throw unsupported("rounding to other than 0 to 300 places is not supported");
  double number = value.getNumber();
  if (method == "common") {
    if (value.isInteger())
      return value.getInteger();
    if (!std::isfinite(number))
      return number;
    // Rounds the exact value, half to even, as Python does.
    interpreter.heap.allocate(1024);
    char buffer[1024];
    std::snprintf(buffer, sizeof(buffer), "%.*f", static_cast<int>(precision), number);
    return std::strtod(buffer, nullptr);
  }
  double scale = std::pow(10.0, static_cast<double>(precision));
  double scaled = number * scale;
  if (!std::isfinite(scaled))
    throw wrongValue("cannot convert float infinity or NaN to integer");
  return (method == "ceil" ? std::ceil(scaled) : std::floor(scaled)) / scale;
}

Value attrFilter(Interpreter &interpreter, Value value, const Arguments &arguments) {
  Parameters given("attr", arguments, {"name"}, 1);
  if (value.isUndefined())
    throw wrongValue(value.getUndefined().message);
  std::string name = given.getText(0, {}).str();
  Value place;
  if (const Value *member = findMember(interpreter, value, name, place))
    return *member;
  return interpreter.heap.undefined(std::string("'") + typeName(value) +
                                    " object' has no attribute '" + name + "'");
}

constexpr Method scalarFilters[] = {
    {"upper", caseFilter<Case::Upper>},
    {"lower", caseFilter<Case::Lower>},
    {"capitalize", capitalizeFilter},
    {"title", titleFilter},
    {"trim", trimFilter},
    {"replace", replaceFilter},
    {"indent", indentFilter},
    {"string", stringFilter},
    {"safe", safeFilter},
    {"escape", escapeFilter},
    {"e", escapeFilter},
    {"center", centerFilter},
    {"format", formatFilter},
    {"default", defaultFilter},
    {"d", defaultFilter},
    {"length", lengthFilter},
    {"count", lengthFilter},
    {"abs", absFilter},
    {"int", intFilter},
    {"float", floatFilter},
    {"round", roundFilter},
    {"attr", attrFilter},
    {"tojson", toJson},
};

} // namespace

Filter findScalarFilter(const std::string &name) {
  auto found = std::find_if(std::begin(scalarFilters), std::end(scalarFilters),
                            [&](const Method &filter) { return name == filter.name; });
  return found == std::end(scalarFilters) ? nullptr : found->function;
}

} // namespace llmc::tokenizer::jinja
