//===- SmallFloatFormatTest.cpp - weights rounded to floats of a byte or less ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TransformsTestSupport.h"
#include "llmc/Dialect/LLMC/IR/SmallFloat.h"
#include "llmc/Transforms/Quantization/QuantizedWeight.h"

#include <cmath>

using namespace llmc;

namespace {

class SmallFloatFormats : public test::WeightsTest {
protected:
  EncodingInterface encoding(llvm::StringRef name, std::optional<int64_t> group = {},
                             mlir::Type scale = {}) {
    return *findWeightFormat(name)->getEncoding(
        builder.getUnknownLoc(), {std::nullopt, group, true, ZeroPoint::Integer, scale, {}});
  }

  double signalToNoise(EncodingInterface encoding, bool search = false) {
    std::vector<float> weights = normal(4096 * 256);
    std::vector<float> decoded = roundTrip(weights, 4096, encoding, search);
    return 10 * std::log10(getSquares(weights) / getSquares(weights, decoded));
  }
};

const char *const names[] = {"fp4",        "fp8",   "fp8-e5m2",   "mxfp4",  "mxfp6",
                             "mxfp6-e3m2", "mxfp8", "mxfp8-e5m2", "mxint8", "nvfp4"};

} // namespace

TEST_F(SmallFloatFormats, SearchLosesLess) {
  for (const char *name : {"fp4", "mxfp4", "nvfp4"})
    EXPECT_GT(signalToNoise(encoding(name), true), signalToNoise(encoding(name)) + 0.1) << name;
}

TEST_F(SmallFloatFormats, KnowTheirOwnEncodings) {
  for (llvm::StringRef name : names)
    EXPECT_EQ(findWeightFormat(encoding(name))->getName(), name);
}

// What a format holds stays as it is: numbers times a power of two, with the largest among them.
TEST_F(SmallFloatFormats, KeepsWhatItHoldsExactly) {
  for (llvm::StringRef name : names)
    for (bool search : {false, true}) {
      std::vector<float> weights;
      for (float scale : {0.25f, 0.0f, 2.0f}) {
        size_t begin = weights.size();
        auto floats = mlir::dyn_cast<SmallFloatAttr>(encoding(name));
        for (int i = 0; i < 64; ++i) {
          SmallFloat small = floats ? *SmallFloat::get(floats.getElement()) : SmallFloat{};
          float number = floats ? small.decode(small.largestCode - i % (small.largestCode + 1))
                                : static_cast<float>(127 - 2 * i);
          weights.push_back((i % 3 == 0 ? -scale : scale) * number);
        }
        // In every group of 16 or 32.
        for (size_t i = begin; i < weights.size(); i += 16)
          weights[i] = weights[begin];
      }
      std::vector<float> decoded = roundTrip(weights, 3, encoding(name), search);
      for (auto [before, after] : llvm::zip(weights, decoded)) {
        // Scales of fp8 are relative to that of the largest weight, which is no power of two.
        if (name == "nvfp4")
          EXPECT_NEAR(before, after, std::fabs(before) * 1e-6) << name.str();
        else
          EXPECT_EQ(before, after) << name.str();
      }
    }
}

TEST_F(SmallFloatFormats, SharedExponentIsThatOfTheLargestWeight) {
  // 5 is in [4, 8) as 6, the largest number of fp4, is: the scale is 1. 7.9 is cut to 6.
  for (auto [weight, rounded] : {std::pair(5.0f, 4.0f), {5.1f, 6.0f}, {7.9f, 6.0f}, {8.0f, 8.0f}}) {
    std::vector<float> weights(32, 0.0f);
    weights[3] = weight;
    EXPECT_EQ(roundTrip(weights, 1, encoding("mxfp4"))[3], rounded) << weight;
  }
  for (float weight : {3e38f, 0x1p-120f}) {
    std::vector<float> weights(32, weight);
    for (float value : roundTrip(weights, 1, encoding("mxfp8")))
      EXPECT_NEAR(value / weight, 1, 1.0 / 8);
  }
}

TEST_F(SmallFloatFormats, SmallGroupsBesideLargeOnes) {
  std::vector<float> weights(32, 1e-6f);
  for (int i = 0; i < 16; ++i)
    weights[i] = 1000.0f;
  std::vector<float> decoded = roundTrip(weights, 1, encoding("nvfp4"));
  EXPECT_NEAR(decoded[0], 1000.0f, 1e-3);
  // The least scale there is: 2^-9 of 448ths of the largest.
  EXPECT_EQ(decoded[20], 0.0f);
}

TEST_F(SmallFloatFormats, WidensScalesThatTheirTypeCannotHold) {
  mlir::ScopedDiagnosticHandler handler(&context,
                                        [](mlir::Diagnostic &) { return mlir::success(); });
  for (auto [magnitude, fits] :
       {std::pair(1.0f, true), {1e-9f, false}, {0.0f, true}, {1e9f, false}}) {
    ParameterOp parameter = makeParameter({0, 0, magnitude, -magnitude / 2}, 2);
    WeightValues values = *WeightValues::read(parameter);
    EXPECT_EQ(widenScales(parameter, values, encoding("fp8")) == encoding("fp8"), fits)
        << magnitude;
    EXPECT_EQ(widenScales(parameter, values, encoding("fp8")) ==
                  encoding("fp8", {}, builder.getF32Type()),
              !fits)
        << magnitude;
    for (const char *name : {"mxfp8", "nvfp4", "mxint8"})
      EXPECT_EQ(widenScales(parameter, values, encoding(name)), encoding(name));
    parameter.erase();
  }
}
