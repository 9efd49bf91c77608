//===- LinearKernel.cpp - matrix-vector and matrix-matrix products ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every output element is one chain of the same operations in the same order, whatever the number
// of rows and whoever computes it, so that decode equals prefill bit for bit.
//
//===----------------------------------------------------------------------===//

#include "KernelBuilder.h"
#include "WeightDecoder.h"
#include "llmc/Conversion/Kernels/Kernels.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace llmc;

using Values = KernelBuilder::Values;

namespace {

/// Emits one linear kernel.
class LinearEmitter {
public:
  LinearEmitter(ModuleOp module, StringRef name, const LinearKernel &spec,
                const KernelTarget &target)
      : spec(spec), layout(TiledLayout::get(spec.weight)),
        k(module, name, getArguments(spec), target), decoder(k, layout) {
    unsigned next = 0;
    rows = k.argument(next++);
    begin = k.argument(next++);
    end = k.argument(next++);
    weights = k.argument(next++);
    input = k.argument(next++);
    if (spec.rounded) {
      scales = k.argument(next++);
      sums = k.argument(next++);
    }
    if (spec.bias)
      bias = k.argument(next++);
    if (spec.residual)
      residual = k.argument(next++);
    output = k.argument(next++);
    scratch = k.argument(next++);
  }

  func::FuncOp emit() {
    if (spec.oneRow)
      emitOneRow();
    else
      emitManyRows();
    return k.finish();
  }

private:
  static std::string getArguments(const LinearKernel &spec) {
    std::string arguments = spec.rounded ? "iiipppp" : "iiipp";
    if (spec.bias)
      arguments += 'p';
    if (spec.residual)
      arguments += 'p';
    return arguments + "pp";
  }

  Value zero() { return k.real(k.vector(k.f32()), 0.0); }
  int64_t inputStride() const { return getRowStride(layout.columns); }
  Value getTile(Value tile) { return k.offset(weights, k.mul(tile, layout.tileBytes)); }

  /// Adds bias and residual to the sums of `row` and tile `tile`, and gives the result.
  Value finishSums(Value sum, Value row, Value tile) {
    if (spec.bias)
      sum = k.fadd(sum, k.loadVector(k.offset(bias, k.mul(tile, tileRows * 4))));
    if (spec.residual)
      sum = k.fadd(sum, k.loadVector(getOutputAddress(residual, row, tile)));
    return sum;
  }

  Value getOutputAddress(Value base, Value row, Value tile) {
    return k.offset(base, k.add(k.mul(row, spec.outputStride * 4), k.mul(tile, tileRows * 4)));
  }

  /// Stores 16 outputs; where rows have no padding the last tile's are stored one by one.
  void storeSums(Value sum, Value row, Value tile) {
    Value address = getOutputAddress(output, row, tile);
    int64_t rest = layout.rows % tileRows;
    if (!spec.exactOutput || rest == 0)
      return k.storeVector(sum, address);
    Value whole = k.lessInteger(tile, k.integer(layout.tiles - 1));
    k.ifThen(whole, [&] { k.storeVector(sum, address); });
    k.ifThen(k.equal(tile, k.integer(layout.tiles - 1)), [&] {
      for (int64_t lane = 0; lane < rest; ++lane)
        k.store(k.extract(sum, lane), k.offset(address, lane * 4));
    });
  }

  /// Zeros the padding of a row beyond the last tile (16 floats at most).
  void storePadding(Value row, Value tile) {
    if (spec.exactOutput || getRowStride(layout.rows) == layout.tiles * tileRows)
      return;
    k.ifThen(k.equal(tile, k.integer(layout.tiles - 1)), [&] {
      k.storeVector(zero(), getOutputAddress(output, row, k.integer(layout.tiles)));
    });
  }

  //===--------------------------------------------------------------------===//
  // One row
  //===--------------------------------------------------------------------===//

  /// Tiles that are computed side by side: independent chains hide the latency of additions.
  static constexpr int64_t sideBySide = 4;

  void emitOneRow() {
    Value groups = k.mul(k.div(k.sub(end, begin), sideBySide), sideBySide);
    Value middle = k.add(begin, groups);
    k.loop(begin, middle, sideBySide, [&](Value tile) { emitOneRowTiles(tile, sideBySide); });
    k.loop(middle, end, 1, [&](Value tile) { emitOneRowTiles(tile, 1); });
  }

  void emitOneRowTiles(Value tile, int64_t count) {
    Values tiles, addresses;
    for (int64_t i = 0; i < count; ++i) {
      tiles.push_back(k.add(tile, i));
      addresses.push_back(getTile(tiles[i]));
    }
    Values sum(count, zero());
    Value row = k.integer(0);
    if (spec.rounded)
      sum = k.loop(k.integer(0), k.integer(layout.getBlocks()), 1, sum,
                   [&](Value block, ValueRange carried) {
                     Values next;
                     for (int64_t i = 0; i < count; ++i)
                       next.push_back(addRoundedBlock(addresses[i], row, block, carried[i]));
                     return next;
                   });
    else if (layout.encoding)
      sum = k.loop(k.integer(0), k.integer(layout.getBlocks()), 1, sum,
                   [&](Value block, ValueRange carried) {
                     Values next(carried);
                     Value inputs = k.offset(input, k.mul(block, blockInputs * 4));
                     for (int64_t i = 0; i < count; ++i) {
                       Values decoded = decoder.decodeBlock(addresses[i], block);
                       for (int64_t n = 0; n < blockInputs; ++n)
                         next[i] =
                             k.fma(decoded[n], k.loadBroadcast(k.offset(inputs, n * 4)), next[i]);
                     }
                     return next;
                   });
    else
      sum = addPlain(addresses, sum);
    for (int64_t i = 0; i < count; ++i) {
      storeSums(finishSums(sum[i], row, tiles[i]), row, tiles[i]);
      storePadding(row, tiles[i]);
    }
  }

  /// The loop over inputs for plain weights, unrolled.
  Values addPlain(ArrayRef<Value> addresses, Values sum) {
    constexpr int64_t unroll = 8;
    int64_t whole = layout.columns / unroll * unroll;
    int64_t bytes = layout.element.getIntOrFloatBitWidth() / 8 * tileRows;
    auto step = [&](int64_t steps) {
      return [&, steps](Value index, ValueRange carried) {
        Values next(carried);
        for (int64_t n = 0; n < steps; ++n) {
          Value at = k.add(index, n);
          Value x = k.loadBroadcast(k.offset(input, k.mul(at, 4)));
          for (size_t i = 0; i < addresses.size(); ++i)
            next[i] =
                k.fma(k.loadAsFloats(layout.element, k.offset(addresses[i], k.mul(at, bytes))), x,
                      next[i]);
        }
        return next;
      };
    };
    sum = k.loop(k.integer(0), k.integer(whole), unroll, sum, step(unroll));
    return k.loop(k.integer(whole), k.integer(layout.columns), 1, sum, step(1));
  }

  //===--------------------------------------------------------------------===//
  // Rounded activations
  //===--------------------------------------------------------------------===//

  /// sum + (weights · activations) over one block of 32 inputs.
  Value addRoundedBlock(Value tile, Value row, Value block, Value sum) {
    Values codes = decoder.loadCodes(tile, block);
    return addCodes(codes, decoder.loadScales(tile, block), row, block, sum);
  }

  /// What a block's scales and zero points are multiplied with; shared by all rows.
  using BlockScales = WeightDecoder::BlockScales;

  Value addCodes(ArrayRef<Value> codes, const BlockScales &weightScales, Value row, Value block,
                 Value sum) {
    int64_t stride = inputStride();
    Value line = k.offset(input, k.add(k.mul(row, stride), k.mul(block, blockInputs)));
    Values activations;
    for (int64_t step = 0; step < blockInputs / 4; ++step)
      activations.push_back(k.bitcast(k.broadcast(k.load(k.i32(), k.offset(line, step * 4), 4)),
                                      k.vector(k.i8(), 64)));
    Value dot = GroupDotOp::create(k.builder, k.location, k.vector(k.i32()), codes, activations,
                                   (1 << layout.encoding.getBits()) - 1);
    Value at = k.mul(k.add(k.mul(row, stride / blockInputs), block), 4);
    Value scale = k.load(k.f32(), k.offset(scales, at));
    Value blockSum = k.load(k.i32(), k.offset(sums, at));
    // Codes are unsigned; what zero stands for is taken off the exact integer sum.
    if (layout.encoding.getZero() == ZeroPoint::None)
      dot = k.sub(dot, k.broadcast(k.shl(blockSum, layout.encoding.getBits() - 1)));
    else if (layout.encoding.getZero() == ZeroPoint::Integer)
      dot = k.sub(dot, k.mul(weightScales.zeros, k.broadcast(blockSum)));
    sum = k.fma(k.toFloat(dot), k.fmul(weightScales.scales, k.broadcast(scale)), sum);
    if (layout.encoding.getZero() == ZeroPoint::Float)
      sum = k.fma(weightScales.zeros, k.broadcast(k.fmul(scale, k.toFloat(blockSum))), sum);
    return sum;
  }

  //===--------------------------------------------------------------------===//
  // Many rows
  //===--------------------------------------------------------------------===//

  void emitManyRows() {
    if (spec.rounded)
      return k.loop(begin, end, 1, [&](Value tile) {
        unpackCodes(getTile(tile));
        emitRowBlocks(tile, 1, k.target.integerRows);
      });
    int64_t count = k.target.floatTiles;
    Value groups = k.mul(k.div(k.sub(end, begin), count), count);
    Value middle = k.add(begin, groups);
    auto body = [&](int64_t tiles) {
      return [&, tiles](Value tile) {
        decodePanels(tile, tiles);
        emitRowBlocks(tile, tiles, k.target.floatRows);
      };
    };
    k.loop(begin, middle, count, body(count));
    k.loop(middle, end, 1, body(1));
  }

  /// Bytes of one decoded tile in the scratch.
  int64_t panelBytes() const { return layout.columns * tileRows * 4; }

  /// Decodes tiles to fp32 in the scratch, unless they lie so in memory already.
  void decodePanels(Value tile, int64_t count) {
    if (!layout.encoding && layout.element.isF32())
      return;
    for (int64_t i = 0; i < count; ++i) {
      Value from = getTile(k.add(tile, i)), to = k.offset(scratch, i * panelBytes());
      if (!layout.encoding) {
        int64_t bytes = layout.element.getIntOrFloatBitWidth() / 8 * tileRows;
        k.loop(k.integer(0), k.integer(layout.columns), 1, [&](Value n) {
          k.storeVector(k.loadAsFloats(layout.element, k.offset(from, k.mul(n, bytes))),
                        k.offset(to, k.mul(n, tileRows * 4)));
        });
        continue;
      }
      k.loop(k.integer(0), k.integer(layout.columns / blockInputs), 1,
             [&](Value block) { decodePanelBlock(from, to, block, blockInputs); });
      if (int64_t rest = layout.columns % blockInputs)
        decodePanelBlock(from, to, k.integer(layout.columns / blockInputs), rest);
    }
  }

  void decodePanelBlock(Value from, Value to, Value block, int64_t inputs) {
    Values decoded = decoder.decodeBlock(from, block);
    Value line = k.offset(to, k.mul(block, blockInputs * tileRows * 4));
    for (int64_t n = 0; n < inputs; ++n)
      k.storeVector(decoded[n], k.offset(line, n * tileRows * 4));
  }

  /// Writes the codes of a tile as bytes to the scratch: 8 lines of 64 bytes a block.
  void unpackCodes(Value tile) {
    if (layout.encoding.getBits() == 8)
      return;
    k.loop(k.integer(0), k.integer(layout.getBlocks()), 1, [&](Value block) {
      Values codes = decoder.loadCodes(tile, block);
      Value line = k.offset(scratch, k.mul(block, blockInputs * tileRows));
      for (auto [step, code] : llvm::enumerate(codes))
        k.store(code, k.offset(line, step * 64), 1);
    });
  }

  /// All rows against `tiles` tiles, in blocks of `height` rows; the last block repeats the last
  /// row, which computes the same values again.
  void emitRowBlocks(Value tile, int64_t tiles, int64_t height) {
    Value last = k.add(rows, -1);
    k.loop(k.integer(0), rows, height, [&](Value row) {
      Values blockRows;
      for (int64_t i = 0; i < height; ++i)
        blockRows.push_back(k.min(k.add(row, i), last));
      Values sum = spec.rounded ? sumRounded(tile, blockRows) : sumPanels(tile, tiles, blockRows);
      // The residual may be the output: all of it is read before any is written.
      for (int64_t t = 0; t < tiles; ++t)
        for (int64_t i = 0; i < height; ++i)
          sum[t * height + i] = finishSums(sum[t * height + i], blockRows[i], k.add(tile, t));
      for (int64_t t = 0; t < tiles; ++t)
        for (int64_t i = 0; i < height; ++i) {
          storeSums(sum[t * height + i], blockRows[i], k.add(tile, t));
          storePadding(blockRows[i], k.add(tile, t));
        }
    });
  }

  /// Products of decoded panels with a block of rows.
  Values sumPanels(Value tile, int64_t tiles, ArrayRef<Value> blockRows) {
    bool inPlace = !layout.encoding && layout.element.isF32();
    Values panels, inputs;
    for (int64_t t = 0; t < tiles; ++t)
      panels.push_back(inPlace ? getTile(k.add(tile, t)) : k.offset(scratch, t * panelBytes()));
    for (Value row : blockRows)
      inputs.push_back(k.offset(input, k.mul(row, inputStride() * 4)));
    Values sum(tiles * blockRows.size(), zero());
    return k.loop(k.integer(0), k.integer(layout.columns), 1, sum,
                  [&](Value n, ValueRange carried) {
                    Values next(carried), weight;
                    for (Value panel : panels)
                      weight.push_back(k.loadVector(k.offset(panel, k.mul(n, tileRows * 4))));
                    for (auto [i, address] : llvm::enumerate(inputs)) {
                      Value x = k.loadBroadcast(k.offset(address, k.mul(n, 4)));
                      for (int64_t t = 0; t < tiles; ++t) {
                        Value &partial = next[t * inputs.size() + i];
                        partial = k.fma(weight[t], x, partial);
                      }
                    }
                    return next;
                  });
  }

  /// Products of unpacked codes with a block of rounded rows.
  Values sumRounded(Value tile, ArrayRef<Value> blockRows) {
    bool inPlace = layout.encoding.getBits() == 8;
    Value address = getTile(tile);
    Value codes = inPlace ? address : scratch;
    Values sum(blockRows.size(), zero());
    return k.loop(k.integer(0), k.integer(layout.getBlocks()), 1, sum,
                  [&](Value block, ValueRange carried) {
                    Values next(carried), lines;
                    Value line = k.offset(codes, k.mul(block, blockInputs * tileRows));
                    for (int64_t step = 0; step < blockInputs / 4; ++step)
                      lines.push_back(k.load(k.vector(k.i8(), 64), k.offset(line, step * 64), 1));
                    BlockScales weightScales = decoder.loadScales(address, block);
                    for (auto [i, row] : llvm::enumerate(blockRows))
                      next[i] = addCodes(lines, weightScales, row, block, next[i]);
                    return next;
                  });
  }

  const LinearKernel &spec;
  TiledLayout layout;
  KernelBuilder k;
  WeightDecoder decoder;
  Value rows, begin, end, weights, input, scales, sums, bias, residual, output, scratch;
};

} // namespace

int64_t LinearKernel::getScratchBytes() const {
  if (oneRow)
    return 0;
  TiledLayout layout = TiledLayout::get(weight);
  if (rounded)
    return layout.encoding.getBits() == 8 ? 0 : layout.getBlocks() * blockInputs * tileRows;
  if (!layout.encoding && layout.element.isF32())
    return 0;
  // The widest register tile of any target.
  return 2 * layout.columns * tileRows * 4;
}

std::string llmc::explainUnsupported(const LinearKernel &kernel) {
  if (!kernel.rounded)
    return "";
  TiledLayout layout = TiledLayout::get(kernel.weight);
  if (!layout.encoding)
    return "rounded activations need integer weights";
  if (layout.scaleGroup % blockInputs != 0)
    return "rounded activations need groups of a multiple of 32 weights, found " +
           std::to_string(layout.encoding.getGroup());
  return "";
}

FailureOr<func::FuncOp> llmc::emitLinear(ModuleOp module, const LinearKernel &kernel,
                                         const KernelTarget &target) {
  if (!explainUnsupported(kernel).empty())
    return failure();
  std::string name;
  llvm::raw_string_ostream stream(name);
  stream << "linear_" << getWeightName(kernel.weight) << (kernel.rounded ? "_a8" : "")
         << (kernel.bias ? "_bias" : "") << (kernel.residual ? "_residual" : "")
         << (kernel.oneRow ? "_row" : "_rows") << "_o" << kernel.outputStride
         << (kernel.exactOutput ? "x" : "") << "_" << target.name;
  if (auto existing = module.lookupSymbol<func::FuncOp>(name))
    return existing;
  func::FuncOp function = LinearEmitter(module, name, kernel, target).emit();
  lowerGroupDots(function, target.dot);
  return function;
}
