//===- TiledLayout.h - weights in the order in which CPU kernels read them ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One order for every CPU. A matrix of N × K weights is cut into tiles of 16 rows; the last is
// filled up with rows of zeros. A tile has the matrix' planes one after the other, each starting at
// a multiple of 64 bytes. Plain weights are one plane of f32, f16 or bf16. Tables, which the whole
// matrix shares, stand before all tiles, each starting at a multiple of 64 bytes; those of fewer
// rows stand in the tiles of these rows, one for each row or one for all. Either take 256 bytes or
// more.
//
// Codes (integers, or floats of at most 8 bits) that belong to one weight each, or that have fewer
// than 8 bits and belong to up to 8:
//   for every block of 32 inputs (the last filled up with zeros), the n elements that it has in
//   each row, b bits each, in parts: first their low bits, then the others. Parts are 4, 2 or 1
//   bits wide (8 bits: one part of 8; 7 = 4 + 2 + 1, 6 = 4 + 2, 5 = 4 + 1, 3 = 2 + 1). A line of 64
//   bytes of a part of p bits holds 32 / p elements of each row (n · p / 32 lines, the last filled
//   up): byte 4r + i has, from bit p · j on, element 32 / p · line + 4j + i of row r.
// Where there are elements of kept weights alone, the first plane, a mask:
//   for every block, 8 words of 64 bits. Where kept weights are codes bit 4r + i of word j is that
//   of input 4j + i in row r; where they are floats of more than a byte, bit 16i + r.
// Elements of kept weights:
//   for every block, as 4 bytes, the distance in bytes from the start of the tile to those of the
//   block, which stand behind all tiles. Codes are cut in parts as above. A part of p bits has for
//   every 8 / p words of the mask as many bytes as the word with most bits has: byte n has, from
//   bit p · j on, element n of those that word j says, in the order of its bits. Floats stand in
//   the order of the bits. 64 bytes more can be read behind the last.
// Streams of b bits a weight:
//   for every block of 32 inputs, b lines of 64 bytes: bytes 4r … 4r + 3 of line j are the bits
//   from 32 · j on that the block has in row r. Where every second weight has a bit more, a line of
//   32 bytes is behind them: bytes 2r and 2r + 1 are the last 16 bits of row r.
// All others, lists too:
//   for every element of a row, the 16 of the 16 rows as whole numbers; codes as bytes.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_LLMC_IR_TILEDLAYOUT_H
#define LLMC_DIALECT_LLMC_IR_TILEDLAYOUT_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include <algorithm>

namespace llmc {

/// Rows of a tile.
inline constexpr int64_t tileRows = 16;
/// Inputs of a block.
inline constexpr int64_t blockInputs = 32;

/// Bytes that a look-up in a table may read.
inline constexpr int64_t leastTable = 256;

/// Blocks that a row of `columns` inputs is cut into.
inline int64_t getBlocksPerRow(int64_t columns) {
  return (columns + blockInputs - 1) / blockInputs;
}

/// The widths of the parts of an integer of `bits` bits, low bits first.
llvm::SmallVector<unsigned, 3> getBitParts(unsigned bits);

/// Where a plane lies in a tile.
struct TiledPlane : Plane {
  int64_t offset;   ///< in bytes, from the start of the tile, or of the matrix where it is a table
  int64_t elements; ///< of a row
  int64_t inputs;   ///< that share an element; those of a whole row in blocks of 32
  bool inParts;     ///< codes in parts of bits; else whole numbers
  bool isMask;      ///< says which weights are kept

  /// Elements of a row in a block. In parts only.
  int64_t getElementsPerBlock() const { return blockInputs / columns; }
  /// Lines of 64 bytes that a part of this width takes in a block.
  int64_t getLines(unsigned width) const {
    return (getElementsPerBlock() * width + blockInputs - 1) / blockInputs;
  }
  /// Whether elements lie in blocks of 32 inputs.
  bool isInBlocks() const { return inParts || isStream(); }
  /// Bytes of a block, of planes that lie in such.
  int64_t getBlockBytes() const;
  /// Where byte `byte` of a row's stream lies behind the plane's offset.
  int64_t getStreamPlace(int64_t row, int64_t byte) const;
  /// Bytes of a whole number.
  int64_t getElementBytes() const { return (getBits() + 7) / 8; }
  int64_t getByteSize(int64_t blocks) const {
    if (isMask || kept != 0)
      return blocks * (isMask ? 64 : 4);
    if (isTable())
      return std::max<int64_t>(count * (rows == 1 ? tileRows : 1), leastTable);
    return isInBlocks() ? blocks * getBlockBytes() : elements * tileRows * getElementBytes();
  }

  /// Where an element of a table stands behind its offset.
  int64_t getTablePlace(int64_t row, int64_t element) const {
    return (rows == 1 ? row * count : 0) + element;
  }
  /// The code `element` of row `row` (0 to 15) inside a tile; of a table of the whole matrix, in
  /// it.
  unsigned readInteger(const uint8_t *tile, int64_t row, int64_t element) const;
};

/// Sizes, in bytes, of the tiles of a matrix.
struct TiledLayout {
  int64_t rows, columns;
  int64_t tiles;
  int64_t tableBytes;         ///< before the first tile
  int64_t tileBytes;          ///< from one tile to the next
  EncodingInterface encoding; ///< null for plain weights
  mlir::Type element;         ///< of plain weights
  llvm::SmallVector<TiledPlane, 4> planes;

  /// `type` is a matrix of f32, f16 or bf16, with an encoding or without.
  static TiledLayout get(mlir::RankedTensorType type);

  /// Tables and all tiles, without what stands behind them.
  int64_t getByteSize() const { return getTileOffset(tiles); }
  /// Where a tile starts, in bytes.
  int64_t getTileOffset(int64_t tile) const { return tableBytes + tile * tileBytes; }
  /// Whether there are elements of kept weights alone, which stand behind the tiles.
  bool isMasked() const { return !planes.empty() && planes.front().isMask; }
  int64_t getBlocks() const { return getBlocksPerRow(columns); }
  /// The first plane of a list, or null.
  const TiledPlane *getPositions() const;
  /// The same tiles for who takes a list out of them by itself.
  TiledLayout withoutList() const;
};

/// Bytes of a matrix with all that stands behind its tiles. `bytes` is the whole canonical form.
int64_t getPackedSize(const TiledLayout &layout, llvm::ArrayRef<uint8_t> bytes);
/// What that is at most, whatever the weights are and whichever are kept.
int64_t getMostPackedSize(const TiledLayout &layout);

/// Writes kept weights behind all tiles, and in these the places where they stand. `out` is the
/// whole matrix, whose tiles are packed.
void packKept(const TiledLayout &layout, llvm::ArrayRef<uint8_t> bytes, uint8_t *out);

/// Writes the tables of encoded weights, tableBytes bytes, to `out`, the start of the matrix.
/// `bytes` is the whole canonical form.
void packTables(const TiledLayout &layout, llvm::ArrayRef<uint8_t> bytes, uint8_t *out);

/// Writes tile `tile` of encoded weights, tileBytes bytes, to `out`; of kept weights alone the
/// mask. `bytes` is the whole canonical form.
void packTile(const TiledLayout &layout, llvm::ArrayRef<uint8_t> bytes, int64_t tile, uint8_t *out);

/// Reads rows of plain weights as fp32.
using RowReader = llvm::function_ref<void(int64_t row, llvm::MutableArrayRef<float> values)>;

/// Writes tile `tile` of plain weights, tileBytes bytes, to `out`.
void packPlainTile(const TiledLayout &layout, RowReader readRow, int64_t tile, uint8_t *out);

} // namespace llmc

#endif // LLMC_DIALECT_LLMC_IR_TILEDLAYOUT_H
