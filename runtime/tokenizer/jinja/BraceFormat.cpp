//===- BraceFormat.cpp - the method `format` of strings -------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fills values into text as Python's str.format does, without format specifications.
//
//===----------------------------------------------------------------------===//

#include "Error.h"
#include "Interpreter.h"

#include <algorithm>

namespace llmc::tokenizer::jinja {

namespace {

bool isNumber(const std::string &text) {
  return !text.empty() && text.size() < 9 &&
         text.find_first_not_of("0123456789") == std::string::npos;
}

class BraceFormatter {
public:
  BraceFormatter(Interpreter &interpreter, const Text &format, const Arguments &arguments)
      : interpreter(interpreter), format(format), arguments(arguments) {}

  Text run() {
    const std::string &bytes = format.str();
    interpreter.heap.allocate(bytes.size());
    for (size_t position = 0; position < bytes.size();) {
      size_t brace = std::min(bytes.find_first_of("{}", position), bytes.size());
      result.append(format, position, brace);
      if (brace == bytes.size())
        break;
      position = brace + 1;
      if (position < bytes.size() && bytes[position] == bytes[brace]) {
        result.append(format, brace, position);
        ++position;
        continue;
      }
      if (bytes[brace] == '}')
        throw wrongValue("Single '}' encountered in format string");
      size_t end = bytes.find_first_of("{}", position);
      if (end == std::string::npos || bytes[end] == '{')
        throw wrongValue("expected '}' before end of string");
      fill(bytes.substr(position, end - position));
      position = end + 1;
    }
    return std::move(result);
  }

private:
  void fill(std::string field) {
    if (field.find(':') != std::string::npos && field.find(':') + 1 < field.size())
      throw unsupported("the format '{" + field.substr(0, 40) + "}' is not supported");
    field = field.substr(0, field.find(':'));
    size_t mark = field.find('!');
    std::string conversion = mark == std::string::npos ? "" : field.substr(mark + 1);
    Value value = find(field.substr(0, mark));
    if (conversion == "r")
      appendRepresentation(result, value, interpreter.heap);
    else if (conversion.empty() || conversion == "s")
      appendString(result, value, interpreter.heap);
    else
      throw unsupported("the format '{" + field.substr(0, 40) + "}' is not supported");
  }

  /// Finds an argument by number or name, and an attribute or element of it.
  Value find(const std::string &path) {
    size_t end = std::min(path.find_first_of(".["), path.size());
    Value value = findArgument(path.substr(0, end));
    while (end < path.size()) {
      bool isAttribute = path[end] == '.';
      size_t begin = end + 1;
      end = std::min(isAttribute ? path.find_first_of(".[", begin) : path.find(']', begin),
                     path.size());
      std::string name = path.substr(begin, end - begin);
      if (name.empty() || (!isAttribute && end == path.size()))
        throw wrongValue("a name is missing in a format");
      if (isAttribute) {
        value = interpreter.getAttribute(value, name);
        continue;
      }
      value =
          interpreter.getItem(value, isNumber(name) ? Value(static_cast<int64_t>(std::stol(name)))
                                                    : interpreter.heap.string(name));
      ++end;
      if (end < path.size() && path[end] != '.' && path[end] != '[')
        throw wrongValue("only '.' or '[' may follow ']' in a format");
    }
    return value;
  }

  Value findArgument(const std::string &name) {
    size_t index = 0;
    if (name.empty() || isNumber(name)) {
      bool isAutomatic = name.empty();
      if (isAutomatic ? usesNumbers : next > 0)
        throw wrongValue("cannot switch between automatic and manual field numbering");
      usesNumbers |= !isAutomatic;
      index = isAutomatic ? next++ : static_cast<size_t>(std::stol(name));
      if (index >= arguments.positional.size())
        throw wrongValue("too few arguments for a format");
      return arguments.positional[index];
    }
    for (const auto &argument : arguments.named)
      if (argument.first == name)
        return argument.second;
    throw wrongValue("no argument '" + name + "' for a format");
  }

  Interpreter &interpreter;
  const Text &format;
  const Arguments &arguments;
  Text result;
  size_t next = 0;
  bool usesNumbers = false;
};

} // namespace

Text formatBraces(Interpreter &interpreter, const Text &format, const Arguments &arguments) {
  return BraceFormatter(interpreter, format, arguments).run();
}

} // namespace llmc::tokenizer::jinja
