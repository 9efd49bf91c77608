//===- LLMCToLinalg.h - what models mean, as plain arithmetic ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CONVERSION_LLMCTOLINALG_LLMCTOLINALG_H
#define LLMC_CONVERSION_LLMCTOLINALG_LLMCTOLINALG_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir {
class RewritePatternSet;
class TypeConverter;
} // namespace mlir

namespace llmc {

/// Rows become three tensors of integers (sequences, positions, wanted rows), a cache two tensors
/// [sequences, capacity, heads, size of a head] (keys, values), a tensor whose encoding says the
/// values of its elements a tensor of fp32.
void populateLLMCToLinalgTypeConversions(mlir::TypeConverter &converter);

/// Patterns for every operation of the dialect but llmc.parameter, which others read. They expect
/// caches to be values already (see returnCaches).
void populateLLMCToLinalgPatterns(const mlir::TypeConverter &converter,
                                  mlir::RewritePatternSet &patterns);

/// Turns caches that are updated in place into values: what comes after an append or a call reads
/// its result, and functions return the caches they take, after their other results. Reports uses
/// of caches whose order is not plain to see.
mlir::LogicalResult returnCaches(mlir::ModuleOp module);

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "llmc/Conversion/LLMCToLinalg/Passes.h.inc"

} // namespace llmc

#endif // LLMC_CONVERSION_LLMCTOLINALG_LLMCTOLINALG_H
