//===- CacheLayout.h - how keys and values lie in a sequence's state ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_LLMC_IR_CACHELAYOUT_H
#define LLMC_DIALECT_LLMC_IR_CACHELAYOUT_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include <optional>

namespace llmc {

/// Positions of a block of keys.
inline constexpr int64_t keyBlock = 16;

/// Numbers of a head of `size` that share elements of planes; 1 where none do.
int64_t getCacheGroup(CacheEncodingInterface encoding, int64_t size);

/// Tokens of a step unless an option says otherwise.
inline constexpr int64_t usualRowsOfStep = 128;

/// A cache with room for what steps of up to `rows` rows read, exact numbers and all others where
/// positions are evicted, and as many positions to go back to.
KVCacheType placePositions(KVCacheType type, int64_t rows);

/// Positions that share elements of planes; 1 where none do.
int64_t getCachePositions(CacheEncodingInterface encoding);

/// Where positions share elements: builds the planes of a group of them. `lines` are the numbers of
/// all heads, [1, numbers, positions] of f32, planes [1, numbers, elements].
llvm::SmallVector<mlir::Value> buildGroupPlanes(CacheEncodingInterface encoding, Formula &formula,
                                                mlir::Value lines);

/// Integers of a plane of so few bits that share bytes; 1 for all others.
int64_t getPackedNumbers(const Plane &plane);

/// The type of a plane's elements where each stands alone: as they are stored, or bytes for
/// integers of fewer bits.
mlir::Type getUnpackedType(const Plane &plane);

/// Which positions are kept of a cache's `capacity`: the first `fixed`, and the newest `turning`
/// others, that of position t in place fixed + (t − fixed) mod turning.
struct CacheRing {
  int64_t fixed, turning, capacity;

  /// Whether places are used again.
  bool wraps() const { return fixed + turning < capacity; }
  /// Places, of a position each.
  int64_t size() const { return wraps() ? fixed + turning : capacity; }
};

/// A plane of a cache encoding in the memory of a head. A position has an element for each number,
/// or one for each group of numbers. The elements of a block of positions stand side by side:
/// [position / block][element][position % block].
///
/// Of integers of 1, 2 or 4 bits each element is a byte that N numbers of a head share: byte j,
/// from the low bits to the high ones, has those at 16 · N · ⌊j / 16⌋ + j mod 16, and 16 by 16
/// further on. Of 3 bits, 8 numbers that follow each other are three elements, bytes of an integer
/// whose lowest bits have the first.
///
/// Of a plane that several positions share, such a block is of these, and has an element for each
/// number: [position / block][element].
struct CachePlane : Plane {
  int64_t elements; ///< of a position, or of those that share them
  int64_t block;    ///< positions
  int64_t offset;   ///< in the head's memory, in bytes

  bool isOfNumbers() const { return columns == 1 && rows == 1; }
  int64_t getElementBytes() const { return (getBits() + 7) / 8; }
  int64_t getPackedNumbers() const { return llmc::getPackedNumbers(*this); }
  /// Elements that have the numbers of a line: as many numbers as share bytes.
  int64_t getLineElements() const { return isTriple() ? 3 : 1; }
  /// Whether a line is three bytes.
  bool isTriple() const { return !isFloat() && getBits() == 3; }
  /// Bytes of a position.
  int64_t getStride() const { return elements * getElementBytes() / rows; }
};

/// The keys or the values of all heads. Keys stand in blocks of 16 positions, so that 16 scores are
/// computed side by side, values position by position.
struct CacheArray {
  CacheEncodingInterface encoding;
  llvm::SmallVector<CachePlane, 2> planes;
  int64_t heads, headSize;
  int64_t group;     ///< numbers of a head that share elements; all where none do
  int64_t packed;    ///< numbers of a head that share bytes, or 1
  int64_t apart;     ///< from one of these to the next: 16 numbers, or 1
  int64_t positions; ///< that share elements, or 1
  int64_t offset;    ///< in the cache
  int64_t headBytes; ///< from one head to the next

  /// Numbers of all heads at a position.
  int64_t getWidth() const { return heads * headSize; }
  /// Bytes that a head takes for a position.
  int64_t getStride() const;
};

/// Where a cache lies in a sequence's state.
struct CacheLayout {
  int64_t heads;    ///< of keys
  int64_t capacity; ///< rounded up to 16
  CacheArray keys, values;
  CacheRing stored; ///< where their positions lie
  /// What is kept as f16 beside.
  std::optional<CacheArray> exactKeys, exactValues;
  CacheRing exact;
  int64_t residual, sinks;
  /// Positions that are read beside the newest `window`; neither where all are. They stand in the
  /// first places; others take the last `heavy` of these.
  int64_t first, heavy;
  int64_t observed; ///< queries that choose heavy ones together, 0 where each does
  std::optional<int64_t> window;
  /// Where there are heavy ones: of each head and each place that positions have, in order, a score
  /// in fp32; where queries choose together, behind them the most that each has been.
  int64_t scores;
  int64_t size;

  static CacheLayout get(KVCacheType type);
  /// Bytes that a position takes.
  int64_t getPositionBytes() const {
    return keys.heads * keys.getStride() + values.heads * values.getStride();
  }
  /// Heads of keys that read one value.
  int64_t getHeadsPerValue() const { return heads / values.heads; }
  /// Bytes that scores take, of a head.
  int64_t getScoreBytes() const {
    return heavy == 0 ? 0 : getMostOffset() * (observed == 0 ? 1 : 2);
  }
  /// Bytes from a head's scores to the most that they have been.
  int64_t getMostOffset() const { return stored.size() * 4; }
};

} // namespace llmc

#endif // LLMC_DIALECT_LLMC_IR_CACHELAYOUT_H
