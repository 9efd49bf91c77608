//===- Lexer.cpp - a template cut into tokens -----------------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Cuts templates as Jinja does with trim_blocks and lstrip_blocks.
//
//===----------------------------------------------------------------------===//

#include "Lexer.h"

#include "Characters.h"
#include "Error.h"
#include "StringLiteral.h"

#include <cerrno>
#include <cstdlib>

namespace llmc::tokenizer::jinja {

namespace {

bool isDigit(char c) { return c >= '0' && c <= '9'; }

bool isNameCharacter(char c) {
  return isDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

/// Makes every line break "\n", and leaves out one at the end.
std::string normalizeLines(std::string_view source) {
  std::string result;
  result.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r' && i + 1 < source.size() && source[i + 1] == '\n')
      continue;
    result += source[i] == '\r' ? '\n' : source[i];
  }
  if (!result.empty() && result.back() == '\n')
    result.pop_back();
  return result;
}

class Lexer {
public:
  explicit Lexer(std::string_view given) : source(normalizeLines(given)) {}

  std::vector<Token> run() {
    while (position < source.size())
      readData();
    add(Token::Kind::End, "");
    return std::move(tokens);
  }

private:
  void add(Token::Kind kind, std::string text) {
    tokens.push_back({kind, line, std::move(text), 0, 0});
  }

  bool startsWith(std::string_view text) const {
    return source.compare(position, text.size(), text) == 0;
  }

  /// Moves on and counts lines.
  void advanceTo(size_t end) {
    for (; position < end; ++position)
      line += source[position] == '\n';
  }

  void skipSpace() {
    while (position < source.size()) {
      size_t next = position;
      if (!isSpace(nextCharacter(source, next)))
        return;
      advanceTo(next);
    }
  }

  /// Reads text to the next tag, and that tag.
  void readData() {
    size_t begin = position;
    size_t tag = begin;
    do {
      tag = source.find('{', tag);
      if (tag == std::string::npos || tag + 1 == source.size()) {
        add(Token::Kind::Data, source.substr(begin));
        position = source.size();
        return;
      }
      ++tag;
    } while (source[tag] != '{' && source[tag] != '%' && source[tag] != '#');
    char kind = source[tag];
    size_t inside = tag + 1;
    char sign = 0;
    if (inside < source.size() && (source[inside] == '-' || source[inside] == '+'))
      sign = source[inside++];
    addData(begin, tag - 1, kind, sign);
    advanceTo(inside);
    if (kind == '#')
      return skipComment();
    if (kind == '%' && skipRawBegin())
      return readRaw();
    add(kind == '{' ? Token::Kind::OutputBegin : Token::Kind::TagBegin, "");
    readTag(kind);
  }

  /// Adds text before a tag, without the spaces that the tag takes.
  void addData(size_t begin, size_t end, char kind, char sign) {
    std::string_view text(source.data() + begin, end - begin);
    if (sign == '-') {
      text = text.substr(0, stripEnd(text));
    } else if (sign != '+' && kind != '{') {
      size_t lineBegin = text.rfind('\n') + 1;
      bool beginsLine = lineBegin > 0 || begin == 0 || source[begin - 1] == '\n';
      if (beginsLine && stripEnd(text) <= lineBegin)
        text = text.substr(0, lineBegin);
    }
    if (!text.empty())
      add(Token::Kind::Data, std::string(text));
  }

  /// Reads a tag's end if one is here, and the spaces that it takes.
  bool readEnd(std::string_view end) {
    char sign = source[position] == '-' || source[position] == '+' ? source[position] : '\0';
    size_t size = sign ? 1 : 0;
    if ((sign == '+' && end == "}}") || source.compare(position + size, end.size(), end) != 0)
      return false;
    advanceTo(position + size + end.size());
    if (sign == '-')
      skipSpace();
    else if (!sign && end != "}}" && position < source.size() && source[position] == '\n')
      advanceTo(position + 1);
    return true;
  }

  void skipComment() {
    int begin = line;
    for (; position < source.size(); advanceTo(position + 1))
      if (readEnd("#}"))
        return;
    throw syntaxError(begin, "missing end of comment");
  }

  /// Reads the rest of {% raw %} if that is what the tag is.
  bool skipRawBegin() {
    size_t begin = position;
    int beginLine = line;
    skipSpace();
    if (startsWith("raw")) {
      advanceTo(position + 3);
      skipSpace();
      bool strips = startsWith("-%}");
      if (strips || startsWith("%}")) {
        // A line break after it stays.
        advanceTo(position + (strips ? 3 : 2));
        if (strips)
          skipSpace();
        return true;
      }
    }
    position = begin;
    line = beginLine;
    return false;
  }

  void readRaw() {
    int beginLine = line;
    size_t begin = position;
    for (size_t tag = begin; (tag = source.find("{%", tag)) != std::string::npos; ++tag) {
      size_t inside = tag + 2;
      char sign = 0;
      if (inside < source.size() && (source[inside] == '-' || source[inside] == '+'))
        sign = source[inside++];
      position = inside;
      skipSpace();
      if (startsWith("endraw")) {
        position += 6;
        skipSpace();
        if (position < source.size() && readEnd("%}")) {
          size_t end = position;
          line = beginLine;
          addData(begin, tag, '%', sign);
          position = begin;
          advanceTo(end);
          return;
        }
      }
    }
    throw syntaxError(beginLine, "missing end of raw block");
  }

  /// Reads the tokens of a tag and its end.
  void readTag(char kind) {
    std::string_view end = kind == '{' ? "}}" : "%}";
    int beginLine = line;
    std::string open;
    while (true) {
      skipSpace();
      if (position == source.size())
        throw syntaxError(beginLine, "the template ends inside of a tag");
      if (open.empty() && readEnd(end)) {
        add(kind == '{' ? Token::Kind::OutputEnd : Token::Kind::TagEnd, "");
        return;
      }
      char c = source[position];
      if (isDigit(c))
        readNumber();
      else if (isNameCharacter(c))
        readName();
      else if (c == '\'' || c == '"')
        readString(c);
      else
        readOperator(open);
    }
  }

  void readName() {
    size_t end = position;
    while (end < source.size() && isNameCharacter(source[end]))
      ++end;
    for (size_t i = position; i < end; ++i)
      if (static_cast<unsigned char>(source[i]) >= 0x80)
        throw unsupported("expected a name in ASCII", line);
    add(Token::Kind::Name, source.substr(position, end - position));
    position = end;
  }

  void readString(char quote) {
    size_t end = position + 1;
    while (end < source.size() && source[end] != quote)
      end += source[end] == '\\' ? 2 : 1;
    if (end >= source.size())
      throw syntaxError(line, "missing end of a string");
    std::string_view inside(source.data() + position + 1, end - position - 1);
    add(Token::Kind::String, unescape(inside, line));
    advanceTo(end + 1);
  }

  void readOperator(std::string &open) {
    static const char *const operators[] = {"**", "//", "==", "!=", ">=", "<=", "+", "-", "/",
                                            "*",  "%",  "~",  "[",  "]",  "(",  ")", "{", "}",
                                            ">",  "<",  "=",  ".",  ":",  "|",  ",", ";"};
    for (std::string_view candidate : operators) {
      if (!startsWith(candidate))
        continue;
      char c = candidate[0];
      if (c == '(' || c == '[' || c == '{') {
        open += c == '(' ? ')' : static_cast<char>(c + 2);
      } else if (c == ')' || c == ']' || c == '}') {
        if (open.empty() || open.back() != c)
          throw syntaxError(line, std::string("unexpected '") + c + "'");
        open.pop_back();
      }
      add(Token::Kind::Operator, std::string(candidate));
      position += candidate.size();
      return;
    }
    throw syntaxError(line, std::string("unexpected character '") + source[position] + "'");
  }

  /// Gives the end of digits that may have single underscores between them; `begin` if none.
  size_t skipDigits(size_t begin, std::string_view digits) const {
    size_t end = begin;
    while (end < source.size()) {
      size_t digit = end + (source[end] == '_' && end > begin ? 1 : 0);
      if (digit >= source.size() || digits.find(source[digit]) == std::string_view::npos)
        break;
      end = digit + 1;
    }
    return end;
  }

  void readNumber() {
    constexpr std::string_view decimal = "0123456789";
    size_t end = skipDigits(position, decimal);
    size_t whole = end;
    if (end < source.size() && source[end] == '.') {
      size_t fraction = skipDigits(end + 1, decimal);
      if (fraction > end + 1)
        end = fraction;
    }
    if (end < source.size() && (source[end] == 'e' || source[end] == 'E')) {
      size_t exponent = end + 1;
      if (exponent < source.size() && (source[exponent] == '+' || source[exponent] == '-'))
        ++exponent;
      size_t last = skipDigits(exponent, decimal);
      if (last > exponent)
        end = last;
    }
    bool afterDot = position > 0 && source[position - 1] == '.';
    if (end > whole && !afterDot)
      return addNumber(Token::Kind::Float, end, 10);
    if (source[position] == '0' && position + 1 < source.size()) {
      static const struct {
        char letter;
        int base;
        std::string_view digits;
      } bases[] = {{'x', 16, "0123456789abcdefABCDEF"}, {'o', 8, "01234567"}, {'b', 2, "01"}};
      for (const auto &base : bases) {
        if ((source[position + 1] | 0x20) != base.letter)
          continue;
        size_t last = skipDigits(position + 2, base.digits);
        if (last > position + 2) {
          position += 2;
          return addNumber(Token::Kind::Integer, last, base.base);
        }
      }
    }
    if (source[position] == '0' && skipDigits(position, "0") != whole)
      throw syntaxError(line, "unexpected number that begins with 0");
    addNumber(Token::Kind::Integer, whole, 10);
  }

  void addNumber(Token::Kind kind, size_t end, int base) {
    std::string digits;
    for (; position < end; ++position)
      if (source[position] != '_')
        digits += source[position];
    add(kind, digits);
    errno = 0;
    if (kind == Token::Kind::Float)
      tokens.back().number = std::strtod(digits.c_str(), nullptr);
    else
      tokens.back().integer = std::strtoll(digits.c_str(), nullptr, base);
    if (kind == Token::Kind::Integer && errno == ERANGE)
      throw unsupported("expected an integer of at most 64 bits, found " + digits.substr(0, 40),
                        line);
  }

  std::string source;
  size_t position = 0;
  int line = 1;
  std::vector<Token> tokens;
};

} // namespace

std::vector<Token> tokenize(std::string_view source) { return Lexer(source).run(); }

} // namespace llmc::tokenizer::jinja
