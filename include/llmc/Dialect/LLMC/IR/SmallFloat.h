//===- SmallFloat.h - floats of 8 bits and fewer ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Types of floats that a byte holds: those of the OCP Microscaling Formats specification (v1.0,
// section 5.3) and of "FP8 formats for deep learning" (Micikevicius et al. 2022, section 3).
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_LLMC_IR_SMALLFLOAT_H
#define LLMC_DIALECT_LLMC_IR_SMALLFLOAT_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/bit.h"

#include <cstdint>
#include <optional>

namespace llmc {

/// Floats of a sign, a few bits of an exponent and a few of a fraction. A code is their bits.
struct SmallFloat {
  unsigned bits;         ///< of a code
  unsigned fractionBits; ///< behind the point
  int leastExponent;     ///< of a normal number
  unsigned largestCode;  ///< of a finite positive number

  /// Of f4E2M1FN, f6E2M3FN, f6E3M2FN, f8E4M3FN and f8E5M2; none for other types.
  static std::optional<SmallFloat> get(mlir::Type type);

  /// The code of the number that is nearest to `value`, half to even; beyond the largest finite
  /// number, that one. `value` is no NaN.
  unsigned encode(float value) const {
    auto raw = llvm::bit_cast<uint32_t>(value);
    int exponent = static_cast<int>(raw >> 23 & 0xff) - 127;
    exponent = exponent < leastExponent ? leastExponent : exponent;
    // Numbers of an exponent are multiples of 2^(exponent − fractionBits). Beyond 2^16, which is
    // more than any holds, all are alike.
    exponent = exponent > 16 ? 16 : exponent;
    auto power = static_cast<uint32_t>(127 + static_cast<int>(fractionBits) - exponent);
    float quanta = llvm::bit_cast<float>(raw & 0x7fffffff) * llvm::bit_cast<float>(power << 23);
    quanta = quanta < 64 ? quanta : 64;
    // Adding 2^23 rounds to an integer, half to even. Codes are in the order of the numbers: those
    // of an exponent begin 2^fractionBits above zero, and rounding up past the last of them gives
    // the first of the next.
    auto code = llvm::bit_cast<uint32_t>(quanta + 0x1p23f) - llvm::bit_cast<uint32_t>(0x1p23f) +
                (static_cast<uint32_t>(exponent - leastExponent) << fractionBits);
    return (raw >> 31 << (bits - 1)) | (code < largestCode ? code : largestCode);
  }
  /// What a code stands for. The codes of f8E4M3FN and f8E5M2 above the largest finite number's are
  /// infinities and NaN.
  float decode(unsigned code) const;
  float getLargest() const { return decode(largestCode); }
};

/// Whether numbers of `type` are floats of at most 8 bits: those above, or f8E8M0FNU, the powers of
/// two from 2^-127 to 2^127.
bool isByteFloat(mlir::Type type);

/// What a code of such a type stands for.
float decodeByteFloat(mlir::Type type, unsigned code);

/// Builds the code of the number that is nearest to each of `floats`, one f32 or a vector of them,
/// as SmallFloat::encode() finds it: integers of 32 bits. That of what is no number is 0.
mlir::Value buildSmallFloatCode(mlir::OpBuilder &builder, mlir::Location location,
                                const SmallFloat &type, mlir::Value floats);

/// The code of the number that is nearest to `value`; the largest or least where it is beyond. For
/// f8E8M0FNU `value` is positive, and a power of two where it must be exact.
unsigned encodeByteFloat(mlir::Type type, float value);

} // namespace llmc

#endif // LLMC_DIALECT_LLMC_IR_SMALLFLOAT_H
