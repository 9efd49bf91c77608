//===- ParameterRewrite.h - changes of parameters, in fp64 and rounded once ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A rewrite that leaves what a model computes as it is says first what becomes of each parameter,
// and then has all of it computed, one parameter after the other:
//
//   ParameterRewrite rewrite(module);
//   rewrite.add(up, scaleColumns(factors));
//   rewrite.add(norm, scaleRows(0, inverse));
//   return rewrite.store();
//
// Steps compute in fp64, and what they end with is rounded to fp32 when it is stored. Tests ask for
// it before that (evaluate) and hold it against the law that logits in fp64 stay the same.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_REWRITES_PARAMETERREWRITE_H
#define LLMC_TRANSFORMS_REWRITES_PARAMETERREWRITE_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/MapVector.h"

#include <functional>
#include <vector>

namespace llmc {

/// The values of a parameter: a matrix, out × in, or a vector as one column.
struct ExactValues {
  mlir::MLIRContext *context = nullptr; ///< whose threads compute
  int64_t rows = 0, columns = 0;
  std::vector<double> data; ///< row by row

  llvm::MutableArrayRef<double> row(int64_t index) {
    return llvm::MutableArrayRef<double>(data).slice(index * columns, columns);
  }
};

class ParameterRewrite {
public:
  using Step = std::function<void(ExactValues &)>;

  explicit ParameterRewrite(mlir::ModuleOp module) : module(module) {}

  /// Changes a parameter once more.
  void add(ParameterOp parameter, Step step) { steps[parameter].push_back(std::move(step)); }

  /// What a parameter is after the steps so far. Reports at the parameter bytes that are not there,
  /// weights that are rounded already, and numbers that are not finite.
  mlir::FailureOr<ExactValues> evaluate(ParameterOp parameter) const;

  /// A new parameter that is what `parameter` is after the steps so far.
  ParameterOp copy(ParameterOp parameter, llvm::StringRef suffix);
  /// A new vector or matrix of zeros, named after `parameter`.
  ParameterOp addZeros(ParameterOp parameter, llvm::StringRef suffix,
                       llvm::ArrayRef<int64_t> shape);

  /// The parameter of a linear's bias, which the linear alone reads: made where there is none.
  mlir::FailureOr<ParameterOp> takeBias(LinearOp linear);

  /// Stores all that was changed, as fp32 and in the shape that it has then, and forgets the steps.
  mlir::LogicalResult store();

private:
  mlir::ModuleOp module;
  llvm::MapVector<mlir::Operation *, std::vector<Step>> steps;
};

/// The parameter that a value of a flat function reads, or null.
ParameterOp getParameterOf(mlir::Value value);

/// W[:, j] ← W[:, j] · factors[j]
ParameterRewrite::Step scaleColumns(std::vector<double> factors);
/// W[begin + i, :] ← W[begin + i, :] · factors[i]
ParameterRewrite::Step scaleRows(int64_t begin, std::vector<double> factors);
/// W[i, 0] ← W[i, 0] + terms[i]
ParameterRewrite::Step addTerms(std::vector<double> terms);
/// All of W ← value
ParameterRewrite::Step fill(double value);

} // namespace llmc

#endif // LLMC_TRANSFORMS_REWRITES_PARAMETERREWRITE_H
