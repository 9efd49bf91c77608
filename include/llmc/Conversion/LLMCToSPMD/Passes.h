//===- Passes.h - from the language of models to plans, as passes ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CONVERSION_LLMCTOSPMD_PASSES_H
#define LLMC_CONVERSION_LLMCTOSPMD_PASSES_H

#include "llmc/Dialect/SPMD/IR/SPMD.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace llmc {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "llmc/Conversion/LLMCToSPMD/Passes.h.inc"

} // namespace llmc

#endif // LLMC_CONVERSION_LLMCTOSPMD_PASSES_H
