//===- ReadValues.h - all that an operation reads ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_SUPPORT_READVALUES_H
#define LLMC_SUPPORT_READVALUES_H

#include "mlir/IR/Operation.h"

namespace llmc {

/// The operands of an operation, and what its regions take from outside, such as numbers in the
/// body of a linalg.generic.
llvm::SmallVector<mlir::Value> getReadValues(mlir::Operation *op);

} // namespace llmc

#endif // LLMC_SUPPORT_READVALUES_H
