//===- ExpressionParser.cpp - the expressions of templates ----------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads expressions by recursive descent, a function for each level of precedence.
//
//===----------------------------------------------------------------------===//

#include "Error.h"
#include "Parser.h"

#include <algorithm>

namespace llmc::tokenizer::jinja {

/// How deep a tree may be: chains such as a + b + c make it so without nesting.
static constexpr int deepestExpression = 250;

void Parser::measure(Expression &expression) const {
  auto include = [&](const ExpressionPtr &operand) {
    if (operand)
      expression.depth = std::max(expression.depth, operand->depth + 1);
  };
  for (const ExpressionPtr &operand : expression.operands)
    include(operand);
  for (const ExpressionPtr &argument : expression.arguments.positional)
    include(argument);
  for (const NamedArgument &argument : expression.arguments.named)
    include(argument.value);
  include(expression.arguments.list);
  include(expression.arguments.mapping);
  if (expression.depth > deepestExpression)
    throw unsupported("an expression of more than " + std::to_string(deepestExpression) + " levels",
                      expression.line);
}

ExpressionPtr Parser::make(Expression::Kind kind, int line, std::vector<ExpressionPtr> operands) {
  auto result = std::make_unique<Expression>();
  result->kind = kind;
  result->line = line;
  result->operands = std::move(operands);
  measure(*result);
  return result;
}

template <typename... Operands>
ExpressionPtr Parser::makeOf(Expression::Kind kind, int line, Operands... operands) {
  std::vector<ExpressionPtr> list;
  (list.push_back(std::move(operands)), ...);
  return make(kind, line, std::move(list));
}

ExpressionPtr Parser::makeBinary(Operator op, int line, ExpressionPtr left, ExpressionPtr right) {
  ExpressionPtr result = makeOf(Expression::Kind::Binary, line, std::move(left), std::move(right));
  result->op = op;
  return result;
}

ExpressionPtr Parser::parseTuple(TupleUse use) {
  Nesting nesting(*this);
  bool isTarget = use == TupleUse::Target || use == TupleUse::NamespaceTarget;
  auto atEnd = [&] {
    return current().kind == Token::Kind::OutputEnd || current().kind == Token::Kind::TagEnd ||
           isOperator(")") || (isTarget && isName("in"));
  };
  auto parseElement = [&]() -> ExpressionPtr {
    if (isTarget)
      return parsePrimary(use == TupleUse::NamespaceTarget);
    return use == TupleUse::NoConditional ? parseOr() : parseConditional();
  };
  int line = current().line;
  std::vector<ExpressionPtr> elements;
  bool isTuple = false;
  while (true) {
    if (!elements.empty())
      expectOperator(",");
    if (atEnd())
      break;
    elements.push_back(parseElement());
    if (!isOperator(","))
      break;
    isTuple = true;
  }
  if (!isTuple && !elements.empty())
    return std::move(elements.front());
  if (!isTuple && use != TupleUse::Parentheses)
    failExpected("an expression");
  return make(Expression::Kind::Tuple, line, std::move(elements));
}

ExpressionPtr Parser::parseConditional() {
  Nesting nesting(*this);
  ExpressionPtr value = parseOr();
  while (isName("if")) {
    int line = take().line;
    ExpressionPtr condition = parseOr();
    ExpressionPtr otherwise = skipName("else") ? parseConditional() : nullptr;
    value = makeOf(Expression::Kind::Conditional, line, std::move(value), std::move(condition),
                   std::move(otherwise));
  }
  return value;
}

ExpressionPtr Parser::parseOr() {
  ExpressionPtr left = parseAnd();
  while (isName("or")) {
    int line = take().line;
    left = makeOf(Expression::Kind::Or, line, std::move(left), parseAnd());
  }
  return left;
}

ExpressionPtr Parser::parseAnd() {
  ExpressionPtr left = parseNot();
  while (isName("and")) {
    int line = take().line;
    left = makeOf(Expression::Kind::And, line, std::move(left), parseNot());
  }
  return left;
}

ExpressionPtr Parser::parseNot() {
  if (!isName("not"))
    return parseCompare();
  Nesting nesting(*this);
  int line = take().line;
  return makeOf(Expression::Kind::Not, line, parseNot());
}

ExpressionPtr Parser::parseCompare() {
  static const struct {
    const char *text;
    Operator op;
  } comparisons[] = {{"==", Operator::Equal},  {"!=", Operator::NotEqual},
                     {"<", Operator::Less},    {"<=", Operator::LessEqual},
                     {">", Operator::Greater}, {">=", Operator::GreaterEqual}};
  auto takeComparison = [&](Operator &op) {
    for (const auto &comparison : comparisons) {
      op = comparison.op;
      if (skipOperator(comparison.text))
        return true;
    }
    op = Operator::In;
    if (skipName("in"))
      return true;
    op = Operator::NotIn;
    if (!isName("not") || ahead().kind != Token::Kind::Name || ahead().text != "in")
      return false;
    position += 2;
    return true;
  };
  int line = current().line;
  std::vector<ExpressionPtr> operands;
  operands.push_back(parseSum());
  std::vector<Operator> found;
  for (Operator op; takeComparison(op);) {
    found.push_back(op);
    operands.push_back(parseSum());
  }
  if (found.empty())
    return std::move(operands.front());
  ExpressionPtr result = make(Expression::Kind::Compare, line, std::move(operands));
  result->comparisons = std::move(found);
  return result;
}

ExpressionPtr Parser::parseSum() {
  ExpressionPtr left = parseConcatenation();
  while (isOperator("+") || isOperator("-")) {
    Token op = take();
    left = makeBinary(op.text == "+" ? Operator::Add : Operator::Subtract, op.line, std::move(left),
                      parseConcatenation());
  }
  return left;
}

ExpressionPtr Parser::parseConcatenation() {
  int line = current().line;
  std::vector<ExpressionPtr> parts;
  parts.push_back(parseProduct());
  while (skipOperator("~"))
    parts.push_back(parseProduct());
  if (parts.size() == 1)
    return std::move(parts.front());
  return make(Expression::Kind::Concatenate, line, std::move(parts));
}

ExpressionPtr Parser::parseProduct() {
  ExpressionPtr left = parsePower();
  while (isOperator("*") || isOperator("/") || isOperator("//") || isOperator("%")) {
    Token op = take();
    Operator kind = op.text == "*"    ? Operator::Multiply
                    : op.text == "/"  ? Operator::Divide
                    : op.text == "//" ? Operator::FloorDivide
                                      : Operator::Modulo;
    left = makeBinary(kind, op.line, std::move(left), parsePower());
  }
  return left;
}

ExpressionPtr Parser::parsePower() {
  ExpressionPtr left = parseUnary(/*withFilter=*/true);
  while (isOperator("**")) {
    int line = take().line;
    left = makeBinary(Operator::Power, line, std::move(left), parseUnary(/*withFilter=*/true));
  }
  return left;
}

ExpressionPtr Parser::parseUnary(bool withFilter) {
  ExpressionPtr value;
  if (isOperator("-") || isOperator("+")) {
    Nesting nesting(*this);
    Token op = take();
    value = makeOf(op.text == "-" ? Expression::Kind::Negative : Expression::Kind::Positive,
                   op.line, parseUnary(/*withFilter=*/false));
  } else {
    value = parsePrimary();
  }
  value = parsePostfix(std::move(value));
  return withFilter ? parseFilters(std::move(value)) : std::move(value);
}

ExpressionPtr Parser::parsePrimary(bool withNamespace) {
  int line = current().line;
  if (isOperator("["))
    return parseList();
  if (isOperator("{"))
    return parseDict();
  if (skipOperator("(")) {
    ExpressionPtr inside = parseTuple(TupleUse::Parentheses);
    expectOperator(")");
    return inside;
  }
  Token token = current();
  ExpressionPtr result;
  switch (token.kind) {
  case Token::Kind::Name: {
    take();
    const std::string &name = token.text;
    if (name == "true" || name == "True" || name == "false" || name == "False") {
      result = make(Expression::Kind::Boolean, line);
      result->boolean = name == "true" || name == "True";
    } else if (name == "none" || name == "None") {
      result = make(Expression::Kind::None, line);
    } else {
      bool isReference = withNamespace && skipOperator(".");
      result =
          make(isReference ? Expression::Kind::NamespaceReference : Expression::Kind::Name, line);
      result->symbol = symbols.intern(name);
      if (isReference)
        result->text = expectAnyName();
    }
    return result;
  }
  case Token::Kind::String:
    result = make(Expression::Kind::String, line);
    while (current().kind == Token::Kind::String)
      result->text += take().text;
    return result;
  case Token::Kind::Integer:
    take();
    result = make(Expression::Kind::Integer, line);
    result->integer = token.integer;
    return result;
  case Token::Kind::Float:
    take();
    result = make(Expression::Kind::Float, line);
    result->number = token.number;
    return result;
  default:
    failExpected("an expression");
  }
}

ExpressionPtr Parser::parseList() {
  Nesting nesting(*this);
  int line = take().line;
  std::vector<ExpressionPtr> elements;
  while (!isOperator("]")) {
    if (!elements.empty())
      expectOperator(",");
    if (isOperator("]"))
      break;
    elements.push_back(parseExpression());
  }
  expectOperator("]");
  return make(Expression::Kind::List, line, std::move(elements));
}

ExpressionPtr Parser::parseDict() {
  Nesting nesting(*this);
  int line = take().line;
  std::vector<ExpressionPtr> elements;
  while (!isOperator("}")) {
    if (!elements.empty())
      expectOperator(",");
    if (isOperator("}"))
      break;
    elements.push_back(parseExpression());
    expectOperator(":");
    elements.push_back(parseExpression());
  }
  expectOperator("}");
  return make(Expression::Kind::Dict, line, std::move(elements));
}

ExpressionPtr Parser::parsePostfix(ExpressionPtr value) {
  while (true) {
    if (isOperator(".") || isOperator("["))
      value = parseSubscript(std::move(value));
    else if (isOperator("("))
      value = parseCall(std::move(value));
    else
      return value;
  }
}

ExpressionPtr Parser::parseFilters(ExpressionPtr value) {
  while (true) {
    if (skipOperator("|"))
      value = parseFilter(std::move(value));
    else if (isName("is"))
      value = parseTest(std::move(value));
    else if (isOperator("("))
      value = parseCall(std::move(value));
    else
      return value;
  }
}

ExpressionPtr Parser::parseFilterChain(ExpressionPtr value) {
  while (skipOperator("|"))
    value = parseFilter(std::move(value));
  return value;
}

ExpressionPtr Parser::parseFilter(ExpressionPtr value) {
  int line = current().line;
  std::string name = expectAnyName();
  while (skipOperator("."))
    name += "." + expectAnyName();
  ExpressionPtr result = makeOf(Expression::Kind::Filter, line, std::move(value));
  result->text = std::move(name);
  if (isOperator("("))
    result->arguments = parseArguments();
  measure(*result);
  return result;
}

ExpressionPtr Parser::parseTest(ExpressionPtr value) {
  int line = take().line;
  bool isNegated = skipName("not");
  std::string name = expectAnyName();
  while (skipOperator("."))
    name += "." + expectAnyName();
  ExpressionPtr result = makeOf(Expression::Kind::Test, line, std::move(value));
  result->text = std::move(name);
  Token::Kind kind = current().kind;
  if (isOperator("(")) {
    result->arguments = parseArguments();
  } else if ((kind == Token::Kind::Name && !isName("else") && !isName("or") && !isName("and")) ||
             kind == Token::Kind::String || kind == Token::Kind::Integer ||
             kind == Token::Kind::Float || isOperator("[") || isOperator("{")) {
    if (isName("is"))
      throw syntaxError(line, "tests cannot be chained with 'is'");
    result->arguments.positional.push_back(parsePostfix(parsePrimary()));
  }
  measure(*result);
  return isNegated ? makeOf(Expression::Kind::Not, line, std::move(result)) : std::move(result);
}

ExpressionPtr Parser::parseSubscript(ExpressionPtr value) {
  Nesting nesting(*this);
  Token begin = take();
  if (begin.text == ".") {
    Token name = take();
    if (name.kind == Token::Kind::Name) {
      ExpressionPtr result = makeOf(Expression::Kind::Attribute, begin.line, std::move(value));
      result->text = name.text;
      return result;
    }
    if (name.kind != Token::Kind::Integer)
      throw syntaxError(begin.line, "expected a name or a number after '.'");
    ExpressionPtr index = make(Expression::Kind::Integer, begin.line);
    index->integer = name.integer;
    return makeOf(Expression::Kind::Subscript, begin.line, std::move(value), std::move(index));
  }
  ExpressionPtr first = isOperator(":") ? nullptr : parseExpression();
  if (!isOperator(":")) {
    std::vector<ExpressionPtr> parts;
    parts.push_back(std::move(first));
    bool isTuple = isOperator(",");
    while (skipOperator(",") && !isOperator("]"))
      parts.push_back(parseExpression());
    expectOperator("]");
    ExpressionPtr index = isTuple ? make(Expression::Kind::Tuple, begin.line, std::move(parts))
                                  : std::move(parts.front());
    return makeOf(Expression::Kind::Subscript, begin.line, std::move(value), std::move(index));
  }
  expectOperator(":");
  auto parseBound = [&]() -> ExpressionPtr {
    return isOperator(":") || isOperator("]") ? nullptr : parseExpression();
  };
  ExpressionPtr last = parseBound();
  ExpressionPtr step = skipOperator(":") ? parseBound() : nullptr;
  if (isOperator(","))
    throw unsupported("slices of several dimensions are not supported", begin.line);
  expectOperator("]");
  return makeOf(Expression::Kind::Slice, begin.line, std::move(value), std::move(first),
                std::move(last), std::move(step));
}

ExpressionPtr Parser::parseCall(ExpressionPtr value) {
  ExpressionPtr result = makeOf(Expression::Kind::Call, current().line, std::move(value));
  result->arguments = parseArguments();
  measure(*result);
  return result;
}

CallArguments Parser::parseArguments() {
  Nesting nesting(*this);
  CallArguments arguments;
  int line = current().line;
  expectOperator("(");
  bool isFirst = true;
  auto ensure = [&](bool valid) {
    if (!valid)
      throw syntaxError(line, "wrong order of a call's arguments");
  };
  while (!isOperator(")")) {
    if (!isFirst) {
      expectOperator(",");
      if (isOperator(")"))
        break;
    }
    isFirst = false;
    if (skipOperator("*")) {
      ensure(!arguments.list && !arguments.mapping);
      arguments.list = parseExpression();
    } else if (skipOperator("**")) {
      ensure(!arguments.mapping);
      arguments.mapping = parseExpression();
    } else if (current().kind == Token::Kind::Name && ahead().kind == Token::Kind::Operator &&
               ahead().text == "=") {
      ensure(!arguments.mapping);
      std::string name = take().text;
      take();
      for (const NamedArgument &argument : arguments.named)
        if (argument.name == name)
          throw syntaxError(line, "argument '" + name.substr(0, 40) + "' is given twice");
      arguments.named.push_back({std::move(name), parseExpression()});
    } else {
      ensure(!arguments.list && !arguments.mapping && arguments.named.empty());
      arguments.positional.push_back(parseExpression());
    }
  }
  expectOperator(")");
  return arguments;
}

} // namespace llmc::tokenizer::jinja
