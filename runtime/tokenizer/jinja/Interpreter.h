//===- Interpreter.h - running a template ---------------------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares what runs a template's tree: as Jinja's immutable sandbox does with transformers'
// settings. Everything here throws Error.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_JINJA_INTERPRETER_H
#define LLMC_RUNTIME_TOKENIZER_JINJA_INTERPRETER_H

#include "Syntax.h"
#include "Value.h"

#include <ctime>
#include <utility>

namespace llmc::tokenizer::jinja {

class Interpreter;

/// What a call passes.
struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;
};

using Function = Value (*)(Interpreter &interpreter, Value self, const Arguments &arguments);

struct FunctionObject : Object {
  const char *name = "";
  Function function = nullptr;
  /// The value that a method belongs to.
  Value self;
};

/// The variables of a block, and the blocks around it.
struct Scope : Object {
  Scope *parent = nullptr;
  std::vector<std::pair<Symbol, Value>> variables;
  /// Whether a macro keeps it.
  bool isCaptured = false;

  void set(Symbol symbol, Value value);
  const Value *find(Symbol symbol) const;
};

struct MacroObject : Object {
  std::string name;
  const Statement *definition = nullptr;
  Scope *scope = nullptr;
};

class Interpreter {
public:
  Interpreter(const SymbolTable &symbols, Heap &heap, std::time_t now)
      : heap(heap), now(now), symbols(symbols) {}

  /// Runs a template with these variables.
  Text run(const Block &block, const std::vector<std::pair<std::string, Value>> &variables);

  /// The line of the statement that runs.
  int getLine() const { return line; }

  /// value.name, and value[index].
  Value getAttribute(Value value, const std::string &name);
  Value getItem(Value value, Value index);
  Value call(Value callee, const Arguments &arguments);
  Value applyFilter(const std::string &name, Value value, const Arguments &arguments);
  bool applyTest(const std::string &name, Value value, const Arguments &arguments);

  Heap &heap;
  /// What the clock is said to show.
  const std::time_t now;

private:
  enum class Flow { Next, Break, Continue };

  // Statements (Statements.cpp).
  Flow execute(const Block &block, Scope &scope, Text &output);
  Flow execute(const Statement &statement, Scope &scope, Text &output);
  Flow executeFor(const Statement &statement, Scope &scope, Text &output);
  Flow executeCapture(const Statement &statement, Scope &scope, Text &output);
  void executeCallBlock(const Statement &statement, Scope &scope, Text &output);
  Value makeMacro(const Statement &statement, std::string name, Scope &scope);
  Value callMacro(MacroObject &macro, const Arguments &arguments);
  void assign(const Expression &target, Value value, Scope &scope);
  Scope &makeScope(Scope *parent);
  void write(Text &output, Value value) { appendString(output, value, heap); }

  // Expressions (Expressions.cpp).
  Value evaluate(const Expression &expression, Scope &scope);
  Value evaluateOperation(const Expression &expression, Scope &scope);
  Value evaluateName(Symbol symbol, Scope &scope);
  Value evaluateCollection(const Expression &expression, Scope &scope);
  Value evaluateSlice(const Expression &expression, Scope &scope);
  Value evaluateCall(const Expression &expression, Scope &scope);
  Value evaluateFilter(const Expression &expression, Scope &scope, const Value *content);
  Value evaluateTest(const Expression &expression, Scope &scope);
  Value evaluateCompare(const Expression &expression, Scope &scope);
  Value evaluateConcatenation(const Expression &expression, Scope &scope);
  Arguments evaluateArguments(const CallArguments &arguments, Scope &scope);

  /// Counts what runs inside of each other.
  class Level {
  public:
    explicit Level(Interpreter &interpreter);
    ~Level() { --interpreter.depth; }
    Level(const Level &) = delete;
    Level &operator=(const Level &) = delete;

  private:
    Interpreter &interpreter;
  };

  const SymbolTable &symbols;
  int line = 0;
  int depth = 0;
};

/// Gives left op right, for the operators of arithmetic.
Value applyOperator(Operator op, Value left, Value right, Heap &heap);
/// Whether left op right holds, for the operators of comparison.
bool applyComparison(Operator op, Value left, Value right, Heap &heap);
Value negate(Value value, Heap &heap);
/// Gives value[start:stop:step]; None where one is left out.
Value slice(Value value, Value start, Value stop, Value step, Heap &heap);
/// Gives a value as text that is safe in HTML.
Text escapeMarkup(Value value, Heap &heap);
/// Gives format % arguments, as Python formats text.
Text formatText(const Text &format, Value arguments, Heap &heap);
/// Gives format.format(arguments).
Text formatBraces(Interpreter &interpreter, const Text &format, const Arguments &arguments);

/// Gives a method of a value, a property of a loop or macro, or null where the type has none with
/// this name.
const Value *findMember(Interpreter &interpreter, Value value, const std::string &name,
                        Value &place);
/// Gives a function that every template has, or null.
const Value *findGlobal(Interpreter &interpreter, const std::string &name, Value &place);

} // namespace llmc::tokenizer::jinja

#endif // LLMC_RUNTIME_TOKENIZER_JINJA_INTERPRETER_H
