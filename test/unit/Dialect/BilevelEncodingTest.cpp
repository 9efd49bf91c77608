//===- BilevelEncodingTest.cpp - bytes and values of #llmc.bilevel ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BilevelTestSupport.h"
#include "EncodingTest.h"
#include "llmc/Dialect/LLMC/IR/CanonicalForm.h"

using namespace llmc;
using namespace llmc::test;

namespace {

class BilevelEncoding : public EncodingTest {
protected:
  BilevelAttr get(unsigned bits, int64_t group, unsigned scaleBits, int64_t scaleGroup,
                  mlir::Type scale) {
    return BilevelAttr::get(&context, bits, group, scaleBits, scaleGroup, scale);
  }
};

} // namespace

TEST_F(BilevelEncoding, DecodesItsCanonicalForm) {
  uint64_t seed = 0;
  for (mlir::Type scale : {mlir::Type(builder.getF32Type()), mlir::Type(builder.getF16Type()),
                           mlir::Type(builder.getBF16Type())})
    for (unsigned bits : {1u, 3u, 4u})
      for (int64_t group : {1, 5, 16, 100})
        for (int64_t scaleGroup : {1, 2, 16})
          expectDecoded(
              BilevelMatrix::random(get(bits, group, 8 - bits, scaleGroup, scale), 9, 77, ++seed));
}

TEST_F(BilevelEncoding, BitsPerWeight) {
  EncodingInterface encoding = get(3, 16, 3, 16, builder.getF16Type());
  EXPECT_EQ(encoding.getBitsPerWeight({4, 512}), 3 + 6 / 16.0 + 24 / 256.0);
  EXPECT_EQ(CanonicalForm::get(encoding, {0, 0}).size, 0);
}

// Scales of 16 inputs are two bytes a row in a block, which parts of bits would make lines of.
TEST_F(BilevelEncoding, Tiles) {
  BilevelMatrix matrix = BilevelMatrix::random(get(3, 16, 3, 16, builder.getF16Type()), 21, 300, 1);
  TiledLayout layout = getLayout(matrix);
  EXPECT_FALSE(layout.planes[BilevelAttr::scales].inParts);
  std::vector<uint8_t> packed = pack(matrix);
  for (int64_t row = 0; row < matrix.rows; ++row) {
    const uint8_t *tile = packed.data() + layout.getTileOffset(row / 16);
    for (int64_t column = 0; column < matrix.columns; ++column)
      ASSERT_EQ(layout.planes[BilevelAttr::codes].readInteger(tile, row % 16, column),
                matrix.codes[row * matrix.columns + column]);
    for (int64_t group = 0; group < matrix.getGroups(); ++group) {
      int64_t index = row * matrix.getGroups() + group;
      ASSERT_EQ(layout.planes[BilevelAttr::scales].readInteger(tile, row % 16, group),
                matrix.scales[index] | matrix.zeros[index] << 3);
    }
  }
}
