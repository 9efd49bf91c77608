//===- Functions.h - functions of each element ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_FUNCTIONS_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_FUNCTIONS_H

#include "Raise/FunctionFormula.h"
#include "Raise/View.h"

namespace llmc {

/// A function of each element of a view, as its values at sample points.
struct Function : MeaningOf<Function> {
  View of;
  bool centered = false; ///< of x − mean
  std::vector<double> samples;
  double roundoff = 0; ///< of the constants in it, as in HostTensor
  /// As it is written; null where it is not known, or longer than functions are.
  FunctionFormula::Ptr formula;

  int64_t countColumns() const override { return of.countColumns(); }
  std::optional<mlir::LogicalResult> raiseUse(Raise &raise, Node &node) const override;
  mlir::FailureOr<View> toRows(Raise &raise) const override;
  bool isRows() const override { return true; }
};

/// The points at which functions are sampled, ascending: dense where they bend, and some far out,
/// where what bends slowly shows what it is.
std::vector<double> getSamplePoints();

/// Rows, or a function of them, of which only numbers of one sign pass; the others are 0.
mlir::FailureOr<Function> keepSign(Raise &raise, const Meaning &meaning, bool positive);

/// The nonlinearity that has these samples, if it is one of the dialect's.
std::optional<Nonlinearity> recognizeFunction(const Function &function);

/// Where all operands of an elementwise node are functions of the same rows, and numbers, so is the
/// result; nothing where they are not.
std::optional<mlir::LogicalResult> raiseAsFunction(Raise &raise, Node &node);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_FUNCTIONS_H
