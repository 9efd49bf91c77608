//===- Statements.cpp - running the statements of templates ---------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs statements. Loops, macros and blocks have variables of their own; branches have not.
//
//===----------------------------------------------------------------------===//

#include "Error.h"
#include "Interpreter.h"

#include <algorithm>

namespace llmc::tokenizer::jinja {

/// How much may run inside of each other: bounds the stack.
static constexpr int maximumLevel = 700;

Interpreter::Level::Level(Interpreter &interpreter) : interpreter(interpreter) {
  interpreter.heap.step();
  if (interpreter.depth == maximumLevel)
    throw tooMuch("macros and expressions run inside of each other, more than " +
                  std::to_string(maximumLevel) + " deep");
  ++interpreter.depth;
}

void Scope::set(Symbol symbol, Value value) {
  for (auto &variable : variables)
    if (variable.first == symbol) {
      variable.second = value;
      return;
    }
  variables.emplace_back(symbol, value);
}

const Value *Scope::find(Symbol symbol) const {
  for (const auto &variable : variables)
    if (variable.first == symbol)
      return &variable.second;
  return nullptr;
}

Scope &Interpreter::makeScope(Scope *parent) {
  auto *scope = heap.make<Scope>();
  scope->parent = parent;
  return *scope;
}

Text Interpreter::run(const Block &block,
                      const std::vector<std::pair<std::string, Value>> &variables) {
  Scope &given = makeScope(nullptr);
  for (const auto &variable : variables)
    if (Symbol name; symbols.find(variable.first, name))
      given.set(name, variable.second);
  Text output;
  execute(block, makeScope(&given), output);
  return output;
}

Interpreter::Flow Interpreter::execute(const Block &block, Scope &scope, Text &output) {
  for (const auto &statement : block)
    if (Flow flow = execute(*statement, scope, output); flow != Flow::Next)
      return flow;
  return Flow::Next;
}

Interpreter::Flow Interpreter::execute(const Statement &statement, Scope &scope, Text &output) {
  Level level(*this);
  line = statement.line;
  switch (statement.kind) {
  case Statement::Kind::Data:
    heap.allocate(statement.text.size());
    output.append(statement.text);
    return Flow::Next;
  case Statement::Kind::Output:
    write(output, evaluate(*statement.expression, scope));
    return Flow::Next;
  case Statement::Kind::If:
    for (const Statement::Branch &branch : statement.branches)
      if (!branch.condition || isTrue(evaluate(*branch.condition, scope)))
        return execute(branch.body, scope, output);
    return Flow::Next;
  case Statement::Kind::For:
    return executeFor(statement, scope, output);
  case Statement::Kind::Set:
    assign(*statement.target, evaluate(*statement.expression, scope), scope);
    return Flow::Next;
  case Statement::Kind::SetBlock:
  case Statement::Kind::Filter:
    return executeCapture(statement, scope, output);
  case Statement::Kind::Macro: {
    const std::string &name = symbols.name(statement.symbol);
    scope.set(statement.symbol, makeMacro(statement, name, scope));
    return Flow::Next;
  }
  case Statement::Kind::CallBlock:
    executeCallBlock(statement, scope, output);
    return Flow::Next;
  case Statement::Kind::With: {
    // The values don't see each other's names.
    Scope &inner = makeScope(&scope);
    for (const Parameter &parameter : statement.parameters)
      inner.set(parameter.name, evaluate(*parameter.value, scope));
    return execute(statement.body, inner, output);
  }
  case Statement::Kind::Scope:
    return execute(statement.body, makeScope(&scope), output);
  case Statement::Kind::Break:
    return Flow::Break;
  case Statement::Kind::Continue:
    return Flow::Continue;
  }
  return Flow::Next;
}

Interpreter::Flow Interpreter::executeFor(const Statement &statement, Scope &scope, Text &output) {
  Value iterable = evaluate(*statement.expression, scope);
  auto *loop = heap.make<LoopObject>();
  loop->elements = iterate(iterable, heap);
  if (statement.condition) {
    std::vector<Value> kept;
    Scope &inner = makeScope(&scope);
    for (Value element : loop->elements) {
      assign(*statement.target, element, inner);
      if (isTrue(evaluate(*statement.condition, inner)))
        kept.push_back(element);
    }
    loop->elements = std::move(kept);
  }
  Scope *inner = &makeScope(&scope);
  if (loop->elements.empty())
    return execute(statement.otherwise, *inner, output);
  for (; loop->index < loop->elements.size(); ++loop->index) {
    heap.step();
    // A macro that an earlier turn defined keeps that turn's variables.
    if (inner->isCaptured)
      inner = &makeScope(&scope);
    inner->variables.clear();
    inner->set(symbol::loop, {Value::Kind::Loop, loop});
    assign(*statement.target, loop->elements[loop->index], *inner);
    if (execute(statement.body, *inner, output) == Flow::Break)
      break;
  }
  return Flow::Next;
}

Interpreter::Flow Interpreter::executeCapture(const Statement &statement, Scope &scope,
                                              Text &output) {
  Text content;
  Flow flow = execute(statement.body, makeScope(&scope), content);
  if (flow != Flow::Next)
    return flow;
  Value value = heap.string(std::move(content));
  if (statement.expression)
    value = evaluateFilter(*statement.expression, scope, &value);
  if (statement.kind == Statement::Kind::SetBlock)
    assign(*statement.target, value, scope);
  else
    write(output, value);
  return Flow::Next;
}

void Interpreter::executeCallBlock(const Statement &statement, Scope &scope, Text &output) {
  const Expression &expression = *statement.expression;
  Value callee = evaluate(*expression.operands[0], scope);
  Arguments arguments = evaluateArguments(expression.arguments, scope);
  arguments.named.emplace_back("caller", makeMacro(statement, "caller", scope));
  write(output, call(callee, arguments));
}

Value Interpreter::makeMacro(const Statement &statement, std::string name, Scope &scope) {
  auto *macro = heap.make<MacroObject>();
  macro->name = std::move(name);
  macro->definition = &statement;
  macro->scope = &scope;
  for (Scope *kept = &scope; kept; kept = kept->parent)
    kept->isCaptured = true;
  return {Value::Kind::Macro, macro};
}

Value Interpreter::callMacro(MacroObject &macro, const Arguments &arguments) {
  Level level(*this);
  const Statement &definition = *macro.definition;
  const std::vector<Parameter> &parameters = definition.parameters;
  Scope &scope = makeScope(macro.scope);
  auto named = arguments.named;
  auto takeNamed = [&](const std::string &name, Value &value) {
    auto found = std::find_if(named.begin(), named.end(),
                              [&](const auto &argument) { return argument.first == name; });
    if (found == named.end())
      return false;
    value = found->second;
    named.erase(found);
    return true;
  };
  size_t positional = std::min(arguments.positional.size(), parameters.size());
  for (size_t i = 0; i < parameters.size(); ++i) {
    const std::string &name = symbols.name(parameters[i].name);
    Value value;
    if (i < positional)
      value = arguments.positional[i];
    else if (!takeNamed(name, value))
      value = parameters[i].value ? evaluate(*parameters[i].value, scope)
                                  : heap.undefined("parameter '" + name + "' was not provided");
    scope.set(parameters[i].name, value);
  }
  if (definition.usesCaller && !scope.find(symbol::caller)) {
    Value caller;
    if (!takeNamed("caller", caller))
      caller = heap.undefined("No caller defined");
    scope.set(symbol::caller, caller);
  }
  if (definition.usesKwargs) {
    Value rest = heap.dict();
    for (const auto &argument : named)
      setKey(rest.getDict(), heap.string(argument.first), argument.second, heap);
    scope.set(symbol::kwargs, rest);
  } else if (!named.empty()) {
    throw wrongValue("macro '" + macro.name + "' takes no keyword argument '" +
                     named.front().first + "'");
  }
  if (definition.usesVarargs)
    scope.set(symbol::varargs,
              heap.tuple({arguments.positional.begin() + static_cast<ptrdiff_t>(positional),
                          arguments.positional.end()}));
  else if (arguments.positional.size() > parameters.size())
    throw wrongValue("macro '" + macro.name + "' takes not more than " +
                     std::to_string(parameters.size()) + " argument(s)");
  Text output;
  int callLine = line;
  execute(definition.body, scope, output);
  line = callLine;
  return heap.string(std::move(output));
}

void Interpreter::assign(const Expression &target, Value value, Scope &scope) {
  if (target.kind == Expression::Kind::Name) {
    scope.set(target.symbol, value);
    return;
  }
  if (target.kind == Expression::Kind::NamespaceReference) {
    Value space = evaluateName(target.symbol, scope);
    if (!space.is(Value::Kind::Namespace))
      throw wrongValue("cannot assign attribute on non-namespace object");
    setKey(space.getDict(), heap.string(target.text), value, heap);
    return;
  }
  std::vector<Value> elements = iterate(value, heap);
  if (elements.size() != target.operands.size())
    throw wrongValue("expected " + std::to_string(target.operands.size()) +
                     " values to unpack, found " + std::to_string(elements.size()));
  for (size_t i = 0; i < elements.size(); ++i)
    assign(*target.operands[i], elements[i], scope);
}

} // namespace llmc::tokenizer::jinja
