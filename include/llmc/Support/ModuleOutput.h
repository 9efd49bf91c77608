//===- ModuleOutput.h - modules made ready to be written to a file ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_SUPPORT_MODULEOUTPUT_H
#define LLMC_SUPPORT_MODULEOUTPUT_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"

namespace llmc {

/// Makes a module ready to be written to the file `output`. The bytes of all parameters that are
/// held in memory go to one safetensors file beside it (NAME.safetensors for NAME.mlir), which the
/// parameters then refer to; encoded weights and what is no float become vectors of bytes, others
/// tensors of their type. All paths become relative to where the module will lie, and every
/// file's contents are named (ParameterPaths.h), which reads those that were not. Refuses to
/// replace a file that the module's tensors lie in, or one beside it that llmc did not write.
llvm::Error prepareForFile(mlir::ModuleOp module, llvm::StringRef output);

} // namespace llmc

#endif // LLMC_SUPPORT_MODULEOUTPUT_H
