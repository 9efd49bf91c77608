//===- Parser.h - tokens become a tree ------------------------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares the parser of templates. Its grammar is Jinja's, with the tags of chat templates:
// `break`, `continue` and `generation`. What reads other files is refused.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_JINJA_PARSER_H
#define LLMC_RUNTIME_TOKENIZER_JINJA_PARSER_H

#include "Lexer.h"
#include "Syntax.h"

#include <initializer_list>

namespace llmc::tokenizer::jinja {

class Parser {
public:
  Parser(std::vector<Token> tokens, SymbolTable &symbols)
      : tokens(std::move(tokens)), symbols(symbols) {}

  /// Reads the whole template. Throws Error.
  Block parse();

private:
  using EndNames = std::initializer_list<std::string_view>;

  // Tokens (Parser.cpp).
  const Token &current() const { return tokens[position]; }
  const Token &ahead() const { return tokens[std::min(position + 1, tokens.size() - 1)]; }
  Token take() { return current().kind == Token::Kind::End ? current() : tokens[position++]; }
  bool isOperator(std::string_view text) const { return is(Token::Kind::Operator, text); }
  bool isName(std::string_view text) const { return is(Token::Kind::Name, text); }
  bool is(Token::Kind kind, std::string_view text) const {
    return current().kind == kind && current().text == text;
  }
  bool skipOperator(std::string_view text);
  bool skipName(std::string_view text);
  void expectOperator(std::string_view text);
  void expectName(std::string_view text);
  std::string expectAnyName();
  [[noreturn]] void failExpected(std::string_view expected) const;

  // Statements (Parser.cpp).
  /// Reads statements up to a tag that begins with one of `ends`, and that name; none: to the end.
  Block parseBlock(EndNames ends, std::string *foundEnd = nullptr);
  /// Reads the end of the tag and the statements up to one of `ends`.
  Block parseBody(EndNames ends, std::string *foundEnd = nullptr);
  std::unique_ptr<Statement> parseStatement();
  void parseIf(Statement &statement);
  void parseFor(Statement &statement);
  void parseSet(Statement &statement);
  void parseMacro(Statement &statement);
  void parseCallBlock(Statement &statement);
  void parseWith(Statement &statement);
  std::vector<Parameter> parseSignature();
  ExpressionPtr parseTarget(bool withNamespace);
  /// Whether a name was read since `begin`, a place in the tokens.
  bool wasRead(size_t begin, std::string_view name) const;

  // Expressions (ExpressionParser.cpp).
  enum class TupleUse { Plain, NoConditional, Parentheses, Target, NamespaceTarget };
  ExpressionPtr parseExpression() { return parseConditional(); }
  ExpressionPtr parseTuple(TupleUse use);
  ExpressionPtr parseConditional();
  ExpressionPtr parseOr();
  ExpressionPtr parseAnd();
  ExpressionPtr parseNot();
  ExpressionPtr parseCompare();
  ExpressionPtr parseSum();
  ExpressionPtr parseConcatenation();
  ExpressionPtr parseProduct();
  ExpressionPtr parsePower();
  ExpressionPtr parseUnary(bool withFilter);
  ExpressionPtr parsePrimary(bool withNamespace = false);
  ExpressionPtr parsePostfix(ExpressionPtr value);
  ExpressionPtr parseFilters(ExpressionPtr value);
  ExpressionPtr parseFilterChain(ExpressionPtr value);
  ExpressionPtr parseFilter(ExpressionPtr value);
  ExpressionPtr parseTest(ExpressionPtr value);
  ExpressionPtr parseSubscript(ExpressionPtr value);
  ExpressionPtr parseCall(ExpressionPtr value);
  ExpressionPtr parseList();
  ExpressionPtr parseDict();
  CallArguments parseArguments();
  ExpressionPtr make(Expression::Kind kind, int line, std::vector<ExpressionPtr> operands = {});
  template <typename... Operands>
  ExpressionPtr makeOf(Expression::Kind kind, int line, Operands... operands);
  ExpressionPtr makeBinary(Operator op, int line, ExpressionPtr left, ExpressionPtr right);
  /// Takes operands' depth over, and refuses what is too deep.
  void measure(Expression &expression) const;

  /// Counts the levels of nesting that are being read, and refuses too many.
  class Nesting {
  public:
    explicit Nesting(Parser &parser);
    ~Nesting() { --parser.depth; }
    Nesting(const Nesting &) = delete;
    Nesting &operator=(const Nesting &) = delete;

  private:
    Parser &parser;
  };

  std::vector<Token> tokens;
  SymbolTable &symbols;
  size_t position = 0;
  int depth = 0;
  int loops = 0;
};

} // namespace llmc::tokenizer::jinja

#endif // LLMC_RUNTIME_TOKENIZER_JINJA_PARSER_H
