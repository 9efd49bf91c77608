//===- FunctionFormula.h - a function of each element as it is written ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_FUNCTIONFORMULA_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_FUNCTIONFORMULA_H

#include "mlir/IR/Builders.h"

#include <memory>
#include <string>

namespace llmc {

/// A function of one number, written with operators of ONNX. Parts may be shared.
class FunctionFormula {
public:
  using Ptr = std::shared_ptr<const FunctionFormula>;

  /// `factor` times the operand.
  static Ptr makeOperand(double factor);
  static Ptr makeNumber(double number);
  /// An operator of other formulas. Null where one of these is, or where it would be longer than
  /// functions are.
  static Ptr apply(llvm::StringRef type, llvm::ArrayRef<Ptr> operands);

  /// The first operator that emit() has no operations for, or nothing.
  std::string findUnknown() const;
  /// Its value for each element of a matrix of fp32. All operators must be known.
  mlir::Value emit(mlir::OpBuilder &builder, mlir::Location location, mlir::Value rows) const;

private:
  friend class FormulaEmitter;
  enum class Kind { Operand, Number, Operator };

  Kind kind = Kind::Operand;
  double number = 1; ///< or the operand's factor
  std::string type;
  llvm::SmallVector<Ptr> operands;
  size_t size = 1; ///< of all that it is written with
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_FUNCTIONFORMULA_H
