//===- CachedValues.h - who computes values of caches, and who reads them ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_KVCACHE_CACHEDVALUES_H
#define LLMC_TRANSFORMS_KVCACHE_CACHEDVALUES_H

#include "llmc/Analysis/Structure.h"
#include "llmc/Transforms/Rewrites/ParameterRewrite.h"

namespace llmc {

/// The values of a cache: what computes them, and what reads the results of their attention.
struct CachedValues {
  AttentionOp attention;
  CacheAppendOp append;
  LinearOp producer; ///< outputs from `begin` on are the values
  int64_t begin = 0;
  llvm::SmallVector<LinearOp> readers; ///< output projections
  double factor = 1;                   ///< what values are multiplied by on the whole way

  KVCacheType getCache() { return append.getCache().getType(); }
  ParameterOp getWeight() { return getParameterOf(producer.getWeight()); }
  /// Outputs of the producer that are values.
  int64_t getWidth() { return getCache().getValueHeads() * getCache().getValueSize(); }
};

/// Those of all caches, in the order of the program. Reports at an attention values that nothing
/// can stand for.
mlir::FailureOr<std::vector<CachedValues>> findCachedValues(mlir::func::FuncOp step);

} // namespace llmc

#endif // LLMC_TRANSFORMS_KVCACHE_CACHEDVALUES_H
