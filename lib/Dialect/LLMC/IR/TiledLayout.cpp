//===- TiledLayout.cpp - weights in the order in which CPU kernels read them ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/LLMC/IR/TiledLayout.h"
#include "llmc/Dialect/LLMC/IR/GroupedEncoding.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"

#include <cstring>

using namespace mlir;
using namespace llmc;

SmallVector<unsigned> llmc::getPlanes(unsigned bits) {
  if (bits == 8)
    return {8};
  SmallVector<unsigned> planes;
  for (unsigned width : {4u, 2u, 1u})
    if (bits & width)
      planes.push_back(width);
  return planes;
}

TiledLayout TiledLayout::get(RankedTensorType type) {
  TiledLayout layout;
  layout.rows = type.getDimSize(0);
  layout.columns = type.getDimSize(1);
  layout.tiles = llvm::divideCeil(layout.rows, tileRows);
  layout.encoding = dyn_cast_or_null<EncodingInterface>(type.getEncoding());
  layout.element = type.getElementType();
  int64_t bytes = layout.element.getIntOrFloatBitWidth() / 8;
  layout.tileBytes = layout.encoding ? layout.encoding.getTileBytes(layout.columns)
                                     : llvm::alignTo(layout.columns * tileRows * bytes, 64);
  return layout;
}

/// Rounds to the nearest half or bfloat16; exact for values that came from one.
static uint16_t narrow(float value, Type type) {
  APFloat number(value);
  bool inexact = false;
  number.convert(cast<FloatType>(type).getFloatSemantics(), APFloat::rmNearestTiesToEven, &inexact);
  return static_cast<uint16_t>(number.bitcastToAPInt().getZExtValue());
}

void llmc::packPlainTile(const TiledLayout &layout, RowReader readRow, int64_t tile, uint8_t *out) {
  std::memset(out, 0, layout.tileBytes);
  std::vector<float> values(layout.columns);
  for (int64_t row = 0; row < tileRows && tile * tileRows + row < layout.rows; ++row) {
    readRow(tile * tileRows + row, values);
    for (int64_t column = 0; column < layout.columns; ++column) {
      int64_t index = column * tileRows + row;
      if (layout.element.isF32())
        llvm::support::endian::write32le(out + 4 * index, llvm::bit_cast<uint32_t>(values[column]));
      else
        llvm::support::endian::write16le(out + 2 * index, narrow(values[column], layout.element));
    }
  }
}

//===----------------------------------------------------------------------===//
// Grouped integers
//===----------------------------------------------------------------------===//

GroupedTile GroupedTile::get(GroupedAttr encoding, int64_t columns) {
  GroupedTile layout;
  layout.encoding = encoding;
  int64_t group = encoding.getGroup(), blocks = getBlocksPerRow(columns);
  if (group <= 0 || group >= columns)
    layout.scaleGroup = std::max<int64_t>(blocks, 1) * blockInputs;
  else
    layout.scaleGroup = group;
  layout.scaleGroups = llvm::divideCeil(columns, layout.scaleGroup);
  int64_t scaleBytes = encoding.getScale().getIntOrFloatBitWidth() / 8;
  int64_t zeroBytes = encoding.getZero() == ZeroPoint::None      ? 0
                      : encoding.getZero() == ZeroPoint::Integer ? 1
                                                                 : scaleBytes;
  layout.scaleOffset = blocks * layout.getBlockBytes();
  layout.zeroOffset =
      llvm::alignTo(layout.scaleOffset + layout.scaleGroups * tileRows * scaleBytes, 64);
  layout.size = llvm::alignTo(layout.zeroOffset + layout.scaleGroups * tileRows * zeroBytes, 64);
  return layout;
}

/// Calls `visit(byte, shift in the byte, shift in the code, width)` for every plane's part of the
/// code of `column` in a row of a tile.
template <typename Visit>
static void visitCodeParts(const GroupedTile &layout, int64_t row, int64_t column, Visit visit) {
  int64_t offset = column / blockInputs * layout.getBlockBytes();
  int64_t input = column % blockInputs;
  unsigned codeShift = 0;
  for (unsigned width : getPlanes(layout.encoding.getBits())) {
    int64_t perLine = blockInputs / width;
    int64_t inLine = input % perLine;
    visit(offset + input / perLine * 64 + 4 * row + inLine % 4, width * (inLine / 4), codeShift,
          width);
    offset += width * 64;
    codeShift += width;
  }
}

int64_t GroupedAttr::getTileBytes(int64_t columns) const {
  return GroupedTile::get(*this, columns).size;
}

void GroupedAttr::packTile(ArrayRef<uint8_t> bytes, ArrayRef<int64_t> shape, int64_t tile,
                           uint8_t *out) const {
  int64_t rows = shape[0], columns = shape[1];
  GroupedTile layout = GroupedTile::get(*this, columns);
  GroupedLayout source = getGroupedLayout(*this, shape);
  int64_t scaleBytes = getScale().getIntOrFloatBitWidth() / 8;
  int64_t zeroBytes = getZero() == ZeroPoint::Integer ? 1 : scaleBytes;
  int64_t groupSize = getGroupSize(columns);
  int64_t groupsPerRow = getGroupsPerRow(columns);
  std::memset(out, 0, layout.size);
  for (int64_t row = 0; row < tileRows && tile * tileRows + row < rows; ++row) {
    int64_t sourceRow = tile * tileRows + row;
    const uint8_t *codes = bytes.data() + sourceRow * source.bytesPerRow;
    for (int64_t column = 0; column < columns; ++column) {
      unsigned code = readCode(codes, column, getBits());
      visitCodeParts(layout, row, column,
                     [&](int64_t byte, unsigned shift, unsigned codeShift, unsigned width) {
                       out[byte] |= (code >> codeShift & ((1u << width) - 1)) << shift;
                     });
    }
    for (int64_t group = 0; group < layout.scaleGroups; ++group) {
      int64_t from = getGroup() == tensorGroup
                         ? 0
                         : sourceRow * groupsPerRow + group * layout.scaleGroup / groupSize;
      int64_t to = group * tileRows + row;
      std::memcpy(out + layout.scaleOffset + to * scaleBytes,
                  bytes.data() + source.scaleOffset + from * scaleBytes, scaleBytes);
      if (getZero() != ZeroPoint::None)
        std::memcpy(out + layout.zeroOffset + to * zeroBytes,
                    bytes.data() + source.zeroOffset + from * zeroBytes, zeroBytes);
    }
  }
}

unsigned llmc::readTiledCode(const GroupedTile &layout, const uint8_t *tile, int64_t row,
                             int64_t column) {
  unsigned code = 0;
  visitCodeParts(layout, row, column,
                 [&](int64_t byte, unsigned shift, unsigned codeShift, unsigned width) {
                   code |= (tile[byte] >> shift & ((1u << width) - 1)) << codeShift;
                 });
  return code;
}
