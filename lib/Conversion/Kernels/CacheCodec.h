//===- CacheCodec.h - keys and values between registers and the cache ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The one place where kernels touch the bytes of a cache (CacheLayout.h).
// `memory` is that of a head of the cache, in one sequence's state.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_KERNELS_CACHECODEC_H
#define LLMC_LIB_CONVERSION_KERNELS_CACHECODEC_H

#include "KernelBuilder.h"
#include "llmc/Dialect/LLMC/IR/CacheLayout.h"

#include <optional>

namespace llmc {

/// The address of an element of the position at a place, of a plane that positions don't share.
mlir::Value getElementAddress(KernelBuilder &k, const CachePlane &plane, mlir::Value memory,
                              mlir::Value place, mlir::Value element);

/// Rounds the numbers of a head, floats from `numbers` on, and stores them at
/// the place of a position.
void emitCacheWrite(KernelBuilder &k, const CacheArray &array, mlir::Value numbers,
                    mlir::Value memory, mlir::Value place);

/// Stores what stands at place `from` at place `to` too, bit by bit. No others share its elements.
void emitCacheMove(KernelBuilder &k, const CacheArray &array, mlir::Value memory, mlir::Value from,
                   mlir::Value to);

/// `first` and the 15 integers behind it, as i32.
mlir::Value countFrom(KernelBuilder &k, mlir::Value first);

/// Where block `index` of `unit` positions lies among those that are kept; `unit` divides what the
/// ring has of each kind.
mlir::Value getPlace(KernelBuilder &k, const CacheRing &ring, mlir::Value index, int64_t unit);

/// Rounds the keys of a group of positions that share elements, which lie in blocks `exactBlocks`
/// of the exact ones, into the place of group `group`.
void emitGroupWrite(KernelBuilder &k, const CacheArray &array, mlir::Value memory,
                    const CacheArray &exact, llvm::ArrayRef<mlir::Value> exactBlocks,
                    mlir::Value exactMemory, mlir::Value group);

/// Loads keys or values. Where numbers are codes times a scale, codes may be
/// given without it: sums of products are multiplied by loadScales()
/// afterwards.
///
/// A line is what stands in the place of one number: as many numbers as share
/// bytes.
class CacheReader {
public:
  using Value = mlir::Value;
  using Values = KernelBuilder::Values;

  /// With `ofGroups` codes are given without scales where a head has several,
  /// too.
  CacheReader(const CacheArray &array, bool ofGroups);

  int64_t getLines() const { return array.headSize / array.packed; }
  int64_t getNumbersPerLine() const { return array.packed; }
  /// Lines of a block of keys that stand in one line of the processor's caches,
  /// where they divide those of a group.
  int64_t getLinesTogether() const;
  /// Numbers from one of a line to the next.
  int64_t getNumbersApart() const { return array.apart; }
  /// The first number of a line.
  Value getFirstNumber(KernelBuilder &k, Value line) const;

  bool hasScales() const { return codes.has_value(); }
  /// Scales of a head at a position.
  int64_t getGroups() const { return hasScales() ? codes->scales.elements : 1; }
  int64_t getLinesPerGroup() const { return array.group / array.packed; }
  /// Scales of a group in the 16 positions of block `block` + `next`.
  Value loadScales(KernelBuilder &k, Value memory, Value block, int64_t next, Value group) const;

  /// Of keys: the numbers of a line of the 16 positions of block `block` +
  /// `next`.
  Values loadPositions(KernelBuilder &k, Value memory, Value block, int64_t next, Value line) const;
  /// Of values: `count` elements (16 or 1) of a position, from `element` on.
  Value loadElements(KernelBuilder &k, Value memory, Value position, int64_t element,
                     int64_t count) const;

  /// Asks for what loadPositions() reads.
  void prefetchPositions(KernelBuilder &k, Value memory, Value block, int64_t next,
                         Value line) const;
  /// Asks for `count` elements of what stands `distance` bytes after a
  /// position.
  void prefetchElements(KernelBuilder &k, Value memory, Value position, int64_t element,
                        int64_t count, int64_t distance) const;

private:
  /// Codes less `zero` are the numbers, but for the scale.
  struct Codes {
    CachePlane codes, scales;
    int32_t zero;
  };

  Value getLine(KernelBuilder &k, const CachePlane &plane, Value memory, Value block, int64_t next,
                Value index) const;
  /// What the 16 positions of a block share of a number.
  Value loadShared(KernelBuilder &k, const CachePlane &plane, Value memory, Value block,
                   int64_t next, Value number) const;
  Value decode(KernelBuilder &k, llvm::ArrayRef<Value> elements, int64_t count) const;

  CacheArray array;
  std::optional<Codes> codes;
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_KERNELS_CACHECODEC_H
