//===- Passes.h - passes over the language of models ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_PASSES_H
#define LLMC_TRANSFORMS_PASSES_H

#include "llmc/Transforms/LowRank/LowRankOptions.h"
#include "llmc/Transforms/Pruning/StructureOptions.h"
#include "llmc/Transforms/Quantization/QuantizationOptions.h"
#include "llmc/Transforms/Rewrites/RewriteOptions.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace llmc {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "llmc/Transforms/Passes.h.inc"

} // namespace llmc

#endif // LLMC_TRANSFORMS_PASSES_H
