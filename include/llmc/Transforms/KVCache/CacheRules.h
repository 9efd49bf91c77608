//===- CacheRules.h - how the keys or the values of each cache are stored ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_KVCACHE_CACHERULES_H
#define LLMC_TRANSFORMS_KVCACHE_CACHERULES_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"
#include "llmc/Transforms/NamePatterns.h"

namespace llmc {

/// What options say of keys, or of values.
struct CacheRequest {
  llvm::StringRef option;             ///< "keys", with which others begin
  llvm::StringRef format;             ///< a name or an attribute
  int64_t group;                      ///< numbers that share a scale; 0: as the name says
  llvm::ArrayRef<std::string> layers; ///< REGEX=FORMAT[:GROUP], of some caches
  bool alongPositions;                ///< positions share scales
};

/// Encodings of the caches of a model, which have numbers from 0 on.
class CacheRules {
public:
  /// Reports what can't be done.
  static mlir::FailureOr<CacheRules> get(mlir::Location location, const CacheRequest &request);

  CacheEncodingInterface getEncoding(int64_t cache);
  /// Warns at the module of expressions that no cache's number was.
  void warnOfUnused(mlir::ModuleOp module) const {
    patterns.warnOfUnused(module, "cache's number");
  }

private:
  CacheEncodingInterface others;
  NamePatterns patterns;
  llvm::SmallVector<CacheEncodingInterface> encodings; ///< of each pattern
};

} // namespace llmc

#endif // LLMC_TRANSFORMS_KVCACHE_CACHERULES_H
