//===- CacheLayout.h - how keys and values lie in a sequence's state ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_LLMC_IR_CACHELAYOUT_H
#define LLMC_DIALECT_LLMC_IR_CACHELAYOUT_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"

namespace llmc {

/// Positions of a block of keys.
inline constexpr int64_t keyBlock = 16;

/// Where a cache lies in a sequence's state. Keys stand in blocks of 16 positions, [kv head]
/// [position / 16][element][position % 16], so that 16 scores are computed side by side; values in
/// [kv head][position][element].
struct CacheLayout {
  int64_t heads, headSize, capacity; ///< capacity rounded up to 16
  mlir::Type keys, values;
  int64_t keyHeadBytes, valueHeadBytes; ///< from one head to the next
  int64_t valueOffset;                  ///< keys start at 0
  int64_t size;

  static CacheLayout get(KVCacheType type);
};

} // namespace llmc

#endif // LLMC_DIALECT_LLMC_IR_CACHELAYOUT_H
