//===- StringLiteral.cpp - the escapes of string literals -----------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads the escapes of Python's strings, which Jinja takes over.
//
//===----------------------------------------------------------------------===//

#include "StringLiteral.h"

#include "Error.h"
#include "Unicode.h"

#include <cstdio>

namespace llmc::tokenizer::jinja {

/// Reads at most `limit` digits in `base`.
static char32_t readDigits(std::string_view text, size_t &position, size_t limit, unsigned base) {
  char32_t value = 0;
  for (size_t end = position + limit; position < end && position < text.size(); ++position) {
    char c = text[position];
    unsigned digit = c >= '0' && c <= '9'   ? static_cast<unsigned>(c - '0')
                     : c >= 'a' && c <= 'f' ? static_cast<unsigned>(c - 'a' + 10)
                     : c >= 'A' && c <= 'F' ? static_cast<unsigned>(c - 'A' + 10)
                                            : 16;
    if (digit >= base)
      break;
    value = value * base + digit;
  }
  return value;
}

/// Reads the digits of \x, \u or \U.
static char32_t readHexadecimal(std::string_view text, size_t &position, char kind, int line) {
  size_t size = kind == 'x' ? 2 : kind == 'u' ? 4 : 8;
  size_t begin = position;
  char32_t value = readDigits(text, position, size, 16);
  if (position != begin + size || value > 0x10ffff)
    throw syntaxError(line, std::string("truncated or wrong escape \\") + kind);
  if (value >= 0xd800 && value < 0xe000)
    throw unsupported("half of a surrogate pair in a string", line);
  return value;
}

std::string unescape(std::string_view literal, int line) {
  static constexpr std::string_view letters = "\\'\"abfnrtv";
  static constexpr std::string_view values = "\\'\"\a\b\f\n\r\t\v";
  std::string result;
  for (size_t i = 0; i < literal.size();) {
    if (literal[i] != '\\') {
      result += literal[i++];
      continue;
    }
    char c = literal[++i];
    if (size_t known = letters.find(c); known != std::string_view::npos) {
      result += values[known];
      ++i;
    } else if (c == '\n') {
      ++i;
    } else if (c >= '0' && c <= '7') {
      appendCharacter(result, readDigits(literal, i, 3, 8));
    } else if (c == 'x' || c == 'u' || c == 'U') {
      appendCharacter(result, readHexadecimal(literal, ++i, c, line));
    } else if (c == 'N') {
      throw unsupported("a character by its name in a string", line);
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      // Jinja escapes such characters first, and then finds the backslash escaped.
      char32_t character = nextCharacter(literal, i);
      char buffer[16];
      std::snprintf(buffer, sizeof(buffer),
                    character < 0x100     ? "\\x%02x"
                    : character < 0x10000 ? "\\u%04x"
                                          : "\\U%08x",
                    static_cast<unsigned>(character));
      result += buffer;
    } else {
      // An unknown escape stands for itself.
      result += '\\';
    }
  }
  return result;
}

} // namespace llmc::tokenizer::jinja
