//===- Parameters.h - the arguments of built-in functions -----------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares how filters, tests, methods and functions take what a call passes.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_JINJA_PARAMETERS_H
#define LLMC_RUNTIME_TOKENIZER_JINJA_PARAMETERS_H

#include "Interpreter.h"

#include <initializer_list>
#include <optional>

namespace llmc::tokenizer::jinja {

/// A call's arguments in the order of the parameters' names.
class Parameters {
public:
  /// Throws Error where one is unknown, given twice, or one of the first `required` is missing.
  Parameters(const std::string &function, const Arguments &arguments,
             std::initializer_list<const char *> names, size_t required = 0);

  bool has(size_t i) const { return values[i].has_value(); }
  /// None where it is not given.
  Value get(size_t i) const { return values[i].value_or(Value()); }
  bool getTruth(size_t i, bool otherwise) const { return has(i) ? isTrue(get(i)) : otherwise; }
  /// Throws Error if it is given and no integer.
  int64_t getInteger(size_t i, int64_t otherwise) const;
  /// Throws Error if it is given and no string.
  Text getText(size_t i, Text otherwise) const;

private:
  [[noreturn]] void failType(size_t i, const char *expected) const;

  std::string function;
  std::vector<std::string> names;
  std::vector<std::optional<Value>> values;
};

/// Throws Error where a function that takes none is given an argument.
inline void expectNoArguments(const std::string &function, const Arguments &arguments) {
  const Parameters none(function, arguments, {});
}

} // namespace llmc::tokenizer::jinja

#endif // LLMC_RUNTIME_TOKENIZER_JINJA_PARAMETERS_H
