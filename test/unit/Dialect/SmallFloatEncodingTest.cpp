//===- SmallFloatEncodingTest.cpp - floats of a byte or less, and #llmc.float ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SmallFloatTestSupport.h"
#include "llmc/Dialect/LLMC/IR/CanonicalForm.h"
#include "llmc/Dialect/LLMC/IR/SmallFloat.h"

#include "mlir/AsmParser/AsmParser.h"
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

/// What other tools write of one matrix of 2 × 32 weights, and what they read back.
struct Foreign {
  std::string encoding;
  std::vector<uint8_t> codes, scales;
  std::vector<float> matrix, values;
};

// By compressed-tensors 0.20.1 (nvfp4-pack-quantized, mxfp4-, mxfp6- and mxfp8-): weight_packed, or
// weight, and weight_scale. ModelOpt 0.47.0 writes the same for NVFP4; the scale of the matrix and
// the values are its own (weight_scale_2, to which compressed-tensors' weight_global_scale is the
// inverse).
std::vector<Foreign> getForeign() {
  std::vector<Foreign> all;
  // What is read of f6E2M3FN and of f8E4M3FN, both of which have three bits of a fraction.
  const std::vector<float> fine = {
      -1.25f,  -0.625f, 0.375f,   -0.8125f, 0.9375f, 0.5f,   0.4375f,  0.75f,   -1.125f, -0.0625f,
      -1.25f,  0.625f,  0.25f,    0.25f,    0.625f,  -1.25f, -0.0625f, -1.125f, 0.75f,   0.4375f,
      0.5f,    0.9375f, -0.8125f, 0.375f,   -0.625f, -1.25f, 1.0f,     1.25f,   -0.875f, 0.0f,
      1.25f,   0.3125f, -0.875f,  0.375f,   2.5f,    0.0f,   -1.625f,  -2.5f,   2.5f,    -2.0f,
      -0.625f, 1.5f,    -0.75f,   -2.25f,   2.0f,    2.0f,   -2.25f,   -0.75f,  1.5f,    -0.625f,
      -2.0f,   2.5f,    -2.5f,    -1.625f,  0.0f,    2.5f,   0.375f,   -0.875f, -1.375f, -1.125f,
      -0.125f, 1.625f,  -1.0f,    2.25f};
  all.push_back(
      {"#llmc.float<f4E2M1FN, group = 16, scale = f8E4M3FN, matrix = f32>",
       {223, 228, 70,  100, 159, 95,  34,  245, 249, 70,  100, 78,  253, 119, 14,  55,
        44,  7,   254, 231, 107, 252, 119, 207, 182, 126, 239, 112, 194, 221, 105, 124},
       {118, 118, 126, 126},
       {9.30059527e-04f},
       {-1.25f,        -0.625f,      0.416666657f,  -0.833333313f, 0.833333313f,  0.416666657f,
        0.416666657f,  0.833333313f, -1.25f,        -0.104166664f, -1.25f,        0.625f,
        0.208333328f,  0.208333328f, 0.625f,        -1.25f,        -0.104166664f, -1.25f,
        0.833333313f,  0.416666657f, 0.416666657f,  0.833333313f,  -0.833333313f, 0.416666657f,
        -0.625f,       -1.25f,       1.25f,         1.25f,         -0.833333313f, 0.0f,
        1.25f,         0.3125f,      -0.833333313f, 0.416666657f,  2.5f,          0.0f,
        -1.66666663f,  -2.5f,        2.5f,          -1.66666663f,  -0.625f,       1.66666663f,
        -0.833333313f, -2.5f,        2.5f,          2.5f,          -2.5f,         -0.833333313f,
        1.66666663f,   -0.625f,      -1.66666663f,  2.5f,          -2.5f,         -1.66666663f,
        0.0f,          2.5f,         0.416666657f,  -0.833333313f, -1.25f,        -1.25f,
        -0.208333328f, 1.66666663f,  -0.833333313f, 2.5f}});
  all.push_back({"#llmc.float<f4E2M1FN, group = 32, scale = f8E8M0FNU>",
                 {206, 211, 70,  84,  142, 78,  34,  228, 232, 69,  100, 61, 236, 102, 14, 38,
                  44,  6,   237, 230, 90,  235, 102, 190, 165, 110, 222, 96, 194, 205, 88, 108},
                 {125, 126},
                 {},
                 {-1.0f,  -0.5f,  0.375f, -0.75f, 1.0f,  0.5f,  0.5f,  0.75f, -1.0f, -0.0f,  -1.0f,
                  0.5f,   0.25f,  0.25f,  0.5f,   -1.0f, -0.0f, -1.0f, 0.75f, 0.5f,  0.5f,   1.0f,
                  -0.75f, 0.375f, -0.5f,  -1.0f,  1.0f,  1.0f,  -1.0f, 0.0f,  1.0f,  0.25f,  -1.0f,
                  0.5f,   2.0f,   0.0f,   -1.5f,  -2.0f, 2.0f,  -2.0f, -0.5f, 1.5f,  -0.75f, -2.0f,
                  2.0f,   2.0f,   -2.0f,  -0.75f, 1.5f,  -0.5f, -2.0f, 2.0f,  -2.0f, -1.5f,  0.0f,
                  2.0f,   0.5f,   -1.0f,  -1.5f,  -1.0f, -0.0f, 1.5f,  -1.0f, 2.0f}});
  all.push_back({"#llmc.float<f6E2M3FN, group = 32, scale = f8E8M0FNU>",
                 {186, 204, 212, 23,  228, 80,  185, 168, 75,  8,   34,  233, 98,  78,  57, 208,
                  85,  51,  178, 142, 105, 54,  160, 41,  174, 161, 1,   181, 174, 225, 42, 197,
                  230, 24,  150, 179, 148, 138, 107, 122, 13,  104, 134, 59,  199, 98,  5,  103},
                 {125, 126},
                 {},
                 fine});
  all.push_back({"#llmc.float<f8E4M3FN, group = 32, scale = f8E8M0FNU>",
                 {250, 242, 108, 245, 119, 112, 110, 116, 249, 216, 250, 114, 104, 104, 114, 250,
                  216, 249, 116, 110, 112, 119, 245, 108, 242, 250, 120, 122, 246, 0,   122, 106,
                  238, 100, 122, 0,   245, 250, 122, 248, 234, 116, 236, 249, 120, 120, 249, 236,
                  116, 234, 248, 122, 250, 245, 0,   122, 100, 238, 243, 241, 216, 117, 240, 121},
                 {119, 120},
                 {},
                 fine});
  return all;
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

TEST_F(SmallFloats, ReadsWhatOthersWrite) {
  for (const Foreign &foreign : getForeign()) {
    auto encoding = mlir::cast<SmallFloatAttr>(mlir::parseAttribute(foreign.encoding, &context));
    const int64_t rows = 2, columns = 32, shape[] = {rows, columns};
    auto form = CanonicalForm::get(encoding, shape);
    std::vector<uint8_t> bytes(form.size);
    auto place = [&](unsigned plane, llvm::ArrayRef<uint8_t> from) {
      ASSERT_EQ(static_cast<int64_t>(from.size()), form[plane].getByteSize()) << foreign.encoding;
      std::copy(from.begin(), from.end(), bytes.begin() + form[plane].offset);
    };
    place(SmallFloatAttr::codes, foreign.codes);
    place(SmallFloatAttr::scales, foreign.scales);
    if (!foreign.matrix.empty())
      place(SmallFloatAttr::matrix,
            {reinterpret_cast<const uint8_t *>(foreign.matrix.data()), sizeof(float)});
    std::vector<float> row(columns);
    for (int64_t i = 0; i < rows * columns; ++i) {
      if (i % columns == 0)
        mlir::cast<EncodingInterface>(encoding).decodeRow(bytes, shape, i / columns, row);
      EXPECT_NEAR(row[i % columns], foreign.values[i], 2e-7 * std::fabs(foreign.values[i]))
          << foreign.encoding << " " << i;
    }
  }
}
