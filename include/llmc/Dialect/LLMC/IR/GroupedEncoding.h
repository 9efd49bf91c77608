//===- GroupedEncoding.h - grouped integers as bytes ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where the planes of `#llmc.grouped` lie in its canonical form, and how a code, a scale or a zero
// point is read from it.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_LLMC_IR_GROUPEDENCODING_H
#define LLMC_DIALECT_LLMC_IR_GROUPEDENCODING_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"

namespace llmc {

/// Byte offsets in the canonical form of a grouped matrix. Codes start at 0.
struct GroupedLayout {
  int64_t bytesPerRow; ///< of codes
  int64_t scaleOffset;
  int64_t zeroOffset; ///< of zero points (bytes) or minima; equals `size` where there are none
  int64_t size;
};

GroupedLayout getGroupedLayout(GroupedAttr encoding, llvm::ArrayRef<int64_t> shape);

/// The code of `column` in a row of codes.
unsigned readCode(const uint8_t *row, int64_t column, unsigned bits);

/// Sets the code of `column` in a row of codes whose bits are still zero.
void writeCode(uint8_t *row, int64_t column, unsigned bits, unsigned code);

/// The number at `index` of a plane of f32, f16 or bf16, widened to fp32.
float readFloat(const uint8_t *bytes, int64_t index, mlir::Type type);

/// Rounds `value` to f32, f16 or bf16 (half to even) and stores it at `index`.
void writeFloat(uint8_t *bytes, int64_t index, mlir::Type type, float value);

/// Widens an IEEE half-precision number exactly.
float halfToFloat(uint16_t half);

} // namespace llmc

#endif // LLMC_DIALECT_LLMC_IR_GROUPEDENCODING_H
