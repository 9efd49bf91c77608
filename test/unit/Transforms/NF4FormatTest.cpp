//===- NF4FormatTest.cpp - weights rounded to #llmc.nf4 ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TransformsTestSupport.h"
#include "llmc/Transforms/Quantization/QuantizedWeight.h"

#include <cmath>

using namespace llmc;

namespace {

class NF4Format : public test::WeightsTest {
protected:
  EncodingInterface encoding(int64_t group, bool exact = false) {
    return NF4Attr::get(&context, group,
                        exact ? mlir::Type(builder.getF32Type()) : builder.getF16Type());
  }

  double signalToNoise(int64_t group, bool search = false) {
    std::vector<float> weights = normal(4096 * 256);
    std::vector<float> decoded = roundTrip(weights, 4096, encoding(group), search);
    return 10 * std::log10(getSquares(weights) / getSquares(weights, decoded));
  }
};

} // namespace

TEST_F(NF4Format, SearchLosesLess) { EXPECT_GT(signalToNoise(64, true), signalToNoise(64) + 0.2); }

TEST_F(NF4Format, EveryWeightBecomesTheNearestNumber) {
  for (int64_t columns : {int64_t(80), int64_t(24), int64_t(64)})
    for (int64_t group : {int64_t(32), GroupedAttr::channelGroup}) {
      std::vector<float> weights = normal(5 * columns);
      std::vector<float> decoded = roundTrip(weights, 5, encoding(group, /*exact=*/true));
      int64_t size = group > 0 ? std::min(group, columns) : columns;
      for (int64_t row = 0; row < 5; ++row)
        for (int64_t begin = 0; begin < columns; begin += size) {
          int64_t end = std::min(begin + size, columns);
          float largest = 0;
          for (int64_t i = begin; i < end; ++i)
            largest = std::max(largest, std::fabs(weights[row * columns + i]));
          for (int64_t i = begin; i < end; ++i) {
            float least = INFINITY;
            for (float number : NF4Attr::getNumbers())
              least = std::min(least, std::fabs(number * largest - weights[row * columns + i]));
            EXPECT_LE(std::fabs(decoded[row * columns + i] - weights[row * columns + i]),
                      least * (1 + 1e-5f));
          }
        }
    }
}

TEST_F(NF4Format, KeepsWhatItHoldsExactly) {
  std::vector<float> weights;
  for (float scale : {0.0f, 0.25f, -3.0f})
    for (float number : NF4Attr::getNumbers())
      weights.push_back(scale * number);
  std::vector<float> decoded = roundTrip(weights, 3, encoding(16), /*search=*/true);
  for (auto [before, after] : llvm::zip(weights, decoded))
    EXPECT_EQ(before, after);
}

TEST_F(NF4Format, WidensScalesThatTheirTypeCannotHold) {
  mlir::ScopedDiagnosticHandler handler(&context,
                                        [](mlir::Diagnostic &) { return mlir::success(); });
  // The least number of f16 is 2^-24; the far step of the numbers is 0.28 of the largest.
  for (auto [magnitude, fits] :
       {std::pair(1.0f, true), {0x1p-22f, true}, {0x1p-26f, false}, {0.0f, true}, {1e6f, false}}) {
    ParameterOp parameter = makeParameter({0, 0, magnitude, -magnitude / 2}, 2);
    WeightValues values = *WeightValues::read(parameter);
    EncodingInterface found = widenScales(parameter, values, encoding(2));
    EXPECT_EQ(found == encoding(2), fits) << magnitude;
    EXPECT_EQ(found == encoding(2, /*exact=*/true), !fits) << magnitude;
    parameter.erase();
  }
}

TEST_F(NF4Format, RefusesScalesBeyondTheirType) {
  std::string message;
  mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &diagnostic) {
    message = diagnostic.str();
    return mlir::success();
  });
  for (bool search : {false, true}) {
    ParameterOp parameter = makeParameter({1.0f, 2.0f, 1e9f, 3.0f}, 2);
    EXPECT_TRUE(mlir::failed(
        roundToNearest(parameter, *WeightValues::read(parameter), encoding(2), search)));
    EXPECT_NE(message.find("expected weights whose scales fit 'f16', found larger ones in row 1"),
              std::string::npos)
        << message;
    parameter.erase();
  }
}
