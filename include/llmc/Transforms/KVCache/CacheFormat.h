//===- CacheFormat.h - names of encodings of caches ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_KVCACHE_CACHEFORMAT_H
#define LLMC_TRANSFORMS_KVCACHE_CACHEFORMAT_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include <optional>

namespace llmc {

/// An encoding that options name. The list is lib/Transforms/KVCache/CacheFormats.def.
struct CacheFormat {
  llvm::StringRef name;
  /// Numbers of a head that share a scale unless an option says otherwise, 0 for all; none where
  /// there is no choice.
  std::optional<int64_t> group;
  /// Reports why `group` numbers can't share a scale, if so.
  mlir::FailureOr<CacheEncodingInterface> (*getEncoding)(
      llvm::function_ref<mlir::InFlightDiagnostic()> fail, mlir::MLIRContext *, int64_t group);
};

llvm::ArrayRef<CacheFormat> getCacheFormats();

/// The encoding that `text` names, or is, as an attribute: `#llmc.plain<f16>`. `group` numbers
/// share a scale, or as many as the name says where it is 0. Reports, on behalf of the option
/// `option`, what can't be done.
mlir::FailureOr<CacheEncodingInterface> findCacheEncoding(mlir::Location location,
                                                          llvm::StringRef option,
                                                          llvm::StringRef text, int64_t group);

/// The same of keys that share a scale and a minimum along positions: `text` names integers, and
/// `group` positions share them, 32 where it is 0.
mlir::FailureOr<CacheEncodingInterface> findPositionEncoding(mlir::Location location,
                                                             llvm::StringRef option,
                                                             llvm::StringRef text, int64_t group);

/// The name of an encoding, or its attribute.
std::string spellCacheEncoding(CacheEncodingInterface encoding);

} // namespace llmc

#endif // LLMC_TRANSFORMS_KVCACHE_CACHEFORMAT_H
