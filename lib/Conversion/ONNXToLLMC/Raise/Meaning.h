//===- Meaning.h - what a value of an ONNX graph means in a language model ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// The raise follows the graph and keeps, for every value that depends on tokens, what it is: rows
// of the model seen through reshapes and transposes, attention scores, a half-finished norm. A
// meaning does not depend on how an exporter spelled it: reshapes disappear into a view, constants
// into coefficients, a nonlinear function into samples of it.
//
// Meanings are an open set: what an idiom goes through on its way is a class of the file that
// raises the idiom, and no other file knows it.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_MEANING_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_MEANING_H

#include "Graph/Node.h"

#include "mlir/Support/TypeID.h"

#include <memory>
#include <optional>

namespace llmc {

class Raise;
struct View;

class Meaning {
public:
  virtual ~Meaning() = default;
  mlir::TypeID getTypeID() const { return id; }

  /// Columns that it holds on to, which a raise bounds.
  virtual int64_t countColumns() const { return 0; }

  /// Raises a node that reads the value, where the meaning knows how the node goes on with it.
  /// Operands are asked in their order, before the operator is; nothing says that another decides.
  virtual std::optional<mlir::LogicalResult> raiseUse(Raise &raise, Node &node) const;

  /// Rows of the model that the value is; computes what was held back. Fails where it is none.
  virtual mlir::FailureOr<View> toRows(Raise &raise) const;
  /// Whether it is rows, computed or held back.
  virtual bool isRows() const { return false; }

protected:
  explicit Meaning(mlir::TypeID id) : id(id) {}
  Meaning(const Meaning &) = default;
  Meaning &operator=(const Meaning &) = default;

private:
  mlir::TypeID id;
};

/// The base of a meaning, for `isa` and `dyn_cast`.
template <typename Derived>
class MeaningOf : public Meaning {
public:
  static bool classof(const Meaning *meaning) {
    return meaning->getTypeID() == mlir::TypeID::get<Derived>();
  }

private:
  friend Derived;
  MeaningOf() : Meaning(mlir::TypeID::get<Derived>()) {}
};

/// Nothing, such as the columns beyond those that are rotated where all of them are.
struct NoElements : MeaningOf<NoElements> {};

/// The tokens of the step, in their order.
struct TokensValue : MeaningOf<TokensValue> {
  std::optional<mlir::LogicalResult> raiseUse(Raise &raise, Node &node) const override;
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_MEANING_H
