//===- FloatTest.cpp - reading floats of every width ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "EncodingTestSupport.h"
#include "llmc/Dialect/LLMC/IR/CanonicalForm.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/APFloat.h"
#include "gtest/gtest.h"

#include <cmath>
#include <cstring>

using namespace llmc;
using namespace llmc::test;

static uint32_t bitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

TEST(Float, EveryHalfWidensExactly) {
  mlir::MLIRContext context;
  mlir::Type half = mlir::Float16Type::get(&context);
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    float found = halfToFloat(bits);
    double expected = decodeFloat(bits, half);
    if (std::isnan(expected))
      EXPECT_TRUE(std::isnan(found)) << bits;
    else
      EXPECT_EQ(bitsOf(found), bitsOf(static_cast<float>(expected))) << bits;
  }
}

TEST(Float, ReadsLittleEndianWherePlanesAreNotAligned) {
  mlir::MLIRContext context;
  mlir::Builder builder(&context);
  // One byte of something else first.
  const uint8_t bytes[] = {0xaa, 0x00, 0x00, 0xc0, 0x3f, 0x00, 0x3c, 0x80, 0x3f};
  EXPECT_EQ(readFloat(bytes + 1, 0, builder.getF32Type()), 1.5f);
  EXPECT_EQ(readFloat(bytes + 1, 2, builder.getF16Type()), 1.0f);
  EXPECT_EQ(readFloat(bytes + 1, 3, builder.getBF16Type()), 1.0f);
}

TEST(Float, EveryBfloatWidensExactly) {
  mlir::MLIRContext context;
  mlir::Type type = mlir::BFloat16Type::get(&context);
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const uint8_t bytes[] = {static_cast<uint8_t>(bits), static_cast<uint8_t>(bits >> 8)};
    float found = readFloat(bytes, 0, type);
    double expected = decodeFloat(bits, type);
    if (std::isnan(expected))
      EXPECT_TRUE(std::isnan(found)) << bits;
    else
      EXPECT_EQ(bitsOf(found), bitsOf(static_cast<float>(expected))) << bits;
  }
}

/// Rounds by arithmetic that is not ours.
static uint16_t roundByAPFloat(float value, mlir::Type type) {
  llvm::APFloat rounded(value);
  bool lossy;
  rounded.convert(mlir::cast<mlir::FloatType>(type).getFloatSemantics(),
                  llvm::APFloat::rmNearestTiesToEven, &lossy);
  return static_cast<uint16_t>(rounded.bitcastToAPInt().getZExtValue());
}

TEST(Float, RoundsToTheNearestHalfToEven) {
  mlir::MLIRContext context;
  mlir::Builder builder(&context);
  for (mlir::Type type : {mlir::Type(builder.getF16Type()), mlir::Type(builder.getBF16Type())}) {
    auto expectRounded = [&](uint32_t bits) {
      float value;
      std::memcpy(&value, &bits, sizeof value);
      uint8_t bytes[2];
      writeFloat(bytes, 0, type, value);
      ASSERT_EQ(bytes[0] | bytes[1] << 8, roundByAPFloat(value, type)) << bits;
    };
    // Every sign, exponent and first bits, with what makes ties and their neighbours of the rest.
    for (uint32_t first = 0; first < 0x10000; ++first)
      for (uint32_t rest : {0x0000u, 0x0001u, 0x0fffu, 0x1000u, 0x1001u, 0x2fffu, 0x3000u, 0x3001u,
                            0x7fffu, 0x8000u, 0x8001u, 0xffffu})
        expectRounded(first << 16 | rest);
  }
}
