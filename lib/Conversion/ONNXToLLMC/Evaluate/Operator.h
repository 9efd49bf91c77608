//===- Operator.h - what is known of each ONNX operator ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// One table: an operator is one row, which says in which versions it is known, what of it is read,
// how it is evaluated, and what becomes of it in the raise. What a row does not name is refused by
// name, so that nothing in a model is passed over silently. Rows stand below the functions that
// evaluate them, one file for each group of operators.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_OPERATOR_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_OPERATOR_H

#include "Graph/Node.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

namespace llmc {

struct Evaluation;
class Expansion;
class Raise;

/// Computes a node's outputs, or their shapes where inputs are unknown.
using EvaluateFunction = bool (*)(Evaluation &);
/// Writes a node down in the language of models.
using RaiseFunction = mlir::LogicalResult (*)(Raise &, Node &);
/// What became of a node that could be written as nodes of simpler operators. What is held makes
/// no tensor, and others read what it stands for.
enum class Expanded { Kept, Replaced, Held, Failed };
using ExpandFunction = Expanded (*)(Expansion &);

/// An input in a row, spelled "name" or, where it may be absent, "name?"; "name..." stands for any
/// number; "name!" is one that the operator has and nobody here reads. "name?*" may have sizes that
/// are not stated.
struct OperatorInput {
  OperatorInput(const char *spelling);

  llvm::StringRef name;
  bool isOptional = false, isVariadic = false, isRefused = false, hasAnyShape = false;
};

/// An attribute in a row, spelled "name" where any value is read, or "name=a|b": the values that
/// it may have. Numbers and texts are spelled as getAttributeText gives them.
struct OperatorAttribute {
  OperatorAttribute(const char *spelling);

  llvm::StringRef name;
  llvm::SmallVector<llvm::StringRef, 2> values; ///< empty: any
};

/// Versions of an operator set.
struct OperatorVersions {
  int64_t first, last;
};

/// The newest version of ONNX's own operators that has been read.
inline constexpr int64_t newestOpset = 26;

/// A row. Its methods fill it in.
struct Operator {
  llvm::StringRef domain; ///< empty: ONNX's own
  llvm::StringRef name;
  OperatorVersions versions;
  llvm::SmallVector<OperatorInput, 4> inputs;
  llvm::SmallVector<OperatorAttribute, 4> attributes;
  bool isMovement = false;    ///< moves elements, and computes none
  bool isElementwise = false; ///< computes each element from those at the same place
  bool isStreaming = false;   ///< reads large constants from the file piece by piece
  EvaluateFunction evaluate = nullptr;
  RaiseFunction raise = nullptr;
  ExpandFunction expand = nullptr;

  /// An operator of ONNX's own, as it is since version `first`.
  static Operator onnx(const char *name, int64_t first) {
    return {"", name, {first, newestOpset}, {}, {}};
  }
  /// One of ONNX Runtime's.
  static Operator contrib(const char *name) { return {"com.microsoft", name, {1, 1}, {}, {}}; }

  Operator takes(std::initializer_list<OperatorInput> names) const {
    Operator row = *this;
    row.inputs = names;
    return row;
  }
  Operator reads(std::initializer_list<OperatorAttribute> names) const {
    Operator row = *this;
    row.attributes.append(names.begin(), names.end());
    return row;
  }
  Operator moves() const {
    Operator row = *this;
    row.isMovement = true;
    return row;
  }
  Operator elementwise() const {
    Operator row = *this;
    row.isElementwise = true;
    return row;
  }
  Operator streams() const {
    Operator row = *this;
    row.isStreaming = true;
    return row;
  }
  Operator evaluatedBy(EvaluateFunction function) const {
    Operator row = *this;
    row.evaluate = function;
    return row;
  }
  Operator raisedBy(RaiseFunction function) const {
    Operator row = *this;
    row.raise = function;
    return row;
  }
  Operator expandedBy(ExpandFunction function) const {
    Operator row = *this;
    row.expand = function;
    return row;
  }

  /// As Node::getType gives it.
  std::string getType() const;
  /// Inputs that it can't do without, counted from the first; and how many it can have.
  size_t getLeastInputs() const;
  size_t getMostInputs() const;
  bool takesAnyShape(unsigned input) const;
};

/// The row of an operator; null where it is not known. Types are `Node::getType`'s.
const Operator *findOperator(llvm::StringRef type);

/// All rows, in the order of their types.
llvm::ArrayRef<const Operator *> getOperators();

/// An attribute's value as rows spell it: "1", "0.5", "tanh", "1,2".
std::string getAttributeText(mlir::Attribute value);

/// What a node has that its row does not name: a version, an input, an attribute or a value of it.
/// Nothing where there is no such thing.
std::optional<std::string> findUnknownPart(const Operator &row, const Node &node);

/// The version of the operator set that a node is written in, which a new node or one of a function
/// says itself; 0 where neither it nor the file does.
int64_t getOpset(const Node &node);

/// The table as a page in Markdown.
void printOperators(llvm::raw_ostream &stream);

// The rows, one file for each group.
llvm::ArrayRef<Operator> getMovementOperators();
llvm::ArrayRef<Operator> getElementwiseOperators();
llvm::ArrayRef<Operator> getReductionOperators();
llvm::ArrayRef<Operator> getLayerOperators();
llvm::ArrayRef<Operator> getProductOperators();
llvm::ArrayRef<Operator> getAttentionOperators();
llvm::ArrayRef<Operator> getQuantizedOperators();
/// Operators that are known by what they are expanded to alone.
llvm::ArrayRef<Operator> getExpandedOperators();

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_OPERATOR_H
