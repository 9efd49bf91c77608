//===- Representation.cpp - values written as Python writes them ----------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Defines what str() and repr() give.
//
//===----------------------------------------------------------------------===//

#include "Characters.h"
#include "Error.h"
#include "Interpreter.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace llmc::tokenizer::jinja {

using Kind = Value::Kind;

std::string formatFloat(double number) {
  if (std::isnan(number))
    return "nan";
  if (std::isinf(number))
    return number < 0 ? "-inf" : "inf";
  // The shortest digits that give the number again; where the point goes is Python's choice.
  char buffer[64];
  auto end = std::to_chars(buffer, buffer + sizeof(buffer), number, std::chars_format::scientific);
  std::string text(buffer, end.ptr);
  size_t mark = text.find('e');
  int exponent = static_cast<int>(std::strtol(text.c_str() + mark + 1, nullptr, 10));
  if (exponent < -4 || exponent >= 16)
    return text;
  std::string sign = text[0] == '-' ? "-" : "";
  std::string digits;
  for (char c : text.substr(sign.size(), mark - sign.size()))
    if (c != '.')
      digits += c;
  if (exponent < 0)
    return sign + "0." + std::string(static_cast<size_t>(-exponent - 1), '0') + digits;
  auto whole = static_cast<size_t>(exponent) + 1;
  if (digits.size() < whole)
    digits.append(whole - digits.size(), '0');
  std::string fraction = digits.substr(whole);
  return sign + digits.substr(0, whole) + "." + (fraction.empty() ? "0" : fraction);
}

static void appendQuoted(Text &result, const Text &text) {
  const std::string &bytes = text.str();
  bool hasSingle = bytes.find('\'') != std::string::npos;
  char quote = hasSingle && bytes.find('"') == std::string::npos ? '"' : '\'';
  result.append(std::string(1, quote));
  for (size_t position = 0; position < bytes.size();) {
    size_t begin = position;
    char32_t character = nextCharacter(bytes, position);
    bool marked = text.isMarked(begin);
    char buffer[16] = "";
    if (character == static_cast<char32_t>(quote) || character == '\\')
      std::snprintf(buffer, sizeof(buffer), "\\%c", static_cast<int>(character));
    else if (character == '\n' || character == '\r' || character == '\t')
      std::snprintf(buffer, sizeof(buffer), "\\%c",
                    character == '\n'   ? 'n'
                    : character == '\r' ? 'r'
                                        : 't');
    else if (!isPrintable(character))
      std::snprintf(buffer, sizeof(buffer),
                    character < 0x100     ? "\\x%02x"
                    : character < 0x10000 ? "\\u%04x"
                                          : "\\U%08x",
                    static_cast<unsigned>(character));
    if (buffer[0])
      result.append(buffer, marked);
    else
      result.append(text, begin, position);
  }
  result.append(std::string(1, quote));
}

static void appendElements(Text &text, const std::vector<Value> &elements, Heap &heap, int depth) {
  for (size_t i = 0; i < elements.size(); ++i) {
    if (i > 0)
      text.append(", ");
    appendRepresentation(text, elements[i], heap, depth + 1);
  }
}

static void appendDict(Text &text, const DictObject &dict, Heap &heap, int depth) {
  text.append("{");
  for (size_t i = 0; i < dict.entries.size(); ++i) {
    if (i > 0)
      text.append(", ");
    appendRepresentation(text, dict.entries[i].key, heap, depth + 1);
    text.append(": ");
    appendRepresentation(text, dict.entries[i].value, heap, depth + 1);
  }
  text.append("}");
}

void appendRepresentation(Text &text, Value value, Heap &heap, int depth) {
  if (depth > 100)
    throw unsupported("values in each other, more than 100 deep");
  size_t before = text.size();
  switch (value.getKind()) {
  case Kind::Undefined:
    text.append("Undefined");
    break;
  case Kind::None:
    text.append("None");
    break;
  case Kind::Boolean:
    text.append(value.getInteger() ? "True" : "False");
    break;
  case Kind::Integer:
    text.append(std::to_string(value.getInteger()));
    break;
  case Kind::Float:
    text.append(formatFloat(value.getNumber()));
    break;
  case Kind::String:
    heap.scan(value.getText().size());
    text.append(value.isMarkup() ? "Markup(" : "");
    appendQuoted(text, value.getText());
    text.append(value.isMarkup() ? ")" : "");
    break;
  case Kind::List:
    text.append("[");
    appendElements(text, value.getElements(), heap, depth);
    text.append("]");
    break;
  case Kind::Tuple:
    text.append("(");
    appendElements(text, value.getElements(), heap, depth);
    text.append(value.getElements().size() == 1 ? ",)" : ")");
    break;
  case Kind::View:
    text.append(std::string(typeName(value)) + "([");
    appendElements(text, value.getElements(), heap, depth);
    text.append("])");
    break;
  case Kind::Range: {
    const RangeObject &range = value.getRange();
    text.append("range(" + std::to_string(range.start) + ", " + std::to_string(range.stop) +
                (range.step == 1 ? "" : ", " + std::to_string(range.step)) + ")");
    break;
  }
  case Kind::Dict:
    appendDict(text, value.getDict(), heap, depth);
    break;
  case Kind::Namespace:
    text.append("<Namespace ");
    appendDict(text, value.getDict(), heap, depth);
    text.append(">");
    break;
  case Kind::Macro:
    text.append("<Macro ");
    appendQuoted(text, value.getMacro().name);
    text.append(">");
    break;
  case Kind::Loop:
    text.append("<LoopContext " + std::to_string(value.getLoop().index + 1) + "/" +
                std::to_string(value.getLoop().elements.size()) + ">");
    break;
  case Kind::Iterator:
  case Kind::Function:
    // Python writes an address there, which no text can be meant to hold.
    throw wrongValue(std::string("a ") + typeName(value) + " cannot be written as text");
  }
  heap.allocate(text.size() - before);
}

void appendString(Text &text, Value value, Heap &heap) {
  if (value.isString()) {
    heap.allocate(value.getText().size());
    text.append(value.getText());
  } else if (!value.isUndefined()) {
    appendRepresentation(text, value, heap);
  }
}

Text toText(Value value, Heap &heap) {
  if (value.isString()) {
    heap.allocate(value.getText().size());
    return value.getText();
  }
  Text result;
  appendString(result, value, heap);
  return result;
}

} // namespace llmc::tokenizer::jinja
