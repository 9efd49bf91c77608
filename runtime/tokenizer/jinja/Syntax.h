//===- Syntax.h - a template as a tree ------------------------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares the statements and expressions of templates. Names are numbers: places in a table that
// belongs to the template.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_JINJA_SYNTAX_H
#define LLMC_RUNTIME_TOKENIZER_JINJA_SYNTAX_H

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace llmc::tokenizer::jinja {

using Symbol = uint32_t;

/// Names that statements give a meaning to; they are in every table.
namespace symbol {
inline constexpr Symbol loop = 0;
inline constexpr Symbol caller = 1;
inline constexpr Symbol varargs = 2;
inline constexpr Symbol kwargs = 3;
} // namespace symbol

/// The names of a template.
class SymbolTable {
public:
  SymbolTable() {
    for (const char *name : {"loop", "caller", "varargs", "kwargs"})
      intern(name);
  }

  Symbol intern(const std::string &name) {
    auto [place, isNew] = index.emplace(name, static_cast<Symbol>(names.size()));
    if (isNew)
      names.push_back(name);
    return place->second;
  }
  /// Returns false for a name that is not in the template.
  bool find(const std::string &name, Symbol &symbol) const {
    auto place = index.find(name);
    if (place == index.end())
      return false;
    symbol = place->second;
    return true;
  }
  const std::string &name(Symbol symbol) const { return names[symbol]; }

private:
  std::vector<std::string> names;
  std::unordered_map<std::string, Symbol> index;
};

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

enum class Operator : uint8_t {
  Add,
  Subtract,
  Multiply,
  Divide,
  FloorDivide,
  Modulo,
  Power,
  Equal,
  NotEqual,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
  In,
  NotIn,
};

struct NamedArgument {
  std::string name;
  ExpressionPtr value;
};

/// What stands between a call's parentheses; `list` and `mapping` are those with * and **.
struct CallArguments {
  std::vector<ExpressionPtr> positional;
  std::vector<NamedArgument> named;
  ExpressionPtr list;
  ExpressionPtr mapping;
};

struct Expression {
  enum class Kind : uint8_t {
    None,
    Boolean,
    Integer,
    Float,
    String,
    Name,
    List,      ///< operands are the elements
    Tuple,     ///< likewise
    Dict,      ///< operands are keys and values in turn
    Attribute, ///< operand 0 . text
    Subscript, ///< operand 0 [ operand 1 ]
    Slice,     ///< operand 0 [ 1 : 2 : 3 ], null where left out
    Call,      ///< operand 0 ( arguments )
    Filter,    ///< operand 0 | text ( arguments ); null for a block's content
    Test,      ///< operand 0 is text ( arguments )
    Not,
    Negative,
    Positive,
    And,
    Or,
    Binary,             ///< operand 0 op operand 1
    Concatenate,        ///< operands joined as text
    Compare,            ///< operand 0 comparisons[0] operand 1 comparisons[1] operand 2 …
    Conditional,        ///< operand 0 if operand 1 else operand 2, which may be null
    NamespaceReference, ///< symbol . text, as a target only
  };

  Kind kind;
  Operator op = Operator::Add;
  bool boolean = false;
  int line = 0;
  /// One more than that of the deepest operand.
  int depth = 1;
  Symbol symbol = 0;
  int64_t integer = 0;
  double number = 0;
  std::string text;
  std::vector<ExpressionPtr> operands;
  std::vector<Operator> comparisons;
  CallArguments arguments;
};

struct Statement;
using Block = std::vector<std::unique_ptr<Statement>>;

struct Parameter {
  Symbol name;
  ExpressionPtr value; ///< null where there is no default
};

struct Statement {
  enum class Kind : uint8_t {
    Data,      ///< text
    Output,    ///< expression
    If,        ///< branches; the last has no condition if it is the else
    For,       ///< target in expression if condition: body else otherwise
    Set,       ///< target = expression
    SetBlock,  ///< target = body, through expression's filters if there are any
    Macro,     ///< symbol (parameters): body
    CallBlock, ///< expression is the call, parameters and body the caller
    Filter,    ///< body through expression's filters
    With,      ///< parameters, body
    Scope,     ///< body, whose variables end with it
    Break,
    Continue,
  };
  struct Branch {
    ExpressionPtr condition;
    Block body;
  };

  Kind kind;
  int line = 0;
  Symbol symbol = 0;
  std::string text;
  ExpressionPtr expression;
  ExpressionPtr target;
  ExpressionPtr condition;
  std::vector<Branch> branches;
  std::vector<Parameter> parameters;
  /// Whether a macro's body uses these.
  bool usesVarargs = false;
  bool usesKwargs = false;
  bool usesCaller = false;
  Block body;
  Block otherwise;
};

} // namespace llmc::tokenizer::jinja

#endif // LLMC_RUNTIME_TOKENIZER_JINJA_SYNTAX_H
