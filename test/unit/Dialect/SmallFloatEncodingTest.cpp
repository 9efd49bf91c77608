//===- SmallFloatEncodingTest.cpp - floats of a byte or less, and #llmc.float ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SmallFloatTestSupport.h"
#include "llmc/Dialect/LLMC/IR/SmallFloat.h"

#include "mlir/IR/Diagnostics.h"
#include "gtest/gtest.h"

#include <cmath>

using namespace llmc;
using namespace llmc::test;

namespace {

class SmallFloats : public ::testing::Test {
protected:
  SmallFloats() { context.loadDialect<LLMCDialect>(); }

  std::vector<mlir::Type> getElements() {
    return {builder.getType<mlir::Float4E2M1FNType>(), builder.getType<mlir::Float6E2M3FNType>(),
            builder.getType<mlir::Float6E3M2FNType>(), builder.getType<mlir::Float8E4M3FNType>(),
            builder.getType<mlir::Float8E5M2Type>()};
  }

  mlir::MLIRContext context;
  mlir::Builder builder{&context};
};

/// The number of a type that LLVM rounds to, the largest where that is beyond.
double roundByLLVM(mlir::Type type, float value) {
  llvm::APFloat number(value);
  bool lossy;
  const llvm::fltSemantics &semantics = mlir::cast<mlir::FloatType>(type).getFloatSemantics();
  double largest = llvm::APFloat::getLargest(semantics).convertToDouble();
  number.convert(semantics, llvm::APFloat::rmNearestTiesToEven, &lossy);
  double rounded = number.convertToDouble();
  return std::fabs(rounded) <= largest ? rounded : std::copysign(largest, value);
}

} // namespace

TEST_F(SmallFloats, CodesStandForWhatLLVMSays) {
  std::vector<mlir::Type> types = getElements();
  types.push_back(builder.getType<mlir::Float8E8M0FNUType>());
  for (mlir::Type type : types)
    for (unsigned code = 0; code < 1u << type.getIntOrFloatBitWidth(); ++code) {
      float found = decodeByteFloat(type, code);
      double expected = decodeBits(type, code);
      // LLVM makes of the greatest power of two, which stands for no number, infinity.
      if (std::isnan(expected) || (type == types.back() && code == 255)) {
        EXPECT_TRUE(std::isnan(found)) << code;
        continue;
      }
      EXPECT_EQ(found, expected) << code;
      if (std::isfinite(expected)) {
        EXPECT_EQ(encodeByteFloat(type, found), code);
      }
    }
}

TEST_F(SmallFloats, RoundsAsLLVMDoes) {
  std::mt19937_64 random(3);
  std::uniform_real_distribution<float> exponents(-20, 18), signs(-1, 1);
  for (mlir::Type type : getElements()) {
    SmallFloat small = *SmallFloat::get(type);
    auto check = [&](float value) {
      float found = small.decode(small.encode(value));
      EXPECT_EQ(found, roundByLLVM(type, value)) << value;
      EXPECT_EQ(std::signbit(found), std::signbit(value)) << value;
    };
    for (int i = 0; i < 100000; ++i)
      check(std::copysign(std::exp2(exponents(random)), signs(random)));
    // Halfway between two numbers, and beside it.
    for (unsigned code = 0; code < small.largestCode; ++code) {
      float middle = (small.decode(code) + small.decode(code + 1)) / 2;
      for (float value : {middle, std::nextafter(middle, 0.0f), std::nextafter(middle, 1e9f)})
        check(value);
    }
    for (float value : {0.0f, -0.0f, 0x1p-149f, 3e38f, -3e38f})
      check(value);
    EXPECT_EQ(small.encode(INFINITY), small.largestCode);
  }
}

TEST_F(SmallFloats, PowersOfTwo) {
  mlir::Type type = builder.getType<mlir::Float8E8M0FNUType>();
  for (auto [value, power] : {std::pair(1.4f, 1.0f),
                              {1.5f, 2.0f},
                              {0x1p-140f, 0x1p-127f},
                              {3e38f, 0x1p127f},
                              {0.0f, 0x1p-127f},
                              {INFINITY, 0x1p127f}})
    EXPECT_EQ(decodeByteFloat(type, encodeByteFloat(type, value)), power) << value;
}

TEST_F(SmallFloats, DecodesItsCanonicalForm) {
  for (int64_t group :
       {int64_t(1), int64_t(7), int64_t(32), GroupedAttr::channelGroup, GroupedAttr::tensorGroup})
    for (SmallFloatAttr attribute : getSmallFloats(builder, group))
      for (int64_t columns : {int64_t(1), int64_t(77), int64_t(128)}) {
        SmallFloatMatrix matrix = SmallFloatMatrix::random(attribute, 3, columns, 5);
        const int64_t shape[] = {3, columns};
        EncodingInterface encoding = attribute;
        std::vector<uint8_t> bytes = matrix.getCanonicalForm();
        auto size =
            encoding.getByteSize(shape, [&] { return mlir::emitError(builder.getUnknownLoc()); });
        ASSERT_TRUE(mlir::succeeded(size));
        ASSERT_EQ(*size, static_cast<int64_t>(bytes.size()));
        std::vector<float> values(columns);
        for (int64_t row = 0; row < 3; ++row) {
          encoding.decodeRow(bytes, shape, row, values);
          for (int64_t column = 0; column < columns; ++column)
            ASSERT_EQ(values[column], static_cast<float>(matrix.getValue(row, column)))
                << row << ", " << column;
        }
      }
}

TEST_F(SmallFloats, BitsPerWeight) {
  mlir::Type fp4 = builder.getType<mlir::Float4E2M1FNType>(),
             fp8 = builder.getType<mlir::Float8E4M3FNType>();
  auto bits = [&](mlir::Type element, int64_t group, mlir::Type scale, mlir::Type matrix) {
    return EncodingInterface(SmallFloatAttr::get(&context, element, group, scale, matrix))
        .getBitsPerWeight({64, 128});
  };
  EXPECT_EQ(bits(fp4, 32, builder.getType<mlir::Float8E8M0FNUType>(), {}), 4.25);
  EXPECT_EQ(bits(fp4, 16, fp8, builder.getF32Type()), 4.5 + 32.0 / (64 * 128));
  EXPECT_EQ(bits(fp8, GroupedAttr::channelGroup, builder.getF16Type(), {}), 8.125);
}
