//===- TernaryEncodingTest.cpp - bytes and values of #llmc.ternary ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/LLMC/IR/CanonicalForm.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Diagnostics.h"
#include "gtest/gtest.h"

#include <cstring>

using namespace llmc;

// Codes of 2 bits, four in a byte, rows of whole bytes; then at 64 bytes a scale of f32 a group.
TEST(TernaryEncoding, DecodesItsCanonicalForm) {
  mlir::MLIRContext context;
  context.loadDialect<LLMCDialect>();
  mlir::Builder builder(&context);
  EncodingInterface encoding = TernaryAttr::get(&context, 4, builder.getF32Type());
  const int64_t shape[] = {2, 6};
  std::vector<uint8_t> bytes(64 + 4 * 4);
  bytes[0] = 0b10'01'00'10; // 1, -1, 0, 1
  bytes[1] = 0b00'10;       // 1, -1
  bytes[2] = 0b01'01'01'00; // -1, 0, 0, 0
  bytes[3] = 0b01'11;       // 2 (not written), 0
  const float scales[] = {0.5f, -2, 3, 8};
  std::memcpy(bytes.data() + 64, scales, sizeof scales);
  auto size = encoding.getByteSize(shape, [&] { return mlir::emitError(builder.getUnknownLoc()); });
  ASSERT_TRUE(mlir::succeeded(size));
  ASSERT_EQ(*size, static_cast<int64_t>(bytes.size()));
  const float expected[2][6] = {{0.5f, -0.5f, 0, 0.5f, -2, 2}, {-3, 0, 0, 0, 16, 0}};
  float values[6];
  for (int64_t row = 0; row < 2; ++row) {
    encoding.decodeRow(bytes, shape, row, values);
    for (int64_t column = 0; column < 6; ++column)
      EXPECT_EQ(values[column], expected[row][column]) << row << ", " << column;
  }
  EXPECT_EQ(encoding.getBitsPerWeight({512, 1024}), 2 + 32 / 4.0);
}
