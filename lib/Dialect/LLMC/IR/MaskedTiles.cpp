//===- MaskedTiles.cpp - kept weights in the order in which CPU kernels read them ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What stands behind the tiles of a matrix of which some weights are kept (TiledLayout.h).
//
//===----------------------------------------------------------------------===//

#include "TileMask.h"

#include "llvm/ADT/bit.h"
#include "llvm/Support/Endian.h"

#include <cstring>

using namespace mlir;
using namespace llmc;
using llvm::support::endian::read64le;

/// Words of the mask in a block, and bits in a word.
static constexpr int64_t words = 8, wordBits = 64;

/// Visits the bits of a word that are 1, from the lowest on.
template <typename Visit>
static void forEachBit(uint64_t word, Visit visit) {
  for (; word != 0; word &= word - 1)
    visit(llvm::countr_zero(word));
}

namespace {

/// The kept weights of one plane, block by block.
class KeptPlane {
public:
  KeptPlane(const TiledLayout &layout, const CanonicalForm &form, unsigned index,
            ArrayRef<uint8_t> bytes)
      : layout(layout), plane(layout.planes[index]), bytes(bytes.data()), array(form[index]),
        starts(form.getRowStarts(bytes.data(), {layout.rows, layout.columns})) {}

  /// Bytes of a block whose words of the mask are at `mask`.
  int64_t getBlockBytes(const uint8_t *mask) const {
    int64_t result = 0;
    if (!plane.isOfCodes()) {
      for (int64_t word = 0; word < words; ++word)
        result += llvm::popcount(read64le(mask + 8 * word)) * plane.getElementBytes();
      return result;
    }
    for (unsigned width : getBitParts(plane.getBits()))
      for (int64_t word = 0; word < words; word += 8 / width)
        result += getPartBytes(mask, word, width);
    return result;
  }

  /// Writes the blocks of tile `tile`, whose mask is packed, to zeros at `out`, and where they are.
  void packTile(int64_t tile, uint8_t *from, uint8_t *out) const {
    // The next kept weight of each row.
    int64_t next[tileRows], count = std::min(tileRows, layout.rows - tile * tileRows);
    for (int64_t row = 0; row < count; ++row)
      next[row] = starts[tile * tileRows + row];
    for (int64_t block = 0; block < layout.getBlocks(); ++block) {
      const uint8_t *mask = from + layout.planes.front().offset + block * 64;
      llvm::support::endian::write32le(from + plane.offset + 4 * block,
                                       static_cast<uint32_t>(out - from));
      if (!plane.isOfCodes())
        packFloats(mask, next, out);
      else
        packIntegers(mask, next, out);
      out += getBlockBytes(mask);
    }
  }

private:
  /// Bytes of a part of this width in the words from `word` on that share them.
  static int64_t getPartBytes(const uint8_t *mask, int64_t word, unsigned width) {
    int64_t most = 0;
    for (int64_t i = 0; i < 8 / width; ++i)
      most = std::max<int64_t>(most, llvm::popcount(read64le(mask + 8 * (word + i))));
    return most;
  }

  void packFloats(const uint8_t *mask, int64_t *next, uint8_t *out) const {
    int64_t size = plane.getElementBytes();
    for (int64_t word = 0; word < words; ++word)
      forEachBit(read64le(mask + 8 * word), [&](int64_t bit) {
        // What a mask has more than there are weights is zero.
        if (int64_t element = next[bit % tileRows]++; element < plane.kept)
          std::memcpy(out, bytes + array.offset + element * size, size);
        out += size;
      });
  }

  void packIntegers(const uint8_t *mask, int64_t *next, uint8_t *out) const {
    uint8_t codes[words][wordBits] = {};
    unsigned bits = plane.getBits();
    for (int64_t word = 0; word < words; ++word) {
      uint8_t *code = codes[word];
      forEachBit(read64le(mask + 8 * word), [&](int64_t bit) {
        if (int64_t element = next[bit / 4]++; element < plane.kept)
          *code = static_cast<uint8_t>(readCode(bytes + array.offset, element, bits));
        ++code;
      });
    }
    unsigned place = 0; // of the part in the integer
    for (unsigned width : getBitParts(plane.getBits())) {
      for (int64_t word = 0; word < words; word += 8 / width) {
        int64_t size = getPartBytes(mask, word, width);
        for (int64_t i = 0; i < 8 / width; ++i)
          for (int64_t n = 0; n < size; ++n)
            out[n] |= static_cast<uint8_t>((codes[word + i][n] >> place & ((1u << width) - 1))
                                           << (width * i));
        out += size;
      }
      place += width;
    }
  }

  const TiledLayout &layout;
  const TiledPlane &plane;
  const uint8_t *bytes;
  PlaneArray array;
  std::vector<int64_t> starts; ///< of each row among all kept weights
};

} // namespace

/// Bytes after the last kept weight, so that a whole register can be loaded from anywhere.
static constexpr int64_t readable = 64;

/// Where the kept weights of each tile start, and where all end, by masks in packed tiles at
/// `tiles`, `stride` bytes apart.
static std::vector<int64_t> getStarts(const TiledLayout &layout, const KeptPlane &plane,
                                      function_ref<const uint8_t *(int64_t tile)> getMask,
                                      int64_t start) {
  std::vector<int64_t> starts{start};
  for (int64_t tile = 0; tile < layout.tiles; ++tile) {
    const uint8_t *mask = getMask(tile);
    for (int64_t block = 0; block < layout.getBlocks(); ++block)
      start += plane.getBlockBytes(mask + block * 64);
    starts.push_back(start);
  }
  return starts;
}

int64_t llmc::getPackedSize(const TiledLayout &layout, ArrayRef<uint8_t> bytes) {
  int64_t size = layout.getByteSize();
  if (!layout.isMasked())
    return size;
  auto form = CanonicalForm::get(layout.encoding, {layout.rows, layout.columns});
  std::vector<uint8_t> mask(layout.planes.front().getByteSize(layout.getBlocks()));
  for (auto [index, plane] : llvm::enumerate(layout.planes))
    if (plane.kept != 0)
      size = getStarts(
                 layout, KeptPlane(layout, form, index, bytes),
                 [&](int64_t tile) {
                   packMask(layout, form, bytes.data(), tile, mask.data());
                   return mask.data();
                 },
                 size)
                 .back();
  return size + readable;
}

int64_t llmc::getMostPackedSize(const TiledLayout &layout) {
  int64_t size = layout.getByteSize(), bits = 0; // of an element in all planes of kept weights
  if (!layout.isMasked())
    return size;
  for (const TiledPlane &plane : layout.planes)
    if (plane.kept != 0)
      bits += plane.isOfCodes() ? plane.getBits() : 8 * plane.getElementBytes();
  return size + layout.tiles * layout.getBlocks() * tileRows * blockInputs * bits / 8 + readable;
}

void llmc::packKept(const TiledLayout &layout, ArrayRef<uint8_t> bytes, uint8_t *out) {
  if (!layout.isMasked())
    return;
  auto form = CanonicalForm::get(layout.encoding, {layout.rows, layout.columns});
  int64_t end = layout.getByteSize();
  auto getTile = [&](int64_t tile) { return out + layout.getTileOffset(tile); };
  for (auto [index, plane] : llvm::enumerate(layout.planes)) {
    if (plane.kept == 0)
      continue;
    KeptPlane kept(layout, form, index, bytes);
    std::vector<int64_t> starts = getStarts(
        layout, kept, [&](int64_t tile) { return getTile(tile) + layout.planes.front().offset; },
        end);
    std::memset(out + end, 0, starts.back() - end);
    for (int64_t tile = 0; tile < layout.tiles; ++tile)
      kept.packTile(tile, getTile(tile), out + starts[tile]);
    end = starts.back();
  }
  std::memset(out + end, 0, readable);
}
