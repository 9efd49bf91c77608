//===- DecodeWeights.h - weights in forms that only single operators read ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// MatMulBnb4 and MatMulNBits with inputs out of order become products with a matrix of numbers,
// GatherBlockQuantized of 4-bit types DequantizeLinear and Gather, and QuantizeLinear of a constant
// its integers. What they don't know they leave alone: the raise says what it expects. Failure
// comes with an error at the node.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_DECODEWEIGHTS_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_DECODEWEIGHTS_H

#include "llmc/Dialect/ONNX/IR/ONNX.h"

namespace llmc {

/// How much weights grew that were decoded into numbers.
struct DecodedSizes {
  int64_t matrices = 0, stored = 0, decoded = 0; ///< bytes
};

mlir::LogicalResult decodeBnb4(carrier::NodeOp node, DecodedSizes &sizes);
void decodePermutedNBits(carrier::NodeOp node, DecodedSizes &sizes);
void spellGatherBlockQuantized(carrier::NodeOp node);
mlir::LogicalResult foldQuantizeLinear(carrier::NodeOp node);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_DECODEWEIGHTS_H
