//===- MatrixMatrix.cpp - linear kernels for many rows ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Bound by arithmetic: a few tiles of weights at a time are unpacked to a panel that stays in the
// cache, and all rows are multiplied with it in blocks whose sums stay in registers.
//
//===----------------------------------------------------------------------===//

#include "LinearEmitter.h"

using namespace mlir;
using namespace llmc;

void LinearEmitter::emitManyRows() {
  int64_t count = spec.rounded ? k.target.integerTiles : k.target.floatTiles;
  Value groups = k.mul(k.div(k.sub(end, begin), count), count);
  Value middle = k.add(begin, groups);
  k.loop(begin, middle, count, [&](Value tile) { emitTiles(tile, count); });
  if (count > 1)
    k.loop(middle, end, 1, [&](Value tile) { emitTiles(tile, 1); });
}

/// All rows against `tiles` tiles, in blocks of as many rows as registers hold, then of fewer.
void LinearEmitter::emitTiles(Value tile, int64_t tiles) {
  for (int64_t i = 0; i < tiles; ++i) {
    Value from = getTile(k.add(tile, i));
    if (spec.rounded)
      unpackPanel(from, getPanel(i));
    else
      decodePanel(from, getPanel(i));
  }
  int64_t most = spec.rounded ? k.target.integerRows : k.target.floatRows;
  k.loopInBlocks(k.integer(0), rows, most,
                 [&](Value row, int64_t height) { emitBlock(tile, tiles, row, height); });
}

void LinearEmitter::emitBlock(Value tile, int64_t tiles, Value row, int64_t height) {
  Values sum =
      spec.rounded ? sumRounded(tile, tiles, row, height) : sumPanels(tile, tiles, row, height);
  for (int64_t t = 0; t < tiles; ++t)
    addListed(MutableArrayRef<Value>(sum).slice(t * height, height), row, k.add(tile, t));
  // The residual may be the output: all of it is read before any is written.
  for (int64_t t = 0; t < tiles; ++t)
    for (int64_t i = 0; i < height; ++i)
      sum[t * height + i] = finishSums(sum[t * height + i], k.add(row, i), k.add(tile, t));
  for (int64_t t = 0; t < tiles; ++t)
    for (int64_t i = 0; i < height; ++i) {
      storeSums(sum[t * height + i], k.add(row, i), k.add(tile, t));
      storePadding(k.add(row, i), k.add(tile, t));
    }
}

Value LinearEmitter::getPanel(int64_t index) { return k.offset(scratch, index * panelShape.bytes); }

//===----------------------------------------------------------------------===//
// Exact activations
//===----------------------------------------------------------------------===//

/// Writes a tile as floats, unless it lies so in memory already.
void LinearEmitter::decodePanel(Value tile, Value panel) {
  if (panelShape.inPlace)
    return;
  if (!decoder) {
    int64_t bytes = layout.element.getIntOrFloatBitWidth() / 8 * tileRows;
    return k.loop(k.integer(0), k.integer(layout.columns), 1, [&](Value n) {
      k.storeVector(k.loadAsFloats(layout.element, k.offset(tile, k.mul(n, bytes))),
                    k.offset(panel, k.mul(n, tileRows * 4)));
    });
  }
  k.loop(k.integer(0), k.integer(layout.columns / blockInputs), 1,
         [&](Value block) { decodePanelBlock(tile, panel, block, blockInputs); });
  if (int64_t rest = layout.columns % blockInputs)
    decodePanelBlock(tile, panel, k.integer(layout.columns / blockInputs), rest);
}

void LinearEmitter::decodePanelBlock(Value tile, Value panel, Value block, int64_t inputs) {
  Values decoded = decoder->decodeBlock(k, getPlace(tile), block);
  Value line = k.offset(panel, k.mul(block, blockInputs * tileRows * 4));
  for (int64_t n = 0; n < inputs; ++n)
    k.storeVector(decoded[n], k.offset(line, n * tileRows * 4));
}

/// Products of decoded panels with a block of rows.
LinearEmitter::Values LinearEmitter::sumPanels(Value tile, int64_t tiles, Value row,
                                               int64_t height) {
  bool inPlace = panelShape.inPlace;
  Values panels;
  for (int64_t t = 0; t < tiles; ++t)
    panels.push_back(inPlace ? getTile(k.add(tile, t)) : getPanel(t));
  Value inputs = k.offset(input, k.mul(row, inputStride() * 4));
  return k.loop(k.integer(0), k.integer(layout.columns), 1, Values(tiles * height, zero()),
                [&](Value n, ValueRange carried) {
                  Values next(carried), weight;
                  for (Value panel : panels)
                    weight.push_back(k.loadVector(k.offset(panel, k.mul(n, tileRows * 4))));
                  Value column = k.offset(inputs, k.mul(n, 4));
                  for (int64_t i = 0; i < height; ++i) {
                    Value x = k.loadBroadcast(k.offset(column, i * inputStride() * 4));
                    for (int64_t t = 0; t < tiles; ++t)
                      next[t * height + i] = k.fma(weight[t], x, next[t * height + i]);
                  }
                  return next;
                });
}

//===----------------------------------------------------------------------===//
// Rounded activations
//===----------------------------------------------------------------------===//

/// Writes the codes of a tile as bytes, 8 lines of 64 bytes a block, and scales and zero points as
/// floats.
void LinearEmitter::unpackPanel(Value tile, Value panel) {
  if (!panelShape.inPlace)
    k.loop(k.integer(0), k.integer(layout.getBlocks()), 1, [&](Value block) {
      Value line = k.offset(panel, k.mul(block, blockInputs * tileRows));
      for (auto [step, code] : llvm::enumerate(codes->loadCodes(k, getPlace(tile), block)))
        k.store(code, k.offset(line, static_cast<int64_t>(step) * 64), 1);
    });
  k.loop(k.integer(0), k.integer(codes->getScalesPerRow()), 1, [&](Value group) {
    Scales scales = codes->loadScales(k, getPlace(tile), group);
    Value to = k.offset(panel, k.mul(group, tileRows * 4));
    k.storeVector(scales.scales, k.offset(to, panelShape.scaleOffset));
    if (scales.zeros)
      k.storeVector(scales.zeros, k.offset(to, panelShape.zeroOffset));
  });
}

LinearEmitter::Values LinearEmitter::loadPanel(Value tile, int64_t index, Value block) {
  Value line = k.offset(panelShape.inPlace ? getTile(k.add(tile, index)) : getPanel(index),
                        k.mul(block, blockInputs * tileRows));
  Values lines;
  for (int64_t step = 0; step < blockInputs / 4; ++step)
    lines.push_back(k.load(k.vector(k.i8(), 64), k.offset(line, step * 64), 1));
  return lines;
}

LinearEmitter::Scales LinearEmitter::loadPanelScales(int64_t index, Value group) {
  Value from = k.offset(getPanel(index), k.mul(group, tileRows * 4));
  Scales result{k.loadVector(k.offset(from, panelShape.scaleOffset)), {}};
  if (codes->hasZeros())
    result.zeros = k.loadVector(k.offset(from, panelShape.zeroOffset));
  return result;
}

/// Products of unpacked codes with a block of rounded rows.
LinearEmitter::Values LinearEmitter::sumRounded(Value tile, int64_t tiles, Value row,
                                                int64_t height) {
  if (isOneSum())
    return sumInOne(tile, tiles, row, height);
  int64_t blocks = inputStride() / blockInputs;
  Value firstCode = k.offset(input, k.mul(row, inputStride()));
  Value firstScale = k.offset(scales, k.mul(row, blocks * 4));
  Value firstSum = k.offset(sums, k.mul(row, blocks * 4));
  return k.loop(k.integer(0), k.integer(layout.getBlocks()), 1, Values(tiles * height, zero()),
                [&](Value block, ValueRange carried) {
                  SmallVector<Values> lines(tiles), activations(height);
                  SmallVector<Scales> weightScales(tiles);
                  Value group = getScaleGroup(block);
                  for (int64_t t = 0; t < tiles; ++t) {
                    lines[t] = loadPanel(tile, t, block);
                    weightScales[t] = loadPanelScales(t, group);
                  }
                  Value line = k.offset(firstCode, k.mul(block, blockInputs));
                  for (int64_t i = 0; i < height; ++i)
                    activations[i] = loadActivations(line, i);
                  // Side by side, so that they are lowered together.
                  Values dots;
                  for (int64_t t = 0; t < tiles; ++t)
                    for (int64_t i = 0; i < height; ++i)
                      dots.push_back(dot(lines[t], activations[i]));
                  Values next;
                  Value at = k.mul(block, 4);
                  for (int64_t t = 0; t < tiles; ++t)
                    for (int64_t i = 0; i < height; ++i) {
                      Value there = k.add(at, i * blocks * 4);
                      next.push_back(addDot(dots[t * height + i], weightScales[t],
                                            k.loadBroadcast(k.offset(firstScale, there)),
                                            k.loadBroadcast(k.offset(firstSum, there)),
                                            carried[t * height + i]));
                    }
                  return next;
                });
}

/// The same where a row's is one sum of integers.
LinearEmitter::Values LinearEmitter::sumInOne(Value tile, int64_t tiles, Value row,
                                              int64_t height) {
  int64_t blocks = inputStride() / blockInputs;
  Value firstCode = k.offset(input, k.mul(row, inputStride()));
  Value firstScale = k.offset(scales, k.mul(row, blocks * 4));
  Value firstSum = k.offset(sums, k.mul(row, blocks * 4));
  // The sums of all tiles and rows, and then those of the rows' own codes.
  Values start(tiles * height, k.integer(k.vector(k.i32()), 0));
  start.append(height, k.real(k.f32(), 0.0));
  Values total = k.loop(
      k.integer(0), k.integer(layout.getBlocks()), 1, start, [&](Value block, ValueRange carried) {
        SmallVector<Values> lines, activations;
        for (int64_t t = 0; t < tiles; ++t)
          lines.push_back(loadPanel(tile, t, block));
        for (int64_t i = 0; i < height; ++i)
          activations.push_back(loadActivations(k.offset(firstCode, k.mul(block, blockInputs)), i));
        // Side by side, so that they are lowered together.
        Values next;
        for (int64_t t = 0; t < tiles; ++t)
          for (int64_t i = 0; i < height; ++i)
            next.push_back(dot(lines[t], activations[i]));
        for (auto [sum, before] : llvm::zip(next, carried))
          sum = k.add(before, sum);
        for (int64_t i = 0; i < height; ++i)
          next.push_back(
              k.fadd(carried[tiles * height + i],
                     k.load(k.f32(), k.offset(firstSum, k.add(k.mul(block, 4), i * blocks * 4)))));
        return next;
      });
  Values result;
  for (int64_t t = 0; t < tiles; ++t)
    for (int64_t i = 0; i < height; ++i)
      result.push_back(codes->finishDot(k, total[t * height + i], loadPanelScales(t, k.integer(0)),
                                        k.loadBroadcast(k.offset(firstScale, i * blocks * 4)),
                                        k.broadcast(total[tiles * height + i])));
  return result;
}
