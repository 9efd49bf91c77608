//===- Patterns.h - the families of patterns, one per file ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_LLMCTOLINALG_PATTERNS_H
#define LLMC_LIB_CONVERSION_LLMCTOLINALG_PATTERNS_H

#include "llmc/Conversion/LLMCToLinalg/AttentionFormula.h"

#include "mlir/Transforms/DialectConversion.h"

namespace llmc {

void populateAttentionPatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &);
void populateColumnPatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &);
void populateElementwisePatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &);
void populateGroupDotPatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &);
void populateHadamardPatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &);
void populateLinearPatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &);
void populateNormPatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &);
void populateParameterPatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &);
void populateRopePatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &);
void populateRowPatterns(const mlir::TypeConverter &, mlir::RewritePatternSet &);

/// An integer as an index.
mlir::Value toIndex(mlir::ImplicitLocOpBuilder &b, mlir::Value integer);

/// What a value of !llmc.kv_cache has become: what is stored of keys, then of values
/// (KVCacheType::getStoredPlanes), and, where it chooses positions, what it knows of them
/// (KVCacheType::getChoiceElements), each [sequence, position, head, 1].
struct PlainCache {
  mlir::ValueRange keys, values, choice;
  static PlainCache get(KVCacheType type, mlir::ValueRange planes) {
    size_t keys = type.getStoredPlanes(type.getKeyVectors()).size(),
           values = type.getStoredPlanes(type.getValueVectors()).size();
    return {planes.take_front(keys), planes.slice(keys, values), planes.drop_front(keys + values)};
  }
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_LLMCTOLINALG_PATTERNS_H
