//===- SpillParameters.h - parameters that passes made, moved to a file ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_SUPPORT_SPILLPARAMETERS_H
#define LLMC_SUPPORT_SPILLPARAMETERS_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"

namespace llmc {

/// Writes the bytes of all parameters that are held in memory to one safetensors file beside
/// `output` (NAME.safetensors for NAME.mlir) and makes the parameters refer to it. Encoded weights
/// and what is no float become vectors of bytes, others tensors of their type. Does nothing where
/// none is in memory.
llvm::Error spillParameters(mlir::ModuleOp module, llvm::StringRef output);

} // namespace llmc

#endif // LLMC_SUPPORT_SPILLPARAMETERS_H
