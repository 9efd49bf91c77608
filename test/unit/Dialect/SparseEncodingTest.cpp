//===- SparseEncodingTest.cpp - bytes and values of #llmc.sparse ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseTestSupport.h"
#include "llmc/Dialect/LLMC/IR/CanonicalForm.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Diagnostics.h"
#include "gtest/gtest.h"

using namespace llmc;
using namespace llmc::test;

namespace {

class SparseEncoding : public ::testing::Test {
protected:
  SparseEncoding() { context.loadDialect<LLMCDialect>(); }

  mlir::InFlightDiagnostic emitError() { return mlir::emitError(builder.getUnknownLoc()); }

  std::vector<float> decode(EncodingInterface encoding, llvm::ArrayRef<int64_t> shape,
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

const std::pair<int64_t, int64_t> patterns[] = {{1, 2}, {1, 4},  {2, 4}, {1, 8},
                                                {2, 8}, {1, 16}, {2, 16}};

} // namespace

TEST_F(SparseEncoding, DecodesItsCanonicalForm) {
  for (auto [count, of] : patterns)
    for (unsigned bits : {2u, 3u, 4u, 8u})
      for (int64_t group : {int64_t(32), GroupedAttr::channelGroup, GroupedAttr::tensorGroup})
        for (ZeroPoint zero : {ZeroPoint::None, ZeroPoint::Integer, ZeroPoint::Float}) {
          EncodingCase spec{bits, group, zero, builder.getF16Type(), 3, 80};
          SparseMatrix matrix = SparseMatrix::random(count, of, spec, 11);
          EncodingInterface encoding = matrix.getAttr();
          const int64_t shape[] = {spec.rows, spec.columns};
          std::vector<uint8_t> bytes = matrix.getCanonicalForm();
          auto size = encoding.getByteSize(shape, [&] { return emitError(); });
          ASSERT_TRUE(mlir::succeeded(size));
          ASSERT_EQ(*size, static_cast<int64_t>(bytes.size())) << count << ":" << of;
          std::vector<float> values = decode(encoding, shape, bytes);
          llvm::SmallVector<bool> kept(spec.columns);
          for (int64_t row = 0; row < spec.rows; ++row) {
            matrix.getAttr().readMask(bytes, shape, row, kept);
            for (int64_t column = 0; column < spec.columns; ++column) {
              ASSERT_EQ(values[row * spec.columns + column],
                        static_cast<float>(matrix.getValue(row, column)))
                  << count << ":" << of << " at " << row << ", " << column;
              ASSERT_EQ(kept[column], matrix.isKept(row, column));
            }
          }
        }
}

TEST_F(SparseEncoding, PacksWhatIsKept) {
  for (auto [count, of] : patterns)
    for (ZeroPoint zero : {ZeroPoint::None, ZeroPoint::Integer, ZeroPoint::Float}) {
      EncodingCase spec{5, 32, zero, builder.getBF16Type(), 4, 96};
      SparseMatrix matrix = SparseMatrix::random(count, of, spec, 12);
      const int64_t shape[] = {spec.rows, spec.columns};
      EXPECT_EQ(matrix.getAttr().pack(matrix.whole.getCanonicalForm(), shape, matrix.kept),
                matrix.getCanonicalForm());
    }
}

TEST_F(SparseEncoding, KeepsFloatsAsTheyAre) {
  const int64_t shape[] = {3, 32};
  for (mlir::Type type : {mlir::Type(builder.getF32Type()), mlir::Type(builder.getF16Type()),
                          mlir::Type(builder.getBF16Type())}) {
    SparseMatrix matrix =
        SparseMatrix::random(2, 4, {4, 32, ZeroPoint::None, type, shape[0], shape[1]}, 13);
    std::vector<uint8_t> dense(3 * 32 * type.getIntOrFloatBitWidth() / 8);
    for (int64_t i = 0; i < 3 * 32; ++i)
      writeFloat(dense.data(), i, type, 0.25f * static_cast<float>(i - 40));
    auto sparse = SparseAttr::get(&context, 2, 4, mlir::TypeAttr::get(type));
    std::vector<uint8_t> bytes = sparse.pack(dense, shape, matrix.kept);
    std::vector<float> values = decode(sparse, shape, bytes);
    for (int64_t i = 0; i < 3 * 32; ++i)
      EXPECT_EQ(values[i], matrix.kept[i] ? readFloat(dense.data(), i, type) : 0.0f) << i;
  }
}

TEST_F(SparseEncoding, BitsPerWeight) {
  auto bits = [&](int64_t count, int64_t of, mlir::Attribute inner) {
    return EncodingInterface(SparseAttr::get(&context, count, of, inner))
        .getBitsPerWeight({4, 128});
  };
  mlir::Type f16 = builder.getF16Type();
  EXPECT_EQ(bits(2, 4, GroupedAttr::get(&context, 4, 32, ZeroPoint::None, f16)), 3.5);
  EXPECT_EQ(bits(2, 4, NF4Attr::get(&context, 64, f16)), 3.25);
  EXPECT_EQ(bits(2, 4, mlir::TypeAttr::get(f16)), 9);
  EXPECT_EQ(bits(1, 16, mlir::TypeAttr::get(f16)), 1.25);
}

// A file may say a position twice: as many weights are kept as the pattern says.
TEST_F(SparseEncoding, MasksOfAnyBytesKeepAsMany) {
  auto sparse = SparseAttr::get(&context, 2, 4, mlir::TypeAttr::get(builder.getF32Type()));
  const int64_t shape[] = {1, 4};
  std::vector<uint8_t> bytes(64 + 8);
  for (unsigned positions = 0; positions < 16; ++positions) {
    bytes[0] = positions;
    bool kept[4];
    sparse.readMask(bytes, shape, 0, kept);
    EXPECT_EQ(llvm::count(kept, true), 2);
    EXPECT_TRUE(kept[positions % 4] && kept[positions / 4]);
  }
}

TEST_F(SparseEncoding, SaysWhichWeightsAreIntegers) {
  auto codes = [&](mlir::Attribute inner) {
    return EncodingInterface(SparseAttr::get(&context, 2, 4, inner)).getLinearCodes();
  };
  mlir::Type f16 = builder.getF16Type();
  auto grouped = [&](ZeroPoint zero) { return GroupedAttr::get(&context, 4, 32, zero, f16); };
  ASSERT_TRUE(codes(grouped(ZeroPoint::None)));
  EXPECT_TRUE(codes(grouped(ZeroPoint::None))->packed);
  EXPECT_EQ(codes(grouped(ZeroPoint::None))->zero, 8);
  EXPECT_EQ(codes(grouped(ZeroPoint::Integer))->zeros, 3u);
  EXPECT_FALSE(codes(grouped(ZeroPoint::Float)));
  EXPECT_FALSE(EncodingInterface(SparseAttr::get(&context, 1, 8, grouped(ZeroPoint::None)))
                   .getLinearCodes());
  EXPECT_FALSE(codes(NF4Attr::get(&context, 64, f16)));
  EXPECT_FALSE(codes(mlir::TypeAttr::get(f16)));
}
