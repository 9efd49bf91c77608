//===- CodebookEncodingTest.cpp - bytes and values of #llmc.codebook ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CodebookTestSupport.h"
#include "EncodingTest.h"
#include "llmc/Dialect/LLMC/IR/CanonicalForm.h"

using namespace llmc;
using namespace llmc::test;

namespace {

class CodebookEncoding : public EncodingTest {
protected:
  /// Tables of a row, of a tile, of several and of all; widths that end inside a block and at its
  /// end; a last tile that is not whole.
  void forEachMatrix(llvm::function_ref<void(const CodebookMatrix &)> test) {
    for (mlir::Type scale : {mlir::Type(builder.getF32Type()), mlir::Type(builder.getF16Type())})
      for (unsigned bits = 2; bits <= 8; ++bits)
        for (int64_t sharing : {int64_t(1), int64_t(16), int64_t(32), CodebookAttr::allRows})
          for (int64_t columns : {1, 77, 128}) {
            SCOPED_TRACE(std::to_string(bits) + " bits, " + std::to_string(sharing) + " rows, " +
                         std::to_string(columns) + " columns");
            test(CodebookMatrix::random(bits, sharing, scale, 35, columns, bits + columns));
          }
  }
};

} // namespace

TEST_F(CodebookEncoding, DecodesItsCanonicalForm) {
  forEachMatrix([&](const CodebookMatrix &matrix) { expectDecoded(matrix); });
}

TEST_F(CodebookEncoding, TilesHoldTheTablesOfTheirRows) {
  forEachMatrix([&](const CodebookMatrix &matrix) {
    TiledLayout layout = getLayout(matrix);
    std::vector<uint8_t> bytes = pack(matrix);
    bool isShared = matrix.sharing == CodebookAttr::allRows;
    EXPECT_EQ(layout.tableBytes, isShared ? 256 : 0);
    const TiledPlane &table = layout.planes[CodebookAttr::table];
    for (int64_t row = 0; row < matrix.rows; ++row) {
      const uint8_t *tile = bytes.data() + (isShared ? 0 : layout.getTileOffset(row / tileRows));
      int64_t index = isShared ? 0 : row / matrix.sharing;
      for (int64_t i = 0; i < int64_t(1) << matrix.bits; ++i)
        ASSERT_EQ(table.readInteger(tile, row % tileRows, i),
                  matrix.tables[(index << matrix.bits) + i])
            << row << ", " << i;
    }
  });
}

TEST_F(CodebookEncoding, BitsPerWeight) {
  auto bits = [&](unsigned bits, int64_t sharing) {
    return EncodingInterface(CodebookAttr::get(&context, bits, sharing, builder.getF16Type()))
        .getBitsPerWeight({512, 1024});
  };
  EXPECT_EQ(bits(4, 1), 4 + 16 / 1024.0 + 128 / 1024.0);
  EXPECT_EQ(bits(3, 64), 3 + 16 / 1024.0 + 64 / (64 * 1024.0));
  EXPECT_EQ(bits(8, CodebookAttr::allRows), 8 + 16 / 1024.0 + 2048 / (512 * 1024.0));
}
