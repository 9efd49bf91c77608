//===- CacheTypes.h - other types for the caches of a model ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_KVCACHE_CACHETYPES_H
#define LLMC_TRANSFORMS_KVCACHE_CACHETYPES_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include "mlir/IR/BuiltinOps.h"

#include <string>

namespace llmc {

/// What the caches of a model take.
struct CacheBytes {
  int64_t position = 0; ///< of a sequence
  int64_t state = 0;    ///< of all positions that are kept, with what keeps addresses aligned

  void add(KVCacheType type);
};

/// What a pass that leaves out parts of caches says of the state: a remark, and with `table` a line
/// on the standard error stream.
void reportState(mlir::ModuleOp module, llvm::StringRef pass, const CacheBytes &before,
                 const CacheBytes &after, bool table);

/// Caches that were given other types.
struct CacheChange {
  llvm::SmallVector<KVCacheType> types; ///< in the order of the caches
  CacheBytes before, after;

  /// Says what caches are, those side by side that are alike in `spell`: "2 caches, …; 1 cache, …".
  std::string spell(llvm::function_ref<std::string(KVCacheType)> spell) const;
};

/// The caches of the model's step, in their order; none where it has no step.
llvm::SmallVector<mlir::BlockArgument> getCaches(mlir::ModuleOp module);

/// Gives each cache of the model's step the type that `convert` makes of it, which is null where it
/// has reported why it can't. The module is flat.
mlir::FailureOr<CacheChange>
changeCaches(mlir::ModuleOp module,
             llvm::function_ref<KVCacheType(int64_t number, mlir::BlockArgument cache)> convert);

} // namespace llmc

#endif // LLMC_TRANSFORMS_KVCACHE_CACHETYPES_H
