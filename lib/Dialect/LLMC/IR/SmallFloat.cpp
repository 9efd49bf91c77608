//===- SmallFloat.cpp - floats of 8 bits and fewer ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/LLMC/IR/SmallFloat.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace mlir;
using namespace llmc;

std::optional<SmallFloat> SmallFloat::get(Type type) {
  if (isa<Float4E2M1FNType>(type))
    return SmallFloat{4, 1, 0, 0x7};
  if (isa<Float6E2M3FNType>(type))
    return SmallFloat{6, 3, 0, 0x1f};
  if (isa<Float6E3M2FNType>(type))
    return SmallFloat{6, 2, -2, 0x1f};
  if (isa<Float8E4M3FNType>(type))
    return SmallFloat{8, 3, -6, 0x7e};
  if (isa<Float8E5M2Type>(type))
    return SmallFloat{8, 2, -14, 0x7b};
  return std::nullopt;
}

float SmallFloat::decode(unsigned code) const {
  unsigned magnitude = code & ((1u << (bits - 1)) - 1);
  float sign = code >> (bits - 1) & 1 ? -1.0f : 1.0f;
  unsigned fraction = magnitude & ((1u << fractionBits) - 1), exponent = magnitude >> fractionBits;
  if (magnitude > largestCode)
    return magnitude == largestCode + 1 && fractionBits == 2
               ? sign * std::numeric_limits<float>::infinity()
               : std::numeric_limits<float>::quiet_NaN();
  if (exponent != 0)
    fraction += (1u << fractionBits);
  int power =
      leastExponent + std::max(static_cast<int>(exponent), 1) - 1 - static_cast<int>(fractionBits);
  return sign * std::ldexp(static_cast<float>(fraction), power);
}

bool llmc::isByteFloat(Type type) {
  return isa<Float8E8M0FNUType>(type) || SmallFloat::get(type).has_value();
}

float llmc::decodeByteFloat(Type type, unsigned code) {
  if (std::optional<SmallFloat> small = SmallFloat::get(type))
    return small->decode(code);
  if (code == 0xff)
    return std::numeric_limits<float>::quiet_NaN();
  return std::ldexp(1.0f, static_cast<int>(code) - 127);
}

unsigned llmc::encodeByteFloat(Type type, float value) {
  if (std::optional<SmallFloat> small = SmallFloat::get(type))
    return small->encode(value);
  if (!(value > 0))
    return 0;
  if (!std::isfinite(value))
    return 254;
  int exponent;
  // In [0.5, 1) · 2^exponent; halfway between two powers is the upper one.
  float fraction = std::frexp(value, &exponent);
  if (fraction < 0.75f)
    --exponent;
  return static_cast<unsigned>(std::clamp(exponent, -127, 127) + 127);
}

Value llmc::buildSmallFloatCode(OpBuilder &builder, Location location, const SmallFloat &type,
                                Value floats) {
  ImplicitLocOpBuilder b(location, builder);
  auto like = [&](Type element) -> Type {
    auto shaped = dyn_cast<VectorType>(floats.getType());
    return shaped ? Type(shaped.clone(element)) : element;
  };
  Type integers = like(b.getI32Type());
  auto integer = [&](int64_t value) -> Value {
    TypedAttr number = b.getI32IntegerAttr(static_cast<int32_t>(value));
    if (auto shaped = dyn_cast<VectorType>(integers))
      number = DenseElementsAttr::get(shaped, Attribute(number));
    return arith::ConstantOp::create(b, number);
  };
  auto asFloats = [&](Value bits) -> Value {
    return arith::BitcastOp::create(b, floats.getType(), bits);
  };
  // Of positive floats, whose bits are in the order of the numbers.
  auto least = [&](Value x, int64_t limit) -> Value {
    return arith::MinSIOp::create(b, x, integer(limit));
  };
  Value isNumber = arith::CmpFOp::create(b, arith::CmpFPredicate::ORD, floats, floats);
  Value raw = arith::BitcastOp::create(b, integers, floats);
  raw = arith::SelectOp::create(b, isNumber, raw, integer(0));
  Value magnitude = arith::AndIOp::create(b, raw, integer(0x7fffffff));
  // Multiples of 2^(exponent − fractionBits), as encode() has them.
  constexpr int64_t bias = 127, fraction = 23, largestExponent = 16;
  Value exponent = arith::ShRUIOp::create(b, magnitude, integer(fraction));
  exponent = arith::MaxSIOp::create(b, exponent, integer(bias + type.leastExponent));
  exponent = least(exponent, bias + largestExponent);
  Value power = arith::SubIOp::create(b, integer(2 * bias + type.fractionBits), exponent);
  power = arith::ShLIOp::create(b, power, integer(fraction));
  Value quanta = arith::MulFOp::create(b, asFloats(magnitude), asFloats(power));
  constexpr float mostQuanta = 64, toInteger = 0x1p23f;
  quanta = asFloats(
      least(arith::BitcastOp::create(b, integers, quanta), llvm::bit_cast<int32_t>(mostQuanta)));
  Value added = asFloats(integer(llvm::bit_cast<int32_t>(toInteger)));
  Value code = arith::BitcastOp::create(b, integers, arith::AddFOp::create(b, quanta, added));
  code = arith::SubIOp::create(b, code, integer(llvm::bit_cast<int32_t>(toInteger)));
  Value above = arith::SubIOp::create(b, exponent, integer(bias + type.leastExponent));
  above = arith::ShLIOp::create(b, above, integer(type.fractionBits));
  code = least(arith::AddIOp::create(b, code, above), type.largestCode);
  constexpr int64_t signBit = 31;
  Value sign = arith::ShRUIOp::create(b, raw, integer(signBit));
  sign = arith::ShLIOp::create(b, sign, integer(type.bits - 1));
  return arith::OrIOp::create(b, code, sign);
}
