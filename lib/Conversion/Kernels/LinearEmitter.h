//===- LinearEmitter.h - what all linear kernels have in common ---===//
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

#ifndef LLMC_LIB_CONVERSION_KERNELS_LINEAREMITTER_H
#define LLMC_LIB_CONVERSION_KERNELS_LINEAREMITTER_H

#include "KernelBuilder.h"
#include "WeightDecoder.h"
#include "llmc/Conversion/Kernels/Kernels.h"
#include "llmc/Dialect/LLMC/IR/TiledLayout.h"

namespace llmc {

/// What the kernel for many rows makes of a tile, in the scratch, before it multiplies.
struct Panel {
  bool inPlace;        ///< nothing: weights are read where they are
  int64_t scaleOffset; ///< of scales as floats, after the codes
  int64_t zeroOffset;  ///< of zero points or minima as floats
  int64_t bytes;       ///< from one tile's to the next tile's

  static Panel get(const TiledLayout &layout, const CodeDecoder *codes);
};

/// A linear kernel's function: what it computes, and its arguments.
class LinearFunction {
public:
  LinearFunction(mlir::ModuleOp module, llvm::StringRef name, const LinearKernel &spec,
                 const KernelTarget &target);

protected:
  using Value = mlir::Value;
  using Values = KernelBuilder::Values;
  using Scales = CodeDecoder::Scales;

  int64_t inputStride() const { return getRowStride(layout.columns); }
  Value getTile(Value tile) { return getTileAddress(k, layout, weights, tile); }
  /// The group of scales of a block.
  Value getScaleGroup(Value block) { return k.div(block, codes->getBlocksPerScale()); }
  /// Whether rows of weights and of activations have one scale each, so that a dot product of whole
  /// rows is one sum of integers.
  bool isOneSum() const;

  const LinearKernel &spec;
  TiledLayout layout;
  std::unique_ptr<WeightDecoder> decoder; ///< null for plain weights
  const CodeDecoder *codes;               ///< null where activations are exact
  KernelBuilder k;
  Value rows, begin, end, weights, input, scales, sums, bias, residual, output, scratch;
};

/// Emits one linear kernel, on vectors of 16 lanes.
class LinearEmitter : public LinearFunction {
public:
  LinearEmitter(mlir::ModuleOp module, llvm::StringRef name, const LinearKernel &spec,
                const KernelTarget &target)
      : LinearFunction(module, name, spec, target), panelShape(Panel::get(layout, codes)) {}

  mlir::func::FuncOp emit();

private:
  Value zero() { return k.real(k.vector(k.f32()), 0.0); }
  /// Where a decoder reads a tile at this address.
  TilePlace getPlace(Value tile) {
    int64_t panels = spec.oneRow ? 0 : maxTilesAtOnce * panelShape.bytes;
    return {weights, tile, layout.isMasked() ? k.offset(scratch, panels) : Value()};
  }

  // Outputs.
  Value getOutputAddress(Value base, Value row, Value tile);
  /// Adds bias and residual to the sums of `row` and tile `tile`.
  Value finishSums(Value sum, Value row, Value tile);
  /// Stores 16 outputs; where rows have no padding the last tile's are stored one by one.
  void storeSums(Value sum, Value row, Value tile);
  /// Zeros the padding of a row beyond the last tile (16 floats at most).
  void storePadding(Value row, Value tile);

  // Listed weights.
  /// Adds products with what is listed in a tile to the sums of some rows, from `row` on.
  void addListed(llvm::MutableArrayRef<Value> sums, Value row, Value tile);
  /// The inputs of a row at 16 columns.
  Value gatherInputs(Value row, Value columns);

  // Rounded activations.
  /// The codes of a block of `row` as 8 vectors of 4 codes in all lanes.
  Values loadActivations(Value input, int64_t row);
  Value dot(llvm::ArrayRef<Value> weights, llvm::ArrayRef<Value> activations);
  /// Products of the codes of a block, and the sum of the activations that they are multiplied
  /// with: of one row whose codes start at `line`.
  struct BlockDot {
    Value products; ///< 16 i32
    Value codeSum;  ///< 16 i32; null where it is that of all of the block's
  };
  BlockDot dotBlock(Value tile, Value block, Value line);
  /// CodeDecoder::addDot.
  Value addDot(Value dot, const Scales &weightScales, Value scale, Value codeSum, Value sum) {
    return codes->addDot(k, dot, weightScales, scale, codeSum, sum);
  }

  /// What loops over blocks begin with where it is: that sum, and the activations' own.
  Values startSums() { return {k.integer(k.vector(k.i32()), 0), k.real(k.f32(), 0.0)}; }

  // One row (MatrixVector.cpp).
  void emitOneRow();
  void emitOneRowRounded(Value tile);
  /// The sum of a tile where it is one of integers.
  Value sumRowInOne(Value tile);
  void emitOneRowTiles(Value tile, int64_t count);
  Values addPlain(llvm::ArrayRef<Value> addresses, Values sums);
  Values addDecoded(llvm::ArrayRef<Value> addresses, Values sums);
  /// The same of kept weights that are floats as they are.
  Values addKeptFloats(const TiledPlane &plane, llvm::ArrayRef<Value> addresses, Values sums);
  void finishRow(llvm::ArrayRef<Value> sums, Value tile);
  /// Asks for what will be read `prefetchDistance` bytes after what block `block` reads.
  void prefetchBlock(Value tile, Value block);
  void prefetchRest(Value tile);
  /// Bytes of scales and tables for each block.
  int64_t getRestStep() const;
  void prefetchPlanes(Value tile, Value block);
  void prefetchKept(Value tile, Value block, int64_t tiles = 1);

  // Many rows (MatrixMatrix.cpp).
  void emitManyRows();
  void emitTiles(Value tile, int64_t tiles);
  /// A block of `height` rows, from `row` on, against `tiles` tiles.
  void emitBlock(Value tile, int64_t tiles, Value row, int64_t height);
  void decodePanel(Value tile, Value panel);
  void decodePanelBlock(Value tile, Value panel, Value block, int64_t inputs);
  void unpackPanel(Value tile, Value panel);
  Values sumPanels(Value tile, int64_t tiles, Value row, int64_t height);
  Values sumRounded(Value tile, int64_t tiles, Value row, int64_t height);
  Values sumInOne(Value tile, int64_t tiles, Value row, int64_t height);
  /// The unpacked codes of a block of a tile.
  Values loadPanel(Value tile, int64_t index, Value block);
  /// Scales and zero points of a group of an unpacked tile.
  Scales loadPanelScales(int64_t index, Value group);
  Value getPanel(int64_t index);

  Panel panelShape;
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_KERNELS_LINEAREMITTER_H
