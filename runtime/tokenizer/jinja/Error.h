//===- Error.h - what goes wrong in a template ----------------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares the exception that ends reading or running a template. It never leaves the library: the
// functions of Template.h turn it into a status.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_JINJA_ERROR_H
#define LLMC_RUNTIME_TOKENIZER_JINJA_ERROR_H

#include "llmc/status.h"

#include <exception>
#include <string>

namespace llmc::tokenizer::jinja {

class Error : public std::exception {
public:
  /// `code` is that of the status; a line of 0 is filled in by what runs the statement.
  Error(int32_t code, std::string message, int line = 0)
      : code(code), line(line), message(std::move(message)) {}

  const char *what() const noexcept override { return message.c_str(); }

  const int32_t code;
  const int line;

private:
  std::string message;
};

/// The template cannot be read.
inline Error syntaxError(int line, std::string message) {
  return {LLMC_CORRUPT, std::move(message), line};
}
/// The template is Jinja, and more of it than is known here.
inline Error unsupported(std::string message, int line = 0) {
  return {LLMC_UNSUPPORTED, std::move(message), line};
}
/// An operation does not fit its values.
inline Error wrongValue(std::string message) { return {LLMC_INVALID_ARGUMENT, std::move(message)}; }
/// The template needs more time or memory than it is given.
inline Error tooMuch(std::string message) { return {LLMC_OUT_OF_MEMORY, std::move(message)}; }

} // namespace llmc::tokenizer::jinja

#endif // LLMC_RUNTIME_TOKENIZER_JINJA_ERROR_H
