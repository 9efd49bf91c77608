//===- OutliersEncodingTest.cpp - bytes and values of #llmc.outliers ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BilevelTestSupport.h"
#include "EncodingTest.h"
#include "NF4TestSupport.h"
#include "OutliersTestSupport.h"

#include "llvm/Support/Endian.h"

using namespace llmc;
using namespace llmc::test;

namespace {

class OutliersEncoding : public EncodingTest {
protected:
  OutliersMatrix<BilevelMatrix> makeBilevel(int64_t count, int64_t rows, int64_t columns) {
    auto inner = BilevelAttr::get(&context, 3, 16, 3, 4, builder.getF16Type());
    return OutliersMatrix<BilevelMatrix>::random(BilevelMatrix::random(inner, rows, columns, 1),
                                                 count, builder.getBF16Type(), 2);
  }
};

} // namespace

TEST_F(OutliersEncoding, DecodesItsCanonicalForm) {
  for (int64_t count : {1, 2, 9, 77})
    expectDecoded(makeBilevel(count, 9, 77));
  auto numbers = NF4Matrix::random(64, builder.getF16Type(), 5, 100, 3);
  expectDecoded(OutliersMatrix<NF4Matrix>::random(numbers, 7, builder.getF32Type(), 4));
}

TEST_F(OutliersEncoding, BitsPerWeight) {
  mlir::Attribute inner = NF4Attr::get(&context, 64, builder.getF16Type());
  EncodingInterface encoding = OutliersAttr::get(&context, 8, builder.getF16Type(), inner);
  EXPECT_EQ(encoding.getBitsPerWeight({4, 512}), 4.25 + 8 * 32 / 512.0);
}

// What a file lists at columns that there are none of is left out: kernels read at any.
TEST_F(OutliersEncoding, Tiles) {
  OutliersMatrix<BilevelMatrix> matrix = makeBilevel(9, 21, 77);
  TiledLayout layout = getLayout(matrix);
  const TiledPlane *positions = layout.getPositions();
  ASSERT_NE(positions, nullptr);
  EXPECT_EQ(layout.withoutList().getPositions(), nullptr);
  EXPECT_EQ(layout.withoutList().encoding, matrix.whole.getAttr());
  EXPECT_EQ(layout.withoutList().tileBytes, layout.tileBytes);
  std::vector<uint8_t> packed = pack(matrix);
  for (int64_t row = 0; row < 32; ++row) {
    const uint8_t *tile = packed.data() + layout.getTileOffset(row / 16);
    std::vector<double> sums(77);
    for (int64_t i = 0; i < 9; ++i) {
      int64_t place = 2 * (16 * i + row % 16);
      unsigned column = llvm::support::endian::read16le(tile + positions[0].offset + place);
      ASSERT_LT(column, 77u);
      uint32_t upper = llvm::support::endian::read16le(tile + positions[1].offset + place);
      sums[column] += decodeFloat(upper, builder.getBF16Type());
    }
    for (int64_t column = 0; column < 77; ++column)
      ASSERT_EQ(sums[column], row < 21 ? matrix.getListed(row, column) : 0.0);
  }
}

TEST_F(OutliersEncoding, IntegersAreThoseBesideTheList) {
  auto codes = [&](mlir::Attribute inner) {
    return EncodingInterface(OutliersAttr::get(&context, 7, builder.getF16Type(), inner))
        .getLinearCodes();
  };
  ASSERT_TRUE(codes(GroupedAttr::get(&context, 4, 32, ZeroPoint::None, builder.getF16Type())));
  EXPECT_FALSE(codes(NF4Attr::get(&context, 64, builder.getF16Type())));
}
