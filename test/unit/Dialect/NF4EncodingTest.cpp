//===- NF4EncodingTest.cpp - bytes and values of #llmc.nf4 ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NF4TestSupport.h"

#include "mlir/IR/Diagnostics.h"
#include "gtest/gtest.h"

#include <cmath>

using namespace llmc;
using namespace llmc::test;

namespace {

class NF4Encoding : public ::testing::Test {
protected:
  NF4Encoding() { context.loadDialect<LLMCDialect>(); }

  mlir::MLIRContext context;
  mlir::Builder builder{&context};
};

/// The probability that a standard normal variable is below `x`, and the number with a probability.
double normalBelow(double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; }
double normalQuantile(double probability) {
  double low = -10, high = 10;
  while (high - low > 1e-13)
    (normalBelow((low + high) / 2) < probability ? low : high) = (low + high) / 2;
  return low;
}

} // namespace

// Appendix E of the paper: quantiles of the normal distribution at evenly spaced probabilities, of
// 8 on the positive and 7 on the negative side, divided by the largest.
TEST_F(NF4Encoding, NumbersAreQuantilesOfTheNormalDistribution) {
  const double offset = (1 - 1 / (2.0 * 15) + 1 - 1 / (2.0 * 16)) / 2;
  std::vector<double> numbers{0};
  double largest = normalQuantile(offset);
  for (int i = 0; i < 8; ++i)
    numbers.push_back(normalQuantile(offset + (0.5 - offset) * i / 8) / largest);
  for (int i = 0; i < 7; ++i)
    numbers.push_back(-normalQuantile(offset + (0.5 - offset) * i / 7) / largest);
  std::sort(numbers.begin(), numbers.end());
  ASSERT_EQ(NF4Attr::getNumbers().size(), 16u);
  for (auto [found, expected] : llvm::zip(NF4Attr::getNumbers(), numbers))
    EXPECT_NEAR(found, expected, 2e-6);
  EXPECT_TRUE(llvm::is_sorted(NF4Attr::getNumbers()));
}

TEST_F(NF4Encoding, DecodesItsCanonicalForm) {
  for (mlir::Type scale : {mlir::Type(builder.getF32Type()), mlir::Type(builder.getF16Type()),
                           mlir::Type(builder.getBF16Type())})
    for (int64_t group : {int64_t(1), int64_t(7), int64_t(64), GroupedAttr::channelGroup})
      for (int64_t columns : {int64_t(1), int64_t(77), int64_t(128)}) {
        NF4Matrix matrix = NF4Matrix::random(group, scale, 3, columns, 5);
        const int64_t shape[] = {3, columns};
        EncodingInterface encoding = matrix.getAttr();
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

TEST_F(NF4Encoding, BitsPerWeight) {
  auto bits = [&](int64_t group) {
    return EncodingInterface(NF4Attr::get(&context, group, builder.getF16Type()))
        .getBitsPerWeight({4, 128});
  };
  EXPECT_EQ(bits(64), 4.25);
  EXPECT_EQ(bits(32), 4.5);
  EXPECT_EQ(bits(GroupedAttr::channelGroup), 4.125);
}
