//===- Lexer.h - a template cut into tokens -------------------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares the lexer of templates, with the whitespace control of chat templates: a line break
// after a tag goes, and so do spaces before one that begins its line.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_JINJA_LEXER_H
#define LLMC_RUNTIME_TOKENIZER_JINJA_LEXER_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace llmc::tokenizer::jinja {

struct Token {
  enum class Kind : uint8_t {
    Data,
    OutputBegin,
    OutputEnd,
    TagBegin,
    TagEnd,
    Name,
    String,
    Integer,
    Float,
    Operator,
    End,
  };

  Kind kind;
  int line;
  /// Data, a name, a string's value, or an operator as it is written.
  std::string text;
  int64_t integer = 0;
  double number = 0;
};

/// Cuts a template, valid UTF-8, into tokens, the last of which is End. Throws Error.
std::vector<Token> tokenize(std::string_view source);

} // namespace llmc::tokenizer::jinja

#endif // LLMC_RUNTIME_TOKENIZER_JINJA_LEXER_H
