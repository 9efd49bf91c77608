//===- FloatTest.cpp - reading floats of every width ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "EncodingTestSupport.h"
#include "llmc/Dialect/LLMC/IR/CanonicalForm.h"

#include "mlir/IR/Builders.h"
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
