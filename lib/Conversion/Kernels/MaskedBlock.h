//===- MaskedBlock.h - reading kept weights inside a kernel ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_KERNELS_MASKEDBLOCK_H
#define LLMC_LIB_CONVERSION_KERNELS_MASKEDBLOCK_H

#include "KernelBuilder.h"
#include "llmc/Dialect/LLMC/IR/TiledLayout.h"

namespace llmc {

/// The weights of a block of a tile of which some are kept (TiledLayout.h), at the places of all.
class MaskedBlock {
public:
  using Value = mlir::Value;
  using Values = KernelBuilder::Values;

  /// `scratch` is as TilePlace has it.
  MaskedBlock(KernelBuilder &k, const TiledLayout &layout, Value tile, Value block,
              Value scratch = {});

  /// Where the kept weights of a plane stand.
  Value getAddress(const TiledPlane &plane) const;
  /// The integers of a plane of kept weights as 8 vectors of 64 bytes, four of each row in one;
  /// bytes of `others`, which are 64, where none is kept.
  Values loadBytes(const TiledPlane &plane, Value others) const;
  /// Elements of a plane of kept weights: a vector of the 16 rows for each of 32 inputs, as i32 or
  /// as floats; 0 where none is kept.
  Values loadElements(const TiledPlane &plane) const;
  /// 1 for weights that are kept, as i32, in the same form.
  Values getMask() const;

  /// Where the next floats of a plane stand, which are more than a byte each.
  struct FloatCursor {
    Value from;
    int64_t input = 0;
  };
  FloatCursor getFirstFloats(const TiledPlane &plane) const { return {getAddress(plane)}; }
  /// The floats of the next inputs, of which there is a whole number of times as many in a block: a
  /// vector of the 16 rows for each; 0 where none is kept. `cursor` moves behind them.
  Values loadFloats(const TiledPlane &plane, FloatCursor &cursor) const;

private:
  /// Bits of the integers of a word of the mask: `width` of each byte from `from` on, from bit
  /// `shift` on, which are the integers' from bit `place` on.
  struct Part {
    Value from;
    int64_t word;
    unsigned width;
    int64_t shift;
    unsigned place;
  };
  using PartVisitor = llvm::function_ref<void(const Part &part)>;
  /// Visits all of a plane's. `count` says how many weights of a word are kept.
  void visitParts(const TiledPlane &plane, llvm::function_ref<Value(int64_t word)> count,
                  PartVisitor visit) const;
  /// loadBytes() by shuffles.
  Values shuffleBytes(const TiledPlane &plane, Value others) const;
  Values loadAllFloats(const TiledPlane &plane) const;
  /// The four inputs of each 64 bytes as i32.
  Values split(llvm::ArrayRef<Value> lines) const;

  KernelBuilder &k;
  const TiledLayout &layout;
  Value tile, block, scratch;
  Value line;   ///< the address of the mask
  Values words; ///< of the mask
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_KERNELS_MASKEDBLOCK_H
