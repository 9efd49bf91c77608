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

/// Numbers of a head of `size` that share elements of planes; 1 where none do.
int64_t getCacheGroup(CacheEncodingInterface encoding, int64_t size);

/// Integers of a plane of so few bits that share a byte; 1 for all others.
int64_t getNumbersPerElement(const Plane &plane);

/// The type of a plane's elements where each stands alone: as they are stored, or bytes for
/// integers of fewer bits.
mlir::Type getUnpackedType(const Plane &plane);

/// A plane of a cache encoding in the memory of a head. A position has an element for each number,
/// or one for each group of numbers. The elements of a block of positions stand side by side:
/// [position / block][element][position % block].
///
/// Of integers of 1, 2 or 4 bits each element is a byte that N numbers of a head share: byte j,
/// from the low bits to the high ones, has those at 16 · N · ⌊j / 16⌋ + j mod 16, and 16 by 16
/// further on.
struct CachePlane : Plane {
  int64_t elements; ///< of a position
  int64_t block;    ///< positions
  int64_t offset;   ///< in the head's memory, in bytes

  bool isOfNumbers() const { return columns == 1; }
  int64_t getElementBytes() const { return (getBits() + 7) / 8; }
  int64_t getNumbersPerElement() const { return llmc::getNumbersPerElement(*this); }
  /// Bytes of a position.
  int64_t getStride() const { return elements * getElementBytes(); }
};

/// The keys or the values of all heads. Keys stand in blocks of 16 positions, so that 16 scores are
/// computed side by side, values position by position.
struct CacheArray {
  CacheEncodingInterface encoding;
  llvm::SmallVector<CachePlane, 2> planes;
  int64_t headSize;
  int64_t group;     ///< numbers of a head that share elements; all where none do
  int64_t packed;    ///< numbers of a head in a byte, or 1
  int64_t offset;    ///< in the cache
  int64_t headBytes; ///< from one head to the next

  /// Bytes that a head takes for a position.
  int64_t getStride() const;
};

/// Where a cache lies in a sequence's state.
struct CacheLayout {
  int64_t heads, headSize, capacity; ///< capacity rounded up to 16
  CacheArray keys, values;
  int64_t size;

  static CacheLayout get(KVCacheType type);
  /// Bytes that a position takes.
  int64_t getPositionBytes() const { return heads * (keys.getStride() + values.getStride()); }
};

} // namespace llmc

#endif // LLMC_DIALECT_LLMC_IR_CACHELAYOUT_H
