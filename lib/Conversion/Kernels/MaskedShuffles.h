//===- MaskedShuffles.h - kept codes put in their places by shuffles ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where there is no instruction that expands bytes. A shuffle takes bytes from 16 side by side,
// which are those that the mask keeps of four rows and four inputs. Where byte 4r + i of them comes
// from is how many bits of the mask are 1 before it: before row r, which is counted for a whole
// block at a time (half a byte of the mask is of one row), and in the row before input i, which is
// looked up.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_KERNELS_MASKEDSHUFFLES_H
#define LLMC_LIB_CONVERSION_KERNELS_MASKEDSHUFFLES_H

#include "KernelBuilder.h"

namespace llmc {

/// Whether a target has shuffles of bytes, and look-ups in registers, and no expansion.
bool expandsByShuffles(const KernelTarget &target);

/// The shuffles of a block: its mask is 8 words of 64 bits (TiledLayout.h).
class MaskedShuffles {
public:
  using Value = mlir::Value;
  using Values = KernelBuilder::Values;

  static constexpr int64_t scratchBytes = 320;

  /// `line` is the address of the mask, `scratch` that of memory which nothing else uses.
  MaskedShuffles(KernelBuilder &k, Value line, Value scratch);

  /// Where the 64 bytes of word `word` of the mask come from: each from 16 bytes, negative where
  /// none is kept.
  Value getPlaces(int64_t word) const;
  /// The bytes from `from` on that the places of a word count in.
  Value load(int64_t word, Value from) const;
  /// How many bits of a word are 1.
  Value count(int64_t word) const { return countFirst(word, 4); }

private:
  /// Stores what is counted of all words: loads bring it to where it is needed.
  ///
  /// In bytes 64 · (2 · (w mod 2) + h) + 16 · (w / 2) … + 15, how many bits are 1 before those of
  /// the eight rows of half h of word w, from the first of four rows on; and the same with the
  /// highest bit set where the last of the row's inputs isn't kept. Behind them for each word 4
  /// numbers of 16 bits: how many are in its first 16, 32, 48 and 64 bits.
  void countBits();
  /// The bytes of `even` and `odd` in turns: of each 16 the first or the second 8.
  Value interleave(Value even, Value odd, int64_t half) const;
  /// How many of the first `lanes` 16 bits of a word are 1.
  Value countFirst(int64_t word, int64_t lanes) const;

  KernelBuilder &k;
  Value line, scratch;
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_KERNELS_MASKEDSHUFFLES_H
