//===- TiledLayout.cpp - weights in the order in which CPU kernels read them ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/LLMC/IR/TiledLayout.h"
#include "TileMask.h"

#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"

#include <cstring>

using namespace mlir;
using namespace llmc;

//===----------------------------------------------------------------------===//
// Planes
//===----------------------------------------------------------------------===//

SmallVector<unsigned, 3> llmc::getBitParts(unsigned bits) {
  if (bits == 8)
    return {8};
  SmallVector<unsigned, 3> parts;
  for (unsigned width : {4u, 2u, 1u})
    if (bits & width)
      parts.push_back(width);
  return parts;
}

/// Whether a plane's codes are cut in parts of bits.
static bool isInParts(const Plane &plane) {
  if (!plane.isOfCodes() || plane.columns == Plane::all || plane.kept != 0 || plane.isStream())
    return false;
  // Fewer than four elements of a row would fill no word of a line.
  bool divides = plane.columns <= blockInputs / 4 && blockInputs % plane.columns == 0;
  return divides && (plane.columns == 1 || plane.getBits() < 8);
}

int64_t TiledPlane::getBlockBytes() const {
  if (isStream())
    return getStart(blockInputs) * tileRows / 8;
  int64_t lines = 0;
  for (unsigned width : getBitParts(getBits()))
    lines += getLines(width);
  return lines * 64;
}

/// Calls `visit(byte, shift in the byte, shift in the integer, width)` for every part of an integer
/// of a row of a plane in parts.
template <typename Visit>
static void visitParts(const TiledPlane &plane, ArrayRef<unsigned> widths, int64_t row,
                       int64_t element, Visit visit) {
  int64_t perBlock = plane.getElementsPerBlock();
  int64_t offset = plane.offset + element / perBlock * plane.getBlockBytes();
  int64_t inBlock = element % perBlock;
  unsigned shift = 0;
  for (unsigned width : widths) {
    int64_t perLine = blockInputs / width;
    int64_t inLine = inBlock % perLine;
    visit(offset + inBlock / perLine * 64 + 4 * row + inLine % 4, width * (inLine / 4), shift,
          width);
    offset += plane.getLines(width) * 64;
    shift += width;
  }
}

int64_t TiledPlane::getStreamPlace(int64_t row, int64_t byte) const {
  int64_t blockBytes = getStart(blockInputs) / 8, inBlock = byte % blockBytes;
  // The bytes of a row's words, and those of its last half of one.
  int64_t whole = blockBytes / 4 * 4, width = inBlock < whole ? 4 : blockBytes - whole;
  int64_t line = inBlock / 4 * 4;
  return byte / blockBytes * getBlockBytes() + line * tileRows + width * row + inBlock - line;
}

unsigned TiledPlane::readInteger(const uint8_t *tile, int64_t row, int64_t element) const {
  if (isTable())
    return tile[offset + getTablePlace(row, element)];
  if (isStream()) {
    unsigned integer = 0;
    for (unsigned bit = 0; bit < getBitsAt(element); ++bit) {
      int64_t place = getStart(element) + bit;
      integer |= (tile[offset + getStreamPlace(row, place / 8)] >> place % 8 & 1u) << bit;
    }
    return integer;
  }
  if (!inParts)
    return tile[offset + element * tileRows + row];
  unsigned integer = 0;
  visitParts(*this, getBitParts(getBits()), row, element,
             [&](int64_t byte, unsigned shift, unsigned place, unsigned width) {
               integer |= (tile[byte] >> shift & ((1u << width) - 1)) << place;
             });
  return integer;
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

TiledLayout TiledLayout::get(RankedTensorType type) {
  TiledLayout layout;
  layout.rows = type.getDimSize(0);
  layout.columns = type.getDimSize(1);
  layout.tiles = llvm::divideCeil(layout.rows, tileRows);
  layout.encoding = dyn_cast_or_null<EncodingInterface>(type.getEncoding());
  layout.element = type.getElementType();
  SmallVector<Plane> planes{{"weights", layout.element}};
  if (layout.encoding)
    planes = layout.encoding.getPlanes(type.getShape());
  layout.tableBytes = layout.tileBytes = 0;
  bool isMasked = llvm::any_of(planes, [](const Plane &plane) { return plane.kept != 0; });
  for (const Plane &plane : planes) {
    TiledPlane &tiled = layout.planes.emplace_back();
    static_cast<Plane &>(tiled) = plane;
    if (plane.isSharedTable()) {
      tiled.offset = layout.tableBytes;
      tiled.elements = plane.count;
      tiled.inputs = std::max<int64_t>(layout.getBlocks(), 1) * blockInputs;
      tiled.inParts = false;
      layout.tableBytes = llvm::alignTo(tiled.offset + tiled.getByteSize(0), 64);
      continue;
    }
    tiled.offset = layout.tileBytes;
    tiled.isMask = isMasked && layout.planes.size() == 1;
    tiled.inParts = !tiled.isMask && isInParts(plane);
    tiled.elements = layout.columns == 0 ? 0 : plane.getElementsPerRow(layout.columns);
    tiled.inputs = tiled.elements > 1 && plane.columns != Plane::all
                       ? plane.columns
                       : std::max<int64_t>(layout.getBlocks(), 1) * blockInputs;
    layout.tileBytes = llvm::alignTo(tiled.offset + tiled.getByteSize(layout.getBlocks()), 64);
  }
  return layout;
}

const TiledPlane *TiledLayout::getPositions() const {
  const auto *found =
      llvm::find_if(planes, [](const TiledPlane &plane) { return plane.listed != 0; });
  return found == planes.end() ? nullptr : found;
}

TiledLayout TiledLayout::withoutList() const {
  TiledLayout result = *this;
  if (auto outliers = dyn_cast_or_null<OutliersAttr>(encoding)) {
    result.encoding = cast<EncodingInterface>(outliers.getInner());
    result.planes.truncate(getPositions() - planes.begin());
  }
  return result;
}

/// Copies a row of a plane into a tile of zeros.
static void packRow(const PlaneArray &from, const TiledPlane &to, const uint8_t *bytes,
                    int64_t arrayRow, int64_t row, uint8_t *tile) {
  if (to.inParts) {
    SmallVector<unsigned, 3> widths = getBitParts(to.getBits());
    for (int64_t element = 0; element < to.elements; ++element) {
      unsigned integer = from.readInteger(bytes, arrayRow, element);
      visitParts(to, widths, row, element,
                 [&](int64_t byte, unsigned shift, unsigned place, unsigned width) {
                   tile[byte] |= (integer >> place & ((1u << width) - 1)) << shift;
                 });
    }
    return;
  }
  if (to.isStream()) {
    for (int64_t byte = 0; byte < from.rowBytes; ++byte)
      tile[to.offset + to.getStreamPlace(row, byte)] =
          bytes[from.offset + arrayRow * from.rowBytes + byte];
    return;
  }
  if (to.isTable()) {
    for (int64_t element = 0; element < to.count; ++element)
      tile[to.offset + to.getTablePlace(row, element)] =
          static_cast<uint8_t>(from.readInteger(bytes, arrayRow, element));
    return;
  }
  int64_t size = to.getElementBytes();
  for (int64_t element = 0; element < to.elements; ++element) {
    uint8_t *place = tile + to.offset + (element * tileRows + row) * size;
    if (to.getBits() % 8 == 0)
      std::memcpy(place, bytes + from.offset + arrayRow * from.rowBytes + element * size, size);
    else
      *place = static_cast<uint8_t>(from.readInteger(bytes, arrayRow, element));
  }
}

/// Copies a row of a list, of two planes. What stands at no column is zero, at the first.
static void packListRow(ArrayRef<PlaneArray> from, ArrayRef<TiledPlane> to, const uint8_t *bytes,
                        int64_t columns, int64_t arrayRow, int64_t row, uint8_t *tile) {
  from[0].visitListed(bytes, arrayRow, columns, [&](int64_t column, int64_t element) {
    auto getPlace = [&](const TiledPlane &plane) {
      return tile + plane.offset + (element * tileRows + row) * plane.getElementBytes();
    };
    int64_t size = to[1].getElementBytes();
    llvm::support::endian::write16le(getPlace(to[0]), static_cast<uint16_t>(column));
    std::memcpy(getPlace(to[1]),
                bytes + from[1].offset + arrayRow * from[1].rowBytes + element * size, size);
  });
}

/// Copies a row of a mask, of `columns` bits at `bits`, into words of zeros at `out`. `byInput`
/// says the order for floats.
static void packMaskRow(const uint8_t *bits, int64_t columns, int64_t row, bool byInput,
                        uint8_t *out) {
  for (int64_t column = 0; column < columns; column += 4) {
    unsigned four = bits[column / 8] >> column % 8 & 15u;
    // What fills a row's last byte up says nothing.
    if (columns - column < 4)
      four &= (1u << (columns - column)) - 1;
    uint8_t *word = out + 2 * column;
    if (!byInput)
      word[row / 2] |= static_cast<uint8_t>(four << 4 * (row % 2));
    else
      for (int64_t i = 0; i < 4; ++i)
        word[2 * i + row / 8] |= static_cast<uint8_t>((four >> i & 1) << row % 8);
  }
}

void llmc::packMask(const TiledLayout &layout, const CanonicalForm &form, const uint8_t *bytes,
                    int64_t tile, uint8_t *out) {
  std::memset(out, 0, layout.planes.front().getByteSize(layout.getBlocks()));
  const PlaneArray &mask = form[0];
  int64_t first = tile * tileRows, count = std::min(tileRows, layout.rows - first);
  bool byInput = llvm::any_of(
      layout.planes, [](const TiledPlane &plane) { return plane.kept != 0 && !plane.isOfCodes(); });
  for (int64_t row = 0; row < count; ++row)
    packMaskRow(bytes + mask.offset + (first + row) * mask.rowBytes, layout.columns, row, byInput,
                out);
}

void llmc::packTables(const TiledLayout &layout, ArrayRef<uint8_t> bytes, uint8_t *out) {
  std::memset(out, 0, layout.tableBytes);
  auto form = CanonicalForm::get(layout.encoding, {layout.rows, layout.columns});
  for (auto [from, to] : llvm::zip(form.planes, layout.planes))
    if (to.isSharedTable())
      std::memcpy(out + to.offset, bytes.data() + from.offset, from.getByteSize());
}

void llmc::packTile(const TiledLayout &layout, ArrayRef<uint8_t> bytes, int64_t tile,
                    uint8_t *out) {
  std::memset(out, 0, layout.tileBytes);
  auto form = CanonicalForm::get(layout.encoding, {layout.rows, layout.columns});
  int64_t first = tile * tileRows, count = std::min(tileRows, layout.rows - first);
  if (layout.isMasked())
    packMask(layout, form, bytes.data(), tile, out + layout.planes.front().offset);
  if (const TiledPlane *positions = layout.getPositions()) {
    size_t index = positions - layout.planes.begin();
    for (int64_t row = 0; row < count; ++row)
      packListRow(ArrayRef(form.planes).drop_front(index),
                  ArrayRef(layout.planes).drop_front(index), bytes.data(), layout.columns,
                  first + row, row, out);
  }
  auto isCopied = [](const TiledPlane &plane) {
    return plane.kept == 0 && plane.listed == 0 && !plane.isMask && !plane.isSharedTable();
  };
  for (auto [from, to] : llvm::zip(form.planes, layout.planes))
    for (int64_t row = 0; row < count && isCopied(to); ++row)
      packRow(from, to, bytes.data(), from.rows == Plane::all ? 0 : (first + row) / from.rows, row,
              out);
}

void llmc::packPlainTile(const TiledLayout &layout, RowReader readRow, int64_t tile, uint8_t *out) {
  std::memset(out, 0, layout.tileBytes);
  std::vector<float> values(layout.columns);
  for (int64_t row = 0; row < tileRows && tile * tileRows + row < layout.rows; ++row) {
    readRow(tile * tileRows + row, values);
    for (int64_t column = 0; column < layout.columns; ++column) {
      int64_t index = column * tileRows + row;
      writeFloat(out, index, layout.element, values[column]);
    }
  }
}
