//===- TiledLayout.h - weights in the order in which CPU kernels read them ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One order for every CPU. A matrix of N × K weights is cut into tiles of 16 rows; the last is
// filled up with rows of zeros. A tile is, each part starting at a multiple of 64 bytes:
//
// Plain weights (f32, f16, bf16): for each input k, the 16 weights of the 16 rows.
//
// Grouped integers of b bits:
//   codes   for every block of 32 inputs (the last filled up with codes that meet activations of
//           zero), b lines of 64 bytes: first the plane of the codes' low bits, then the others.
//           Planes are 4, 2 or 1 bits wide (8 bits: one plane of 8; 7 = 4 + 2 + 1, 6 = 4 + 2,
//           5 = 4 + 1, 3 = 2 + 1). A line of a plane of p bits holds 32 / p inputs: byte 4r + i
//           has, from bit p · j on, input 32 / p · line + 4j + i of row r.
//   scales  for every scale group, 16 scales.
//   zeros   for every scale group, 16 zero points (bytes) or minima (in the scales' type).
//
// A scale group is the encoding's group, and the whole row for `channel` and `tensor`.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_LLMC_IR_TILEDLAYOUT_H
#define LLMC_DIALECT_LLMC_IR_TILEDLAYOUT_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"

namespace llmc {

/// Rows of a tile.
inline constexpr int64_t tileRows = 16;
/// Inputs of a block of codes.
inline constexpr int64_t blockInputs = 32;

/// Blocks that a row of `columns` inputs is cut into.
inline int64_t getBlocksPerRow(int64_t columns) {
  return (columns + blockInputs - 1) / blockInputs;
}

/// Sizes, in bytes, of the tiles of a matrix.
struct TiledLayout {
  int64_t rows, columns;
  int64_t tiles;
  int64_t tileBytes;          ///< from one tile to the next
  EncodingInterface encoding; ///< null for plain weights
  mlir::Type element;         ///< of plain weights

  /// `type` is a matrix of f32, f16 or bf16, with an encoding or without.
  static TiledLayout get(mlir::RankedTensorType type);

  int64_t getByteSize() const { return tiles * tileBytes; }
  int64_t getBlocks() const { return getBlocksPerRow(columns); }
};

/// The parts, in bytes, of a tile of grouped integers. Codes start at 0.
struct GroupedTile {
  GroupedAttr encoding;
  int64_t size;
  int64_t scaleOffset, zeroOffset;
  int64_t scaleGroup;  ///< inputs that share a scale; those of a whole row in blocks of 32
  int64_t scaleGroups; ///< in a row

  static GroupedTile get(GroupedAttr encoding, int64_t columns);

  int64_t getBlockBytes() const { return encoding.getBits() * 64; }
};

/// The widths of the planes of a code of `bits` bits, low bits first.
llvm::SmallVector<unsigned> getPlanes(unsigned bits);

/// Reads rows of plain weights as fp32.
using RowReader = llvm::function_ref<void(int64_t row, llvm::MutableArrayRef<float> values)>;

/// Writes tile `tile` of plain weights, tileBytes bytes, to `out`.
void packPlainTile(const TiledLayout &layout, RowReader readRow, int64_t tile, uint8_t *out);

/// The code of `column` of row `row` (0 to 15) inside a tile.
unsigned readTiledCode(const GroupedTile &layout, const uint8_t *tile, int64_t row, int64_t column);

} // namespace llmc

#endif // LLMC_DIALECT_LLMC_IR_TILEDLAYOUT_H
