//===- GroupTensorAlgebra.h - tensor algebra in pieces that give activations ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_LLMCTOSPMD_GROUPTENSORALGEBRA_H
#define LLMC_LIB_CONVERSION_LLMCTOSPMD_GROUPTENSORALGEBRA_H

#include "mlir/IR/BuiltinOps.h"

namespace llmc {

/// Makes spmd.map_rows of the operations of linalg, tensor, arith and math: one for each result
/// that something else needs, with all that it is computed of. Reports what mixes rows.
mlir::LogicalResult groupTensorAlgebra(mlir::ModuleOp module);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_LLMCTOSPMD_GROUPTENSORALGEBRA_H
