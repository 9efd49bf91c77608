//===- FragmentEmitter.h - linear kernels of matrix products ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Codes of weights times rounded activations by nvvm.mma.sync m16n8k32: the 16 rows of a tile by 8
// rows of activations, over the 32 inputs of a block, so that 1 to 8 rows cost the same. Written
// for one thread of a worker, which is a block of a few warps, not for lanes.
//
// Thread T of a warp has, where g = T / 4 and t = T mod 4 (PTX ISA, "Matrix Fragments for
// mma.m16n8k32"):
//
//   of the weights       rows g and g + 8, inputs 4t … 4t + 3 and 16 + 4t … 16 + 4t + 3
//   of the activations   row g, the same inputs
//   of the products      weights' rows g and g + 8, activations' rows 2t and 2t + 1
//
// A sum over inputs has no order while it is one of integers: for inputs 4t … and 16 + 4t … thread
// T takes those of the block from 8t on, four and four, which stand side by side in activations
// and, in 4 bits, in one word of a line of weights (TiledLayout.h). So weights are fragments as
// they lie, and one file serves CPUs and GPUs: the 8 words of a line that a load of a warp reads
// are one sector of memory.
//
// What is done with the sums of blocks, and its order, is LinearEmitter's: the same bits.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_KERNELS_FRAGMENTEMITTER_H
#define LLMC_LIB_CONVERSION_KERNELS_FRAGMENTEMITTER_H

#include "LinearEmitter.h"

#include <array>

namespace llmc {

/// Emits one linear kernel that usesFragments().
class FragmentEmitter : public LinearFunction {
public:
  using LinearFunction::LinearFunction;

  mlir::func::FuncOp emit();

private:
  static constexpr int64_t warpThreads = 32;
  /// Rows of activations in a fragment, and inputs of which a thread has those of one row.
  static constexpr int64_t fragmentRows = 8, threadInputs = 8;
  /// Fragments of activations that weights are decoded for once.
  static constexpr int64_t mostFragments = 4;

  /// Where the thread reads for some fragments of activations.
  struct Places {
    Value tile;
    Values codes;        ///< of a row of activations for each fragment
    Values scales, sums; ///< of two rows for each
  };

  Value clampRow(Value row) { return k.min(row, k.add(rows, -1)); }
  Value constant(int64_t value) { return k.integer(k.i32(), value); }
  Places findPlaces(Value tile, Value firstRow, int64_t fragments);

  // Fragments.
  Values loadWeights(Value tile, Value block);
  Values loadActivations(Value codes, Value block);
  /// The four products of a thread.
  Values multiply(llvm::ArrayRef<Value> weights, llvm::ArrayRef<Value> activations,
                  mlir::ValueRange sums);
  /// Of the thread's two rows of weights.
  std::array<Scales, 2> loadScales(Value tile, Value group);
  Value loadOfBlock(Value place, Value block) {
    return k.load(k.f32(), k.offset(place, k.mul(block, 4)));
  }

  // Many rows: a warp does all of a tile.
  void emitFragments(Value tile, Value first);
  Values sumBlocks(const Places &places);
  Values sumInOne(const Places &places);
  void store(Value tile, Value firstRow, llvm::ArrayRef<Value> sums);

  // Few rows: all warps do a tile together (FragmentRounds.cpp).
  void emitTogether(Value tile, Value first);
  /// Of all warps at once, each of which does so many.
  int64_t getBlocksOfWarp() const;
  int64_t getEntryBytes() const;
  Values addRounds(const Places &places, Value tile);
  Values addRound(const Places &places, Value block, int64_t count, Value buffer,
                  mlir::ValueRange sums);
  void multiplyBlock(const Places &places, Value block, Value entry);
  Value addEntry(Value entry, Value output, Value sum);
  Values addInOneTogether(const Places &places, Value firstRow);
  void storePartialSums(const Places &places);
  void storeOutputs(Value tile, Value firstRow, llvm::ArrayRef<Value> sums);
  void prefetch(Value tile, Value block);
  void waitForBlock();
  /// Outputs of a tile and a fragment that a thread adds, and the one at `index` of them.
  int64_t getOutputs() const;
  Value getOutput(int64_t index);
  /// The address of a place in the memory that a block's threads share.
  Value shared(Value bytes);
  void reserveShared(int64_t bytes);

  // Outputs.
  void storeSum(Value sum, Value tile, Value row, Value inTile);

  Value thread, warp;         ///< in the block
  Value lane, group, quarter; ///< T, g and t
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_KERNELS_FRAGMENTEMITTER_H
