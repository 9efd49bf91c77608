//===- EncodingTest.h - what tests of one encoding or another begin with ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TEST_UNIT_DIALECT_ENCODINGTEST_H
#define LLMC_TEST_UNIT_DIALECT_ENCODINGTEST_H

#include "llmc/Dialect/LLMC/IR/TiledLayout.h"

#include "mlir/IR/Diagnostics.h"
#include "gtest/gtest.h"

namespace llmc::test {

class EncodingTest : public ::testing::Test {
protected:
  EncodingTest() { context.loadDialect<LLMCDialect>(); }

  /// Expects of a matrix made by hand that its encoding takes as many bytes as its canonical form
  /// has, and decodes them to its values.
  template <typename Matrix>
  void expectDecoded(const Matrix &matrix) {
    const int64_t shape[] = {matrix.rows, matrix.columns};
    EncodingInterface encoding = matrix.getAttr();
    std::vector<uint8_t> bytes = matrix.getCanonicalForm();
    auto size =
        encoding.getByteSize(shape, [&] { return mlir::emitError(builder.getUnknownLoc()); });
    ASSERT_TRUE(mlir::succeeded(size));
    ASSERT_EQ(*size, static_cast<int64_t>(bytes.size()));
    std::vector<float> values(matrix.columns);
    for (int64_t row = 0; row < matrix.rows; ++row) {
      encoding.decodeRow(bytes, shape, row, values);
      for (int64_t column = 0; column < matrix.columns; ++column)
        ASSERT_EQ(values[column], static_cast<float>(matrix.getValue(row, column)))
            << row << ", " << column;
    }
  }

  template <typename Matrix>
  TiledLayout getLayout(const Matrix &matrix) {
    return TiledLayout::get(mlir::RankedTensorType::get({matrix.rows, matrix.columns},
                                                        builder.getF32Type(), matrix.getAttr()));
  }

  /// Its tables and tiles, in memory that held something else.
  template <typename Matrix>
  std::vector<uint8_t> pack(const Matrix &matrix) {
    TiledLayout layout = getLayout(matrix);
    std::vector<uint8_t> canonical = matrix.getCanonicalForm(), bytes(layout.getByteSize(), 0xff);
    packTables(layout, canonical, bytes.data());
    for (int64_t tile = 0; tile < layout.tiles; ++tile)
      packTile(layout, canonical, tile, bytes.data() + layout.getTileOffset(tile));
    return bytes;
  }

  mlir::MLIRContext context;
  mlir::Builder builder{&context};
};

} // namespace llmc::test

#endif // LLMC_TEST_UNIT_DIALECT_ENCODINGTEST_H
