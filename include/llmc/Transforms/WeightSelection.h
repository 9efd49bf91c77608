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
};

/// The matrices of the linears of `module`, in the order of its parameters. The head and the token
/// embedding come along if `includeHead`; parameters that one of the regular expressions `ignore`
/// matches are left out. Reports at the module an expression that is none.
mlir::FailureOr<llvm::SmallVector<SelectedWeight>>
selectWeights(mlir::ModuleOp module, llvm::ArrayRef<std::string> ignore, bool includeHead);

} // namespace llmc

#endif // LLMC_TRANSFORMS_WEIGHTSELECTION_H
