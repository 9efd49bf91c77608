//===- CacheFormat.h - names of encodings of caches ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_KVCACHE_CACHEFORMAT_H
#define LLMC_TRANSFORMS_KVCACHE_CACHEFORMAT_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"

namespace llmc {

/// An encoding that options name. The list is lib/Transforms/KVCache/CacheFormats.def.
struct CacheFormat {
  llvm::StringRef name;
  CacheEncodingInterface (*getEncoding)(mlir::MLIRContext *);
};

llvm::ArrayRef<CacheFormat> getCacheFormats();

/// The encoding that `text` names, or is, as an attribute: `#llmc.plain<f16>`. Reports, on behalf
/// of the option `option`, what is neither.
mlir::FailureOr<CacheEncodingInterface>
findCacheEncoding(mlir::Location location, llvm::StringRef option, llvm::StringRef text);

/// The name of an encoding, or its attribute.
std::string spellCacheEncoding(CacheEncodingInterface encoding);

} // namespace llmc

#endif // LLMC_TRANSFORMS_KVCACHE_CACHEFORMAT_H
