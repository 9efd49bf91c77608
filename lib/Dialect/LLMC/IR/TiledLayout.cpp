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
#include <numeric>

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
  layout.encoding = dyn_cast_or_null<GroupedAttr>(type.getEncoding());
  layout.element = type.getElementType();
  layout.scaleOffset = layout.zeroOffset = layout.scaleGroup = layout.scaleGroups = 0;
  if (!layout.encoding) {
    int64_t bytes = layout.element.getIntOrFloatBitWidth() / 8;
    layout.tileBytes = llvm::alignTo(layout.columns * tileRows * bytes, 64);
    return layout;
  }
  int64_t group = layout.encoding.getGroup();
  if (group <= 0 || group >= layout.columns)
    layout.scaleGroup = std::max<int64_t>(layout.getBlocks(), 1) * blockInputs;
  else
    layout.scaleGroup = group % blockInputs == 0 ? group : std::gcd(group, blockInputs);
  layout.scaleGroups = llvm::divideCeil(layout.columns, layout.scaleGroup);
  int64_t scaleBytes = layout.encoding.getScale().getIntOrFloatBitWidth() / 8;
  int64_t zeroBytes = layout.encoding.getZero() == ZeroPoint::None      ? 0
                      : layout.encoding.getZero() == ZeroPoint::Integer ? 1
                                                                        : scaleBytes;
  layout.scaleOffset = layout.getBlocks() * layout.getBlockBytes();
  layout.zeroOffset =
      llvm::alignTo(layout.scaleOffset + layout.scaleGroups * tileRows * scaleBytes, 64);
  layout.tileBytes =
      llvm::alignTo(layout.zeroOffset + layout.scaleGroups * tileRows * zeroBytes, 64);
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

/// Calls `visit(byte, shift in the byte, shift in the code, width)` for every plane's part of the
/// code of `column` in a row of a tile.
template <typename Visit>
static void visitCodeParts(const TiledLayout &layout, int64_t row, int64_t column, Visit visit) {
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

void llmc::packGroupedTile(const TiledLayout &layout, ArrayRef<uint8_t> canonical, int64_t tile,
                           uint8_t *out) {
  GroupedAttr encoding = layout.encoding;
  int64_t shape[] = {layout.rows, layout.columns};
  GroupedLayout source = getGroupedLayout(encoding, shape);
  int64_t scaleBytes = encoding.getScale().getIntOrFloatBitWidth() / 8;
  int64_t zeroBytes = encoding.getZero() == ZeroPoint::Integer ? 1 : scaleBytes;
  int64_t groupSize = encoding.getGroupSize(layout.columns);
  int64_t groupsPerRow = encoding.getGroupsPerRow(layout.columns);
  std::memset(out, 0, layout.tileBytes);
  for (int64_t row = 0; row < tileRows && tile * tileRows + row < layout.rows; ++row) {
    int64_t sourceRow = tile * tileRows + row;
    const uint8_t *codes = canonical.data() + sourceRow * source.bytesPerRow;
    for (int64_t column = 0; column < layout.columns; ++column) {
      unsigned code = readCode(codes, column, encoding.getBits());
      visitCodeParts(layout, row, column,
                     [&](int64_t byte, unsigned shift, unsigned codeShift, unsigned width) {
                       out[byte] |= (code >> codeShift & ((1u << width) - 1)) << shift;
                     });
    }
    for (int64_t group = 0; group < layout.scaleGroups; ++group) {
      int64_t from = encoding.getGroup() == GroupedAttr::tensorGroup
                         ? 0
                         : sourceRow * groupsPerRow + group * layout.scaleGroup / groupSize;
      int64_t to = group * tileRows + row;
      std::memcpy(out + layout.scaleOffset + to * scaleBytes,
                  canonical.data() + source.scaleOffset + from * scaleBytes, scaleBytes);
      if (encoding.getZero() != ZeroPoint::None)
        std::memcpy(out + layout.zeroOffset + to * zeroBytes,
                    canonical.data() + source.zeroOffset + from * zeroBytes, zeroBytes);
    }
  }
}

unsigned llmc::readTiledCode(const TiledLayout &layout, const uint8_t *tile, int64_t row,
                             int64_t column) {
  unsigned code = 0;
  visitCodeParts(layout, row, column,
                 [&](int64_t byte, unsigned shift, unsigned codeShift, unsigned width) {
                   code |= (tile[byte] >> shift & ((1u << width) - 1)) << codeShift;
                 });
  return code;
}
