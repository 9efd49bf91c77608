//===- WeightSelection.h - the weights that a compression pass takes in ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_WEIGHTSELECTION_H
#define LLMC_TRANSFORMS_WEIGHTSELECTION_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include "mlir/IR/BuiltinOps.h"

namespace llmc {

/// A matrix of weights, and the operations that compute with it.
struct SelectedWeight {
  ParameterOp parameter;
  llvm::SmallVector<LinearOp> linears;
  bool isHead = false; ///< the head or the token embedding, or both in one
};

/// Which weights a pass is asked to take in.
struct WeightFilter {
  /// Regular expressions. A parameter is taken in if one of `only` matches its name, or there are
  /// none, and none of `ignore` does.
  std::vector<std::string> only, ignore;
  bool head = true;        ///< the head and the token embedding too
  bool requantize = false; ///< those too that are rounded already
};

/// The matrices of the linears and of the token embedding of `module`, in the order of its
/// parameters. Reports at the module an expression that is none, one that matches nothing (a
/// warning), and weights that stay as an earlier pass or the model's file rounded them (a remark).
mlir::FailureOr<llvm::SmallVector<SelectedWeight>> selectWeights(mlir::ModuleOp module,
                                                                 const WeightFilter &filter);

} // namespace llmc

#endif // LLMC_TRANSFORMS_WEIGHTSELECTION_H
