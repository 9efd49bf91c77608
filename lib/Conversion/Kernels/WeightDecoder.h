//===- WeightDecoder.h - reading tiled weights inside a kernel ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_KERNELS_WEIGHTDECODER_H
#define LLMC_LIB_CONVERSION_KERNELS_WEIGHTDECODER_H

#include "KernelBuilder.h"
#include "llmc/Dialect/LLMC/IR/TiledLayout.h"

namespace llmc {

/// A name for a type of weights that may stand in a function's name.
std::string getWeightName(mlir::RankedTensorType type);

/// The decode step of grouped integers: one block of 32 inputs of a tile of 16 rows.
class WeightDecoder {
public:
  using Value = mlir::Value;
  using Values = KernelBuilder::Values;

  WeightDecoder(KernelBuilder &k, const TiledLayout &layout) : k(k), layout(layout) {}

  /// Scales of a group (16 floats), and zero points or minima (16 floats) where there are any.
  struct BlockScales {
    Value scales, zeros;
  };

  BlockScales loadFloatGroupScales(Value tile, Value group);
  /// Those of a block, for groups that are whole blocks.
  BlockScales loadFloatScales(Value tile, Value block) {
    return loadFloatGroupScales(tile, k.div(block, layout.scaleGroup / blockInputs));
  }

  /// The codes of a block as 8 vectors of 64 bytes, in the order that llmc.group_dot takes.
  Values loadCodes(Value tile, Value block);

  /// The values of a block: 32 vectors of the 16 rows.
  Values decodeBlock(Value tile, Value block);

private:
  /// Zero points as i32.
  BlockScales loadGroupScales(Value tile, Value group);

  KernelBuilder &k;
  const TiledLayout &layout;
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_KERNELS_WEIGHTDECODER_H
