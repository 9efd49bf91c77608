//===- LloydMaxEncodingTest.cpp - levels for Gaussian numbers ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include "mlir/IR/Builders.h"
#include "gtest/gtest.h"

#include <cmath>

using namespace llmc;

namespace {

/// Of a standard normal variable: its density, and the probability that it is below `x`.
double density(double x) { return std::exp(-x * x / 2) / std::sqrt(2 * M_PI); }
double below(double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; }

} // namespace

TEST(LloydMaxEncoding, LevelsAreMeansOfWhatIsNearestToThem) {
  mlir::MLIRContext context;
  context.loadDialect<LLMCDialect>();
  // Max 1960, table I: the mean squared error of 2, 4, 8 and 16 levels.
  const double errors[] = {0.3634, 0.1175, 0.03454, 0.009497};
  for (unsigned bits = 1; bits <= 4; ++bits) {
    auto attr = LloydMaxAttr::get(&context, bits, 64, mlir::Float16Type::get(&context));
    llvm::ArrayRef<float> levels = attr.getLevels();
    ASSERT_EQ(levels.size(), size_t(1) << bits);
    double error = 1;
    for (size_t i = 0; i < levels.size(); ++i) {
      double low = i == 0 ? -INFINITY : (double(levels[i - 1]) + levels[i]) / 2;
      double high = i + 1 == levels.size() ? INFINITY : (double(levels[i]) + levels[i + 1]) / 2;
      double mass = below(high) - below(low);
      double mean = (density(low) - density(high)) / mass;
      EXPECT_NEAR(levels[i], mean, 2e-7) << bits << " bits, level " << i;
      // Var(x) = 1 = error + sum of the squares of means.
      error -= mass * mean * mean;
    }
    EXPECT_NEAR(error, errors[bits - 1], errors[bits - 1] * 1e-3) << bits;
  }
}
