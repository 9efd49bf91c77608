//===- Format.cpp - the % operator of text --------------------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Formats values into text as Python's % does.
//
//===----------------------------------------------------------------------===//

#include "Characters.h"
#include "Error.h"
#include "Interpreter.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace llmc::tokenizer::jinja {

using Kind = Value::Kind;

namespace {

/// One place of a format: %(name)-08.3f.
struct Specification {
  std::string flags;
  size_t width = 0;
  int precision = -1;
  char kind = 's';

  bool has(char flag) const { return flags.find(flag) != std::string::npos; }
};

class Formatter {
public:
  Formatter(const Text &format, Value arguments, Heap &heap)
      : format(format), arguments(arguments), heap(heap) {}

  Text run() {
    heap.allocate(format.size());
    const std::string &bytes = format.str();
    while (position < bytes.size()) {
      size_t mark = std::min(bytes.find('%', position), bytes.size());
      result.append(format, position, mark);
      position = mark + 1;
      if (mark < bytes.size())
        readPlace();
    }
    // What could be a mapping need not be used.
    bool isMapping = arguments.is(Kind::Dict) || arguments.is(Kind::List) ||
                     arguments.is(Kind::Range) || arguments.isUndefined();
    size_t given = arguments.is(Kind::Tuple) ? arguments.getElements().size() : 1;
    if (!isMapping && next < given)
      throw wrongValue("not all arguments converted during string formatting");
    return std::move(result);
  }

private:
  char peek() const { return position < format.size() ? format.str()[position] : '\0'; }

  size_t readNumber() {
    size_t number = 0;
    while (peek() >= '0' && peek() <= '9') {
      number = number * 10 + static_cast<size_t>(format.str()[position++] - '0');
      if (number > 100000)
        throw tooMuch("a width in a format of more than 100000");
    }
    return number;
  }

  Value takeArgument() {
    if (!arguments.is(Kind::Tuple)) {
      if (next++ > 0)
        throw wrongValue("not enough arguments for format string");
      return arguments;
    }
    if (next == arguments.getElements().size())
      throw wrongValue("not enough arguments for format string");
    return arguments.getElements()[next++];
  }

  void readPlace() {
    Specification place;
    Value named;
    bool isNamed = peek() == '(';
    if (isNamed) {
      size_t end = format.str().find(')', position);
      if (end == std::string::npos)
        throw wrongValue("incomplete format key");
      if (!arguments.is(Kind::Dict))
        throw wrongValue("format requires a mapping");
      std::string name = format.str().substr(position + 1, end - position - 1);
      const Value *found = arguments.getDict().find(name);
      if (!found)
        throw wrongValue("no key '" + name + "' for a format");
      named = *found;
      position = end + 1;
    }
    while (peek() && std::string_view("-+ 0#").find(peek()) != std::string_view::npos)
      place.flags += format.str()[position++];
    if (peek() == '*')
      throw unsupported("'*' in a format is not supported");
    place.width = readNumber();
    if (peek() == '.') {
      ++position;
      place.precision = static_cast<int>(readNumber());
    }
    while (peek() == 'l' || peek() == 'h' || peek() == 'L')
      ++position;
    place.kind = peek();
    if (!place.kind)
      throw wrongValue("incomplete format");
    ++position;
    if (place.kind == '%') {
      result.append("%");
      return;
    }
    write(place, isNamed ? named : takeArgument());
  }

  void write(const Specification &place, Value value) {
    Text text;
    switch (place.kind) {
    case 's':
    case 'r':
      if (place.kind == 's')
        appendString(text, value, heap);
      else
        appendRepresentation(text, value, heap);
      if (place.precision >= 0)
        text = text.slice(0, findCharacter(text.str(), static_cast<size_t>(place.precision)));
      return pad(place, "", text, /*isNumber=*/false);
    case 'd':
    case 'i':
    case 'u':
    case 'x':
    case 'X':
    case 'o':
      return writeInteger(place, value);
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
      return writeFloat(place, value);
    default:
      throw unsupported(std::string("the format '%") + place.kind + "' is not supported");
    }
  }

  static std::string signOf(const Specification &place, bool isNegative) {
    return isNegative ? "-" : place.has('+') ? "+" : place.has(' ') ? " " : "";
  }

  void writeInteger(const Specification &place, Value value) {
    bool isDecimal = place.kind == 'd' || place.kind == 'i' || place.kind == 'u';
    if (!value.isInteger() && !(isDecimal && value.is(Kind::Float)))
      throw wrongValue(std::string("%") + place.kind + " format: an integer is required, not " +
                       typeName(value));
    if (place.has('#'))
      throw unsupported("'#' in a format is not supported");
    int64_t number = value.getInteger();
    if (value.is(Kind::Float)) {
      double whole = std::trunc(value.getNumber());
      if (!(std::fabs(whole) < 9e18))
        throw unsupported("a result of more than 64 bits is not supported");
      number = static_cast<int64_t>(whole);
    }
    auto magnitude = static_cast<unsigned long long>(number);
    if (number < 0)
      magnitude = 0 - magnitude;
    char buffer[32];
    std::snprintf(buffer, sizeof(buffer),
                  isDecimal           ? "%llu"
                  : place.kind == 'x' ? "%llx"
                  : place.kind == 'X' ? "%llX"
                                      : "%llo",
                  magnitude);
    std::string digits = buffer;
    if (place.precision > static_cast<int>(digits.size()))
      digits.insert(0, static_cast<size_t>(place.precision) - digits.size(), '0');
    pad(place, signOf(place, number < 0), digits, /*isNumber=*/true);
  }

  void writeFloat(const Specification &place, Value value) {
    if (!value.isNumber())
      throw wrongValue(std::string("must be real number, not ") + typeName(value));
    double number = value.getNumber();
    bool isNegative = std::signbit(number) && !std::isnan(number);
    char kind = place.kind;
    const char formats[] = {'%', '.', '*', kind, '\0'};
    const char alternates[] = {'%', '#', '.', '*', kind, '\0'};
    const char *chosen = place.has('#') ? alternates : formats;
    int precision = place.precision < 0 ? 6 : place.precision;
    int size = std::snprintf(nullptr, 0, chosen, precision, std::fabs(number));
    heap.allocate(static_cast<uint64_t>(size));
    std::string digits(static_cast<size_t>(size) + 1, '\0');
    std::snprintf(digits.data(), digits.size(), chosen, precision, std::fabs(number));
    digits.pop_back();
    pad(place, signOf(place, isNegative), digits, /*isNumber=*/true);
  }

  void pad(const Specification &place, const std::string &sign, const Text &text, bool isNumber) {
    size_t size = sign.size() + countCharacters(text.str());
    std::string missing(place.width > size ? place.width - size : 0, ' ');
    heap.allocate(text.size() + missing.size());
    bool isLeft = place.has('-');
    bool hasZeros = isNumber && place.has('0') && !isLeft;
    if (!isLeft && !hasZeros)
      result.append(missing);
    result.append(sign);
    if (hasZeros)
      result.append(std::string(missing.size(), '0'));
    result.append(text);
    if (isLeft)
      result.append(missing);
  }

  const Text &format;
  Value arguments;
  Heap &heap;
  Text result;
  size_t position = 0;
  size_t next = 0;
};

} // namespace

Text formatText(const Text &format, Value arguments, Heap &heap) {
  return Formatter(format, arguments, heap).run();
}

} // namespace llmc::tokenizer::jinja
