//===- RowWise.h - which tensor algebra keeps rows apart ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_SPMD_IR_ROWWISE_H
#define LLMC_DIALECT_SPMD_IR_ROWWISE_H

#include "mlir/IR/Operation.h"

#include <string>

namespace llmc {

/// Whether values of the type are rows: tensors whose first dimension is dynamic.
bool hasRows(mlir::Type type);

/// Whether an operation is plain tensor algebra: of linalg, tensor, arith or math.
bool isTensorAlgebra(mlir::Operation *op);

/// Says why rows of what an operation of tensor algebra computes may depend on more than the same
/// rows of its operands, or nothing.
std::string explainNotRowWise(mlir::Operation *op);

} // namespace llmc

#endif // LLMC_DIALECT_SPMD_IR_ROWWISE_H
