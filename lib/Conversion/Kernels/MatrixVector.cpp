//===- MatrixVector.cpp - linear kernels for one row ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Bound by the bytes of the weights: they are read once, in the order in which they lie, asked for
// well before they are needed.
//
//===----------------------------------------------------------------------===//

#include "LinearEmitter.h"
#include "MaskedBlock.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace llmc;

/// Bytes that one prefetch brings.
static constexpr int64_t lineBytes = 64;

/// Bytes behind the codes of a tile, for each of its blocks, from which on they are asked for block
/// by block: some ask for a line again.
static constexpr int64_t leastRestStep = lineBytes / 4;

/// Tiles of weights in floats that are computed side by side: a chain of additions waits 4 cycles
/// for each of its own.
static constexpr int64_t sideBySide = 4;

void LinearEmitter::emitOneRow() {
  if (spec.rounded)
    return k.loop(begin, end, 1, [&](Value tile) { emitOneRowRounded(tile); });
  Value groups = k.mul(k.div(k.sub(end, begin), sideBySide), sideBySide);
  Value middle = k.add(begin, groups);
  k.loop(begin, middle, sideBySide, [&](Value tile) { emitOneRowTiles(tile, sideBySide); });
  k.loop(middle, end, 1, [&](Value tile) { emitOneRowTiles(tile, 1); });
}

void LinearEmitter::finishRow(ArrayRef<Value> sums, Value tile) {
  Value row = k.integer(0);
  for (auto [index, ofTile] : llvm::enumerate(sums)) {
    Value at = k.add(tile, static_cast<int64_t>(index)), sum = ofTile;
    addListed(sum, row, at);
    storeSums(finishSums(sum, row, at), row, at);
    storePadding(row, at);
  }
}

//===----------------------------------------------------------------------===//
// Rounded activations
//===----------------------------------------------------------------------===//

void LinearEmitter::prefetchBlock(Value tile, Value block) {
  if (layout.isMasked())
    prefetchKept(tile, block);
  if (codes->isPacked() || layout.isMasked())
    return prefetchPlanes(tile, block);
  // What is asked for goes evenly from one tile to the next; a line in sixteen blocks at most is
  // left to the processor.
  int64_t blocks = layout.getBlocks();
  Value place = k.div(k.mul(block, layout.tileBytes), blocks);
  Value ahead = k.offset(tile, k.add(place, prefetchDistance));
  int64_t lines = llvm::divideCeil(layout.tileBytes / blocks - lineBytes / 16, lineBytes);
  for (int64_t line = 0; line < lines; ++line)
    k.prefetch(k.offset(ahead, line * lineBytes));
  // Scales and tables lie behind the codes, but are read with the first of them.
  int64_t step = getRestStep();
  if (step >= leastRestStep)
    k.prefetch(k.offset(tile, k.add(k.mul(block, step), layout.tileBytes + codes->getCodesEnd())));
}

int64_t LinearEmitter::getRestStep() const {
  return llvm::divideCeil(layout.tileBytes - codes->getCodesEnd(), layout.getBlocks());
}

/// Asks for the few scales and tables of the next tile.
void LinearEmitter::prefetchRest(Value tile) {
  if (codes->isPacked() || layout.isMasked() || getRestStep() >= leastRestStep)
    return;
  for (int64_t byte = codes->getCodesEnd(); byte < layout.tileBytes; byte += lineBytes)
    k.prefetch(k.offset(tile, layout.tileBytes + byte));
}

/// What stands behind the tiles is read from one end to the other, of several tiles at a time from
/// as many places.
void LinearEmitter::prefetchKept(Value tile, Value block, int64_t tiles) {
  int64_t weights = layout.tiles * layout.getBlocks() * blockInputs * tileRows;
  for (const TiledPlane &plane : layout.planes) {
    if (plane.kept == 0)
      continue;
    int64_t bits = plane.kept * (plane.isOfCodes() ? plane.getBits() : 8 * plane.getElementBytes());
    int64_t bytes = llvm::divideCeil(bits * blockInputs * tileRows, 8 * weights);
    Value ahead =
        k.offset(MaskedBlock(k, layout, tile, block).getAddress(plane), prefetchDistance / tiles);
    // Blocks begin anywhere in a line, and some are longer than others.
    for (int64_t byte = 0; byte < bytes + lineBytes; byte += lineBytes)
      k.prefetch(k.offset(ahead, byte));
  }
}

/// Planes that are read side by side are asked for side by side, the same number of blocks ahead,
/// which may be in the next tile.
void LinearEmitter::prefetchPlanes(Value tile, Value block) {
  int64_t bytes = 0, blocks = layout.getBlocks();
  for (const TiledPlane &plane : layout.planes)
    bytes += plane.isInBlocks() ? plane.getBlockBytes() : plane.isMask ? lineBytes : 0;
  if (bytes == 0)
    return;
  Value ahead = k.add(block, std::min<int64_t>(llvm::divideCeil(prefetchDistance, bytes), blocks));
  Value inTile = k.lessInteger(ahead, k.integer(blocks));
  Value from = k.offset(tile, k.select(inTile, k.integer(0), k.integer(layout.tileBytes)));
  ahead = k.select(inTile, ahead, k.add(ahead, -blocks));
  for (const TiledPlane &plane : layout.planes) {
    int64_t step = plane.isInBlocks() ? plane.getBlockBytes()
                                      : llvm::divideCeil(plane.getByteSize(blocks), blocks);
    // Of what takes less than a line a block, some blocks ask again.
    for (int64_t byte = 0; byte < step; byte += lineBytes)
      k.prefetch(k.offset(from, k.add(k.mul(ahead, step), plane.offset + byte)));
  }
}

void LinearEmitter::emitOneRowRounded(Value tile) {
  Value address = getTile(tile);
  prefetchRest(address);
  if (isOneSum())
    return finishRow(sumRowInOne(tile), tile);
  Value sum =
      k.loop(k.integer(0), k.integer(layout.getBlocks()), 1, Values{zero()},
             [&](Value block, ValueRange carried) -> Values {
               prefetchBlock(address, block);
               BlockDot dots = dotBlock(address, block, k.offset(input, k.mul(block, blockInputs)));
               Scales weightScales = codes->loadScales(k, getPlace(address), getScaleGroup(block));
               Value at = k.mul(block, 4);
               Value codeSum =
                   dots.codeSum ? k.toFloat(dots.codeSum) : k.loadBroadcast(k.offset(sums, at));
               return {addDot(dots.products, weightScales, k.loadBroadcast(k.offset(scales, at)),
                              codeSum, carried[0])};
             })[0];
  finishRow(sum, tile);
}

/// Activations of kept codes are taken to these: half as many products as of all, and the same sums
/// of integers.
LinearEmitter::BlockDot LinearEmitter::dotBlock(Value tile, Value block, Value line) {
  if (!codes->isGathered(k.target)) {
    Values activations = loadActivations(line, 0);
    return {dot(codes->loadCodes(k, getPlace(tile), block), activations), {}};
  }
  CodeDecoder::Gathered gathered = codes->loadGathered(k, getPlace(tile), block);
  VectorType bytes = k.vector(k.i8(), 64);
  SmallVector<int64_t> repeated;
  for (int64_t byte = 0; byte < 64; ++byte)
    repeated.push_back(byte % 16);
  Values activations, ones(gathered.codes.size(), k.integer(bytes, 1));
  for (auto [places, window] : llvm::zip(gathered.places, gathered.windows)) {
    Value sixteen = k.load(k.vector(k.i8(), 16), k.offset(line, window), 1);
    activations.push_back(k.shuffleBytes(k.shuffle(sixteen, sixteen, repeated), places));
  }
  Value products = dot(gathered.codes, activations);
  Value codeSum = GroupDotOp::create(k.builder, k.location, k.vector(k.i32()), ones, activations,
                                     /*max_weight=*/1);
  return {products, codeSum};
}

Value LinearEmitter::sumRowInOne(Value tile) {
  Value address = getTile(tile);
  bool isGathered = codes->isGathered(k.target);
  Value none = k.integer(k.vector(k.i32()), 0);
  Values total = k.loop(
      k.integer(0), k.integer(layout.getBlocks()), 1, isGathered ? Values{none, none} : startSums(),
      [&](Value block, ValueRange carried) -> Values {
        prefetchBlock(address, block);
        BlockDot dots = dotBlock(address, block, k.offset(input, k.mul(block, blockInputs)));
        Value codeSum = isGathered
                            ? k.add(carried[1], dots.codeSum)
                            : k.fadd(carried[1], k.load(k.f32(), k.offset(sums, k.mul(block, 4))));
        return {k.add(carried[0], dots.products), codeSum};
      });
  return codes->finishDot(k, total[0], codes->loadScales(k, getPlace(address), k.integer(0)),
                          k.loadBroadcast(scales),
                          isGathered ? k.toFloat(total[1]) : k.broadcast(total[1]));
}

//===----------------------------------------------------------------------===//
// Exact activations
//===----------------------------------------------------------------------===//

/// The plane of kept weights that are floats as they are; null for others.
static const TiledPlane *getKeptFloats(const TiledLayout &layout) {
  const auto *plane = llvm::find_if(
      layout.planes, [](const TiledPlane &plane) { return plane.kept != 0 && !plane.isOfCodes(); });
  return layout.planes.size() == 2 && plane != layout.planes.end() ? plane : nullptr;
}

void LinearEmitter::emitOneRowTiles(Value tile, int64_t count) {
  Values addresses;
  for (int64_t i = 0; i < count; ++i)
    addresses.push_back(getTile(k.add(tile, i)));
  Values sum(count, zero());
  if (const TiledPlane *plane = getKeptFloats(layout))
    return finishRow(addKeptFloats(*plane, addresses, sum), tile);
  finishRow(decoder ? addDecoded(addresses, sum) : addPlain(addresses, sum), tile);
}

LinearEmitter::Values LinearEmitter::addKeptFloats(const TiledPlane &plane,
                                                   ArrayRef<Value> addresses, Values sum) {
  return k.loop(k.integer(0), k.integer(layout.getBlocks()), 1, sum,
                [&](Value block, ValueRange carried) {
                  Values next(carried);
                  Value inputs = k.offset(input, k.mul(block, blockInputs * 4));
                  SmallVector<MaskedBlock> blocks;
                  SmallVector<MaskedBlock::FloatCursor> cursors;
                  for (Value address : addresses) {
                    prefetchKept(address, block, static_cast<int64_t>(addresses.size()));
                    prefetchPlanes(address, block);
                    blocks.emplace_back(k, layout, address, block);
                    cursors.push_back(blocks.back().getFirstFloats(plane));
                  }
                  // Tile by tile every chain of additions would be waited for alone.
                  while (cursors.front().input < blockInputs)
                    for (auto [tile, cursor, added] : llvm::zip_equal(blocks, cursors, next)) {
                      int64_t n = cursor.input;
                      for (Value weights : tile.loadFloats(plane, cursor))
                        added = k.fma(weights, k.loadBroadcast(k.offset(inputs, 4 * n++)), added);
                    }
                  return next;
                });
}

LinearEmitter::Values LinearEmitter::addDecoded(ArrayRef<Value> addresses, Values sum) {
  return k.loop(
      k.integer(0), k.integer(layout.getBlocks()), 1, sum, [&](Value block, ValueRange carried) {
        Values next(carried);
        Value inputs = k.offset(input, k.mul(block, blockInputs * 4));
        for (auto [i, address] : llvm::enumerate(addresses)) {
          if (layout.isMasked())
            prefetchKept(address, block, static_cast<int64_t>(addresses.size()));
          prefetchPlanes(address, block);
          Values decoded = decoder->decodeBlock(k, getPlace(address), block);
          for (int64_t n = 0; n < blockInputs; ++n)
            next[i] = k.fma(decoded[n], k.loadBroadcast(k.offset(inputs, n * 4)), next[i]);
        }
        return next;
      });
}

LinearEmitter::Values LinearEmitter::addPlain(ArrayRef<Value> addresses, Values sum) {
  constexpr int64_t unroll = 8;
  int64_t whole = layout.columns / unroll * unroll;
  int64_t bytes = layout.element.getIntOrFloatBitWidth() / 8 * tileRows;
  auto step = [&](int64_t steps) {
    return [&, steps](Value index, ValueRange carried) {
      Values next(carried);
      for (int64_t n = 0; n < steps; ++n) {
        Value at = k.add(index, n);
        Value x = k.loadBroadcast(k.offset(input, k.mul(at, 4)));
        for (auto [i, tile] : llvm::enumerate(addresses)) {
          Value address = k.offset(tile, k.mul(at, bytes));
          if (steps == unroll && n * bytes % lineBytes == 0)
            k.prefetch(k.offset(address, prefetchDistance));
          next[i] = k.fma(k.loadAsFloats(layout.element, address), x, next[i]);
        }
      }
      return next;
    };
  };
  sum = k.loop(k.integer(0), k.integer(whole), unroll, sum, step(unroll));
  return k.loop(k.integer(whole), k.integer(layout.columns), 1, sum, step(1));
}
