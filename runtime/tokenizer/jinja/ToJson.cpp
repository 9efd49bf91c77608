//===- ToJson.cpp - values as JSON ----------------------------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes JSON as Python's json.dumps does, which is what transformers gives templates as `tojson`.
//
//===----------------------------------------------------------------------===//

#include "Characters.h"
#include "Error.h"
#include "Methods.h"
#include "Parameters.h"
#include "Sorting.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace llmc::tokenizer::jinja {

using Kind = Value::Kind;

namespace {

class JsonWriter {
public:
  JsonWriter(const Parameters &given, Heap &heap) : heap(heap) {
    escapesAll = given.getTruth(0, false);
    Value indent = given.get(1);
    if (indent.isString())
      unit = indent.getText();
    else if (!indent.isNone())
      unit = Text(std::string(
          static_cast<size_t>(std::clamp<int64_t>(given.getInteger(1, 0), 0, 1000)), ' '));
    breaksLines = !indent.isNone();
    itemSeparator = breaksLines ? "," : ", ";
    keySeparator = ": ";
    if (!given.get(2).isNone()) {
      std::vector<Value> separators = iterate(given.get(2), heap);
      if (separators.size() != 2 || !separators[0].isString() || !separators[1].isString())
        throw wrongValue("tojson: expected two strings as 'separators'");
      itemSeparator = separators[0].getText();
      keySeparator = separators[1].getText();
    }
    sortsKeys = given.getTruth(3, false);
  }

  void write(Value value, int depth) {
    if (depth > 100)
      throw unsupported("values in each other, more than 100 deep");
    heap.step();
    size_t before = result.size();
    switch (value.getKind()) {
    case Kind::None:
      result.append("null");
      break;
    case Kind::Boolean:
      result.append(value.getInteger() ? "true" : "false");
      break;
    case Kind::Integer:
      result.append(std::to_string(value.getInteger()));
      break;
    case Kind::Float:
      result.append(formatNumber(value.getNumber()));
      break;
    case Kind::String:
      writeString(value.getText());
      break;
    case Kind::List:
    case Kind::Tuple:
      return writeList(value.getElements(), depth);
    case Kind::Dict:
      return writeDict(value.getDict(), depth);
    default:
      throw wrongValue(std::string("Object of type ") + typeName(value) +
                       " is not JSON serializable");
    }
    heap.allocate(result.size() - before);
  }

  Text result;

private:
  static std::string formatNumber(double number) {
    if (std::isnan(number))
      return "NaN";
    if (std::isinf(number))
      return number < 0 ? "-Infinity" : "Infinity";
    return formatFloat(number);
  }

  void breakLine(int depth) {
    if (!breaksLines)
      return;
    heap.allocate(1 + unit.size() * static_cast<size_t>(depth));
    result.append("\n");
    for (int i = 0; i < depth; ++i)
      result.append(unit);
  }

  void beginItem(bool isFirst, int depth) {
    heap.allocate(itemSeparator.size());
    if (!isFirst)
      result.append(itemSeparator);
    breakLine(depth + 1);
  }

  void writeList(const std::vector<Value> &elements, int depth) {
    result.append("[");
    for (size_t i = 0; i < elements.size(); ++i) {
      beginItem(i == 0, depth);
      write(elements[i], depth + 1);
    }
    if (!elements.empty())
      breakLine(depth);
    result.append("]");
  }

  void writeDict(const DictObject &dict, int depth) {
    std::vector<DictObject::Entry> entries = dict.entries;
    if (sortsKeys)
      sortStably(entries, [&](const auto &left, const auto &right) {
        return applyComparison(Operator::Less, left.key, right.key, heap);
      });
    result.append("{");
    for (size_t i = 0; i < entries.size(); ++i) {
      beginItem(i == 0, depth);
      writeKey(entries[i].key);
      heap.allocate(keySeparator.size());
      result.append(keySeparator);
      write(entries[i].value, depth + 1);
    }
    if (!entries.empty())
      breakLine(depth);
    result.append("}");
  }

  void writeKey(Value key) {
    switch (key.getKind()) {
    case Kind::String:
      heap.allocate(key.getText().size());
      return writeString(key.getText());
    case Kind::None:
      return result.append("\"null\"");
    case Kind::Boolean:
      return result.append(key.getInteger() ? "\"true\"" : "\"false\"");
    case Kind::Integer:
      return result.append("\"" + std::to_string(key.getInteger()) + "\"");
    case Kind::Float:
      return result.append("\"" + formatNumber(key.getNumber()) + "\"");
    default:
      throw wrongValue(std::string("keys must be str, int, float, bool or None, not ") +
                       typeName(key));
    }
  }

  void writeString(const Text &text) {
    static constexpr std::string_view plain = "\"\\\b\f\n\r\t", letters = "\"\\bfnrt";
    const std::string &bytes = text.str();
    result.append("\"");
    for (size_t position = 0; position < bytes.size();) {
      size_t begin = position;
      char32_t character = nextCharacter(bytes, position);
      bool marked = text.isMarked(begin);
      size_t letter = character < 0x80 ? plain.find(static_cast<char>(character)) : plain.npos;
      if (letter != plain.npos)
        result.append(std::string{'\\', letters[letter]}, marked);
      else if (character < 0x20 || (escapesAll && character >= 0x80))
        writeEscape(character, marked);
      else
        result.append(text, begin, position);
    }
    result.append("\"");
  }

  void writeEscape(char32_t character, bool marked) {
    char buffer[16];
    if (character >= 0x10000) {
      unsigned rest = static_cast<unsigned>(character) - 0x10000;
      std::snprintf(buffer, sizeof(buffer), "\\u%04x\\u%04x", 0xd800 + (rest >> 10),
                    0xdc00 + (rest & 0x3ff));
    } else {
      std::snprintf(buffer, sizeof(buffer), "\\u%04x", static_cast<unsigned>(character));
    }
    result.append(std::string_view(buffer), marked);
  }

  Heap &heap;
  bool escapesAll = false;
  bool breaksLines = false;
  bool sortsKeys = false;
  Text unit, itemSeparator, keySeparator;
};

} // namespace

Value toJson(Interpreter &interpreter, Value value, const Arguments &arguments) {
  Parameters given("tojson", arguments, {"ensure_ascii", "indent", "separators", "sort_keys"});
  JsonWriter writer(given, interpreter.heap);
  writer.write(value, 0);
  return interpreter.heap.string(std::move(writer.result));
}

} // namespace llmc::tokenizer::jinja
