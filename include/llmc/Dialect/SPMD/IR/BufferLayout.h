//===- BufferLayout.h - how what a step computes lies in its buffers ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Activations are fp32, a row at every getRowStride(width) floats; who writes a row also writes
// zeros up to there. Rounded activations are three planes, each for all rows that a buffer has room
// for: codes, int8 [rows][stride]; scales, fp32 [rows][stride / 32], one per block of 32 inputs;
// sums, fp32 [rows][stride / 32], of the codes of a block.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_SPMD_IR_BUFFERLAYOUT_H
#define LLMC_DIALECT_SPMD_IR_BUFFERLAYOUT_H

#include "mlir/IR/BuiltinTypes.h"

#include <cstdint>

namespace llmc {

/// Whether values of the type are activations: rows of fp32, however many.
bool isActivations(mlir::Type type);
/// Whether they are activations rounded to integers.
bool isRoundedActivations(mlir::Type type);

/// Elements from one row of activations to the next.
inline int64_t getRowStride(int64_t width) { return (width + 31) / 32 * 32; }

/// The planes of rounded activations: bytes of a row, and where each starts.
struct RoundedLayout {
  int64_t codeRow, scaleRow, sumRow;
  int64_t scaleOffset, sumOffset;
  int64_t size;

  static RoundedLayout get(int64_t width, int64_t rows);
};

/// Bytes of a buffer for `rows` rows of a value of type `type`, activations or rounded activations.
int64_t getBufferBytes(mlir::RankedTensorType type, int64_t rows);

} // namespace llmc

#endif // LLMC_DIALECT_SPMD_IR_BUFFERLAYOUT_H
