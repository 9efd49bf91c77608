//===- TrellisEncodingTest.cpp - bytes and values of #llmc.trellis ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "EncodingTest.h"
#include "TrellisTestSupport.h"
#include "llmc/Dialect/LLMC/IR/CanonicalForm.h"

using namespace llmc;
using namespace llmc::test;

namespace {

class TrellisEncoding : public EncodingTest {
protected:
  /// Widths whose rows end inside a byte, inside a block and at its end.
  void forEachMatrix(llvm::function_ref<void(const TrellisMatrix &)> test) {
    for (mlir::Type scale : {mlir::Type(builder.getF32Type()), mlir::Type(builder.getF16Type()),
                             mlir::Type(builder.getBF16Type())})
      for (unsigned halves = 4; halves <= 10; ++halves)
        for (int64_t columns : {1, 2, 31, 77, 128}) {
          SCOPED_TRACE(std::to_string(halves) + " half bits, " + std::to_string(columns) +
                       " columns");
          test(TrellisMatrix::random(halves, scale, 19, columns, halves + columns));
        }
  }
};

} // namespace

TEST_F(TrellisEncoding, DecodesItsCanonicalForm) {
  forEachMatrix([&](const TrellisMatrix &matrix) { expectDecoded(matrix); });
}

TEST_F(TrellisEncoding, TilesHoldTheCodesAndTheTable) {
  forEachMatrix([&](const TrellisMatrix &matrix) {
    TiledLayout layout = getLayout(matrix);
    std::vector<uint8_t> bytes = pack(matrix);
    EXPECT_EQ(layout.tableBytes, 256);
    const TiledPlane &codes = layout.planes[TrellisAttr::codes];
    EXPECT_EQ(codes.getByteSize(layout.getBlocks()),
              32 * matrix.halves * ((matrix.columns + 31) / 32));
    for (int64_t i = 0; i < 256; ++i)
      ASSERT_EQ(layout.planes[TrellisAttr::table].readInteger(bytes.data(), 0, i), matrix.table[i]);
    for (int64_t row = 0; row < 2 * tileRows; ++row)
      for (int64_t column = 0; column < layout.getBlocks() * blockInputs; ++column) {
        bool isThere = row < matrix.rows && column < matrix.columns;
        ASSERT_EQ(codes.readInteger(bytes.data() + layout.getTileOffset(row / tileRows),
                                    row % tileRows, column),
                  isThere ? matrix.codes[row * matrix.columns + column] : 0u)
            << row << ", " << column;
      }
  });
}

TEST_F(TrellisEncoding, BitsPerWeight) {
  auto bits = [&](unsigned halves, int64_t rows, int64_t columns) {
    return EncodingInterface(TrellisAttr::ofHalves(&context, halves, builder.getF16Type()))
        .getBitsPerWeight({rows, columns});
  };
  EXPECT_EQ(bits(6, 2, 128), 3 + 16 / 128.0 + 2048 / 256.0);
  EXPECT_EQ(bits(8, 512, 512), 4 + 16 / 512.0 + 2048 / (512.0 * 512));
  EXPECT_EQ(bits(7, 512, 512), 3.5 + 16 / 512.0 + 2048 / (512.0 * 512));
}
