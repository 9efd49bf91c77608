//===- ValueLatents.h - latents in the place of cached values ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What attention makes of values is linear in them, head by head: of v = B·z it makes B times what
// it makes of z. So a latent z = A·x can be cached in the place of v = W·x, W near to B·A, and B is
// multiplied into the output projection (Chang et al. 2024, "Palu: compressing KV-cache with
// low-rank projection", section 3.1).
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_KVCACHE_VALUELATENTS_H
#define LLMC_TRANSFORMS_KVCACHE_VALUELATENTS_H

#include "llmc/Transforms/KVCache/CacheTypes.h"
#include "llmc/Transforms/KVCache/CachedValues.h"

namespace llmc {

/// Latents of `rank` numbers, one for each `headsTogether` heads of values: A·x of inputs x, of
/// which each query head takes B·A·x for the values that it reads.
struct ValueLatents {
  int64_t headsTogether = 1, rank = 0;
  std::vector<std::vector<double>> a; ///< of each group of heads, rank × inputs
  std::vector<std::vector<double>> b; ///< of each query head, size of a value × rank
};

/// The groups of heads that have a latent each, and the shape of their weights.
struct LatentShape {
  int64_t groups, rows, columns;
  int64_t queries, headsTogether;

  /// Where among the heads of its group that stands which a query head reads.
  int64_t getPlace(int64_t query) const {
    return query * groups * headsTogether / queries % headsTogether;
  }
  static LatentShape get(CachedValues &values, const ValueLatents &latents);
};

/// The second moments of what attention makes of values: of each query head Σ a·aᵀ, where a is its
/// sum of the values of all heads that have one latent with that which it reads.
using ValueMoments = std::vector<std::vector<double>>;

/// Latents that keep values as they are, so that attention gives all that ValueMoments are of.
mlir::FailureOr<ValueLatents> spreadValues(CachedValues &values, int64_t headsTogether);
/// The moments of such results of attention, rows side by side.
ValueMoments getMoments(CachedValues &values, int64_t headsTogether, llvm::ArrayRef<float> rows);

/// Fills in the latents that change the outputs of the projections behind attention least; gives
/// the share of the outputs' size that is lost. Moments are raised by `damp` (InverseHessian).
mlir::FailureOr<double> fitLatents(CachedValues &values, const ValueMoments &moments, double damp,
                                   ValueLatents &latents);

/// Has latents computed and cached in the place of values: changes the parameters by `rewrite`, and
/// moves a bias of values, which attention leaves as it is, behind the output projection.
mlir::LogicalResult replaceValues(CachedValues &values, const ValueLatents &latents,
                                  ParameterRewrite &rewrite);

/// Gives what computes and caches values the types of latents, once parameters have theirs. Reports
/// at a cache what it can't hold.
mlir::FailureOr<CacheChange> retypeValues(mlir::ModuleOp module,
                                          llvm::MutableArrayRef<CachedValues> values,
                                          llvm::ArrayRef<ValueLatents> latents);

} // namespace llmc

#endif // LLMC_TRANSFORMS_KVCACHE_VALUELATENTS_H
