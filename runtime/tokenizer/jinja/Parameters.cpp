//===- Parameters.cpp - the arguments of built-in functions ---------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Puts arguments in the order of a function's parameters.
//
//===----------------------------------------------------------------------===//

#include "Parameters.h"

#include "Error.h"

#include <algorithm>

namespace llmc::tokenizer::jinja {

Parameters::Parameters(const std::string &function, const Arguments &arguments,
                       std::initializer_list<const char *> names, size_t required)
    : function(function), names(names.begin(), names.end()), values(names.size()) {
  if (arguments.positional.size() > values.size())
    throw wrongValue(function + ": expected at most " + std::to_string(values.size()) +
                     " arguments, found " + std::to_string(arguments.positional.size()));
  std::copy(arguments.positional.begin(), arguments.positional.end(), values.begin());
  for (const auto &argument : arguments.named) {
    auto found = std::find(this->names.begin(), this->names.end(), argument.first);
    if (found == this->names.end())
      throw wrongValue(function + ": unexpected argument '" + argument.first + "'");
    std::optional<Value> &place = values[static_cast<size_t>(found - this->names.begin())];
    if (place)
      throw wrongValue(function + ": argument '" + argument.first + "' is given twice");
    place = argument.second;
  }
  for (size_t i = 0; i < required; ++i)
    if (!values[i])
      throw wrongValue(function + ": argument '" + this->names[i] + "' is missing");
}

void Parameters::failType(size_t i, const char *expected) const {
  if (get(i).isUndefined())
    throw wrongValue(get(i).getUndefined().message);
  throw wrongValue(function + ": expected " + expected + " as '" + names[i] + "', found " +
                   typeName(get(i)));
}

int64_t Parameters::getInteger(size_t i, int64_t otherwise) const {
  if (!has(i))
    return otherwise;
  if (!get(i).isInteger())
    failType(i, "an integer");
  return get(i).getInteger();
}

Text Parameters::getText(size_t i, Text otherwise) const {
  if (!has(i))
    return otherwise;
  if (!get(i).isString())
    failType(i, "a string");
  return get(i).getText();
}

} // namespace llmc::tokenizer::jinja
