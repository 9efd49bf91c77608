//===- Parser.cpp - the statements of templates ---------------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads statements; expressions are read in ExpressionParser.cpp.
//
//===----------------------------------------------------------------------===//

#include "Parser.h"

#include "Error.h"

#include <algorithm>
#include <utility>

namespace llmc::tokenizer::jinja {

/// How deep statements and expressions may stand in each other.
static constexpr int maximumNesting = 100;

static std::string describe(const Token &token) {
  switch (token.kind) {
  case Token::Kind::Data:
    return "text";
  case Token::Kind::OutputBegin:
    return "'{{'";
  case Token::Kind::OutputEnd:
    return "'}}'";
  case Token::Kind::TagBegin:
    return "'{%'";
  case Token::Kind::TagEnd:
    return "'%}'";
  case Token::Kind::String:
    return "a string";
  case Token::Kind::Integer:
  case Token::Kind::Float:
    return "a number";
  case Token::Kind::End:
    return "the end of the template";
  case Token::Kind::Name:
  case Token::Kind::Operator:
    break;
  }
  return "'" + token.text.substr(0, 40) + "'";
}

Parser::Nesting::Nesting(Parser &parser) : parser(parser) {
  if (parser.depth == maximumNesting)
    throw unsupported("statements and expressions in each other, more than " +
                          std::to_string(maximumNesting) + " deep",
                      parser.current().line);
  ++parser.depth;
}

bool Parser::skipOperator(std::string_view text) {
  bool found = isOperator(text);
  position += found;
  return found;
}

bool Parser::skipName(std::string_view text) {
  bool found = isName(text);
  position += found;
  return found;
}

void Parser::expectOperator(std::string_view text) {
  if (!skipOperator(text))
    failExpected("'" + std::string(text) + "'");
}

void Parser::expectName(std::string_view text) {
  if (!skipName(text))
    failExpected("'" + std::string(text) + "'");
}

std::string Parser::expectAnyName() {
  if (current().kind != Token::Kind::Name)
    failExpected("a name");
  return take().text;
}

void Parser::failExpected(std::string_view expected) const {
  throw syntaxError(current().line,
                    "expected " + std::string(expected) + ", found " + describe(current()));
}

Block Parser::parse() { return parseBlock({}); }

Block Parser::parseBlock(EndNames ends, std::string *foundEnd) {
  Block block;
  int beginLine = current().line;
  auto add = [&](Statement::Kind kind) -> Statement & {
    block.push_back(std::make_unique<Statement>());
    block.back()->kind = kind;
    block.back()->line = current().line;
    return *block.back();
  };
  while (current().kind != Token::Kind::End) {
    if (current().kind == Token::Kind::Data) {
      Statement &data = add(Statement::Kind::Data);
      data.text = take().text;
    } else if (current().kind == Token::Kind::OutputBegin) {
      Statement &output = add(Statement::Kind::Output);
      take();
      output.expression = parseTuple(TupleUse::Plain);
      if (take().kind != Token::Kind::OutputEnd) {
        --position;
        failExpected("'}}'");
      }
    } else {
      take();
      if (current().kind != Token::Kind::Name)
        failExpected("the name of a tag");
      if (std::find(ends.begin(), ends.end(), current().text) != ends.end()) {
        std::string end = take().text;
        if (foundEnd)
          *foundEnd = std::move(end);
        return block;
      }
      if (std::unique_ptr<Statement> statement = parseStatement())
        block.push_back(std::move(statement));
      if (current().kind != Token::Kind::TagEnd)
        failExpected("'%}'");
      take();
    }
  }
  if (ends.size() > 0)
    throw syntaxError(current().line, "expected '" + std::string(*(ends.end() - 1)) +
                                          "' for the block that begins at line " +
                                          std::to_string(beginLine) +
                                          ", found the end of the template");
  return block;
}

Block Parser::parseBody(EndNames ends, std::string *foundEnd) {
  skipOperator(":");
  if (current().kind != Token::Kind::TagEnd)
    failExpected("'%}'");
  take();
  return parseBlock(ends, foundEnd);
}

std::unique_ptr<Statement> Parser::parseStatement() {
  using Kind = Statement::Kind;
  Nesting nesting(*this);
  auto statement = std::make_unique<Statement>();
  statement->line = current().line;
  std::string name = take().text;
  if (name == "if") {
    parseIf(*statement);
  } else if (name == "for") {
    parseFor(*statement);
  } else if (name == "set") {
    parseSet(*statement);
  } else if (name == "macro") {
    parseMacro(*statement);
  } else if (name == "call") {
    parseCallBlock(*statement);
  } else if (name == "with") {
    parseWith(*statement);
  } else if (name == "filter") {
    statement->kind = Kind::Filter;
    statement->expression = parseFilterChain(parseFilter(nullptr));
    statement->body = parseBody({"endfilter"});
  } else if (name == "print") {
    // As Jinja does, without separators.
    statement->kind = Kind::Scope;
    while (current().kind != Token::Kind::TagEnd) {
      if (!statement->body.empty())
        expectOperator(",");
      statement->body.push_back(std::make_unique<Statement>());
      statement->body.back()->kind = Kind::Output;
      statement->body.back()->line = statement->line;
      statement->body.back()->expression = parseExpression();
    }
  } else if (name == "generation") {
    statement->kind = Kind::Scope;
    statement->body = parseBody({"endgeneration"});
  } else if (name == "break" || name == "continue") {
    if (loops == 0)
      throw syntaxError(statement->line, "'" + name + "' outside of a loop");
    statement->kind = name == "break" ? Kind::Break : Kind::Continue;
  } else {
    for (const char *known :
         {"include", "import", "from", "extends", "block", "autoescape", "do", "trans", "debug"})
      if (name == known)
        throw unsupported("the tag '" + name + "' is not supported", statement->line);
    throw syntaxError(statement->line, "unknown tag '" + name.substr(0, 40) + "'");
  }
  return statement;
}

void Parser::parseIf(Statement &statement) {
  statement.kind = Statement::Kind::If;
  std::string end = "elif";
  while (end == "elif") {
    ExpressionPtr condition = parseTuple(TupleUse::NoConditional);
    Block body = parseBody({"elif", "else", "endif"}, &end);
    statement.branches.push_back({std::move(condition), std::move(body)});
  }
  if (end == "else")
    statement.branches.push_back({nullptr, parseBody({"endif"})});
}

void Parser::parseFor(Statement &statement) {
  statement.kind = Statement::Kind::For;
  statement.target = parseTarget(/*withNamespace=*/false);
  expectName("in");
  statement.expression = parseTuple(TupleUse::NoConditional);
  if (skipName("if"))
    statement.condition = parseExpression();
  if (isName("recursive"))
    throw unsupported("recursive loops are not supported", current().line);
  std::string end;
  ++loops;
  statement.body = parseBody({"else", "endfor"}, &end);
  --loops;
  if (end == "else")
    statement.otherwise = parseBody({"endfor"});
}

void Parser::parseSet(Statement &statement) {
  statement.target = parseTarget(/*withNamespace=*/true);
  if (skipOperator("=")) {
    statement.kind = Statement::Kind::Set;
    statement.expression = parseTuple(TupleUse::Plain);
    return;
  }
  statement.kind = Statement::Kind::SetBlock;
  if (isOperator("|"))
    statement.expression = parseFilterChain(nullptr);
  statement.body = parseBody({"endset"});
}

std::vector<Parameter> Parser::parseSignature() {
  std::vector<Parameter> parameters;
  expectOperator("(");
  while (!isOperator(")")) {
    if (!parameters.empty())
      expectOperator(",");
    Parameter parameter{symbols.intern(expectAnyName()), nullptr};
    if (skipOperator("="))
      parameter.value = parseExpression();
    else if (!parameters.empty() && parameters.back().value)
      throw syntaxError(current().line, "a parameter without a default after one with a default");
    parameters.push_back(std::move(parameter));
  }
  expectOperator(")");
  return parameters;
}

bool Parser::wasRead(size_t begin, std::string_view name) const {
  return std::any_of(tokens.begin() + static_cast<ptrdiff_t>(begin),
                     tokens.begin() + static_cast<ptrdiff_t>(position), [&](const Token &token) {
                       return token.kind == Token::Kind::Name && token.text == name;
                     });
}

void Parser::parseMacro(Statement &statement) {
  statement.kind = Statement::Kind::Macro;
  statement.symbol = symbols.intern(expectAnyName());
  statement.parameters = parseSignature();
  size_t begin = position;
  int outerLoops = std::exchange(loops, 0);
  statement.body = parseBody({"endmacro"});
  loops = outerLoops;
  statement.usesVarargs = wasRead(begin, "varargs");
  statement.usesKwargs = wasRead(begin, "kwargs");
  statement.usesCaller = wasRead(begin, "caller");
}

void Parser::parseCallBlock(Statement &statement) {
  statement.kind = Statement::Kind::CallBlock;
  if (isOperator("("))
    statement.parameters = parseSignature();
  statement.expression = parseExpression();
  if (statement.expression->kind != Expression::Kind::Call)
    throw syntaxError(statement.line, "expected a call");
  int outerLoops = std::exchange(loops, 0);
  statement.body = parseBody({"endcall"});
  loops = outerLoops;
}

void Parser::parseWith(Statement &statement) {
  statement.kind = Statement::Kind::With;
  while (current().kind != Token::Kind::TagEnd && !isOperator(":")) {
    if (!statement.parameters.empty())
      expectOperator(",");
    Symbol name = symbols.intern(expectAnyName());
    expectOperator("=");
    statement.parameters.push_back({name, parseExpression()});
  }
  statement.body = parseBody({"endwith"});
}

ExpressionPtr Parser::parseTarget(bool withNamespace) {
  using Kind = Expression::Kind;
  int line = current().line;
  ExpressionPtr target = parseTuple(withNamespace ? TupleUse::NamespaceTarget : TupleUse::Target);
  std::vector<const Expression *> open{target.get()};
  while (!open.empty()) {
    const Expression *part = open.back();
    open.pop_back();
    if (part->kind == Kind::Tuple) {
      for (const ExpressionPtr &operand : part->operands)
        open.push_back(operand.get());
    } else if (part->kind != Kind::Name && part->kind != Kind::NamespaceReference) {
      throw syntaxError(line, "expected a name to assign to");
    }
  }
  return target;
}

} // namespace llmc::tokenizer::jinja
