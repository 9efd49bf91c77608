//===- MaskedEncodingTest.cpp - bytes and values of #llmc.masked ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MaskedTestSupport.h"
#include "llmc/Dialect/LLMC/IR/CanonicalForm.h"
#include "llmc/Dialect/LLMC/IR/TiledLayout.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Diagnostics.h"
#include "gtest/gtest.h"

using namespace llmc;
using namespace llmc::test;

namespace {

class MaskedEncoding : public ::testing::Test {
protected:
  MaskedEncoding() { context.loadDialect<LLMCDialect>(); }

  mlir::InFlightDiagnostic emitError() { return mlir::emitError(builder.getUnknownLoc()); }

  static std::vector<float> decode(EncodingInterface encoding, llvm::ArrayRef<int64_t> shape,
                                   llvm::ArrayRef<uint8_t> bytes) {
    std::vector<float> values(shape[0] * shape[1]);
    for (int64_t row = 0; row < shape[0]; ++row)
      encoding.decodeRow(bytes, shape, row,
                         llvm::MutableArrayRef(values).slice(row * shape[1], shape[1]));
    return values;
  }

  mlir::MLIRContext context;
  mlir::Builder builder{&context};
};

} // namespace

TEST_F(MaskedEncoding, DecodesItsCanonicalForm) {
  for (double share : {0.1, 0.5, 0.9})
    for (unsigned bits : {2u, 3u, 4u, 8u})
      for (int64_t group : {int64_t(32), GroupedAttr::channelGroup, GroupedAttr::tensorGroup})
        for (ZeroPoint zero : {ZeroPoint::None, ZeroPoint::Integer, ZeroPoint::Float}) {
          EncodingCase spec{bits, group, zero, builder.getF16Type(), 9, 77};
          MaskedMatrix matrix = MaskedMatrix::random(share, spec, 11);
          EncodingInterface encoding = matrix.getAttr();
          const int64_t shape[] = {spec.rows, spec.columns};
          std::vector<uint8_t> bytes = matrix.getCanonicalForm();
          auto size = encoding.getByteSize(shape, [&] { return emitError(); });
          ASSERT_TRUE(mlir::succeeded(size));
          ASSERT_EQ(*size, static_cast<int64_t>(bytes.size())) << spec.describe();
          EXPECT_EQ(matrix.getAttr().pack(matrix.whole.getCanonicalForm(), shape, matrix.kept),
                    bytes);
          std::vector<float> values = decode(encoding, shape, bytes);
          llvm::SmallVector<bool> kept(spec.columns);
          for (int64_t row = 0; row < spec.rows; ++row) {
            matrix.getAttr().readMask(bytes, shape, row, kept);
            for (int64_t column = 0; column < spec.columns; ++column) {
              ASSERT_EQ(values[row * spec.columns + column],
                        static_cast<float>(matrix.getValue(row, column)))
                  << spec.describe() << " at " << row << ", " << column;
              ASSERT_EQ(kept[column], matrix.isKept(row, column));
            }
          }
        }
}

TEST_F(MaskedEncoding, KeepsFloatsAsTheyAre) {
  const int64_t shape[] = {9, 45};
  for (mlir::Type type : {mlir::Type(builder.getF32Type()), mlir::Type(builder.getF16Type()),
                          mlir::Type(builder.getBF16Type())}) {
    auto kept = makeMask(shape[0], shape[1], 0.5, 3);
    std::vector<uint8_t> dense(kept.size() * type.getIntOrFloatBitWidth() / 8);
    for (size_t i = 0; i < kept.size(); ++i)
      writeFloat(dense.data(), static_cast<int64_t>(i), type, 0.25f * static_cast<float>(i) - 20);
    auto masked = MaskedAttr::get(&context, llvm::count(kept, true), mlir::TypeAttr::get(type));
    std::vector<float> values = decode(masked, shape, masked.pack(dense, shape, kept));
    for (size_t i = 0; i < kept.size(); ++i)
      EXPECT_EQ(values[i], kept[i] ? readFloat(dense.data(), static_cast<int64_t>(i), type) : 0.0f)
          << i;
  }
}

TEST_F(MaskedEncoding, BitsPerWeight) {
  auto bits = [&](mlir::Attribute inner) {
    return EncodingInterface(MaskedAttr::get(&context, 256, inner)).getBitsPerWeight({4, 128});
  };
  mlir::Type f16 = builder.getF16Type();
  EXPECT_EQ(bits(GroupedAttr::get(&context, 4, 32, ZeroPoint::None, f16)), 3.5);
  EXPECT_EQ(bits(NF4Attr::get(&context, 64, f16)), 3.25);
  EXPECT_EQ(bits(mlir::TypeAttr::get(f16)), 9);
}

// A file's mask may have any bits: weights beyond those that there are are zero, in tiles too.
TEST_F(MaskedEncoding, MasksOfAnyBytesReadNothingElse) {
  for (int64_t ofKept : {1, 9, 70}) {
    auto masked = MaskedAttr::get(&context, ofKept, mlir::TypeAttr::get(builder.getF32Type()));
    const int64_t shape[] = {3, 35};
    auto form = CanonicalForm::get(masked, shape);
    std::vector<uint8_t> bytes(form.size, 0xff);
    for (int64_t i = 0; i < ofKept; ++i)
      form[1].write(bytes.data(), 0, i, static_cast<float>(i + 1));
    std::vector<float> values = decode(masked, shape, bytes);
    for (int64_t i = 0; i < 3 * 35; ++i)
      EXPECT_EQ(values[i], i < ofKept ? static_cast<float>(i + 1) : 0.0f);
    auto type = mlir::RankedTensorType::get(shape, builder.getF32Type(), masked);
    TiledLayout layout = TiledLayout::get(type);
    std::vector<uint8_t> packed(getPackedSize(layout, bytes));
    packTile(layout, bytes, 0, packed.data());
    packKept(layout, bytes, packed.data());
    // All 105 weights of the mask, and what can be read behind them.
    EXPECT_EQ(packed.size(), layout.tileBytes + 105 * 4 + 64u);
  }
}

TEST_F(MaskedEncoding, SaysWhichWeightsAreIntegers) {
  auto codes = [&](mlir::Attribute inner) {
    return EncodingInterface(MaskedAttr::get(&context, 7, inner)).getLinearCodes();
  };
  mlir::Type f16 = builder.getF16Type();
  auto grouped = [&](ZeroPoint zero) { return GroupedAttr::get(&context, 4, 32, zero, f16); };
  ASSERT_TRUE(codes(grouped(ZeroPoint::None)));
  EXPECT_TRUE(codes(grouped(ZeroPoint::None))->masked);
  EXPECT_EQ(codes(grouped(ZeroPoint::None))->zero, 8);
  EXPECT_EQ(codes(grouped(ZeroPoint::Integer))->zeros, 3u);
  EXPECT_FALSE(codes(grouped(ZeroPoint::Float)));
  EXPECT_FALSE(codes(NF4Attr::get(&context, 64, f16)));
  EXPECT_FALSE(codes(mlir::TypeAttr::get(f16)));
}
