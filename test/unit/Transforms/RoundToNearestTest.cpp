//===- RoundToNearestTest.cpp - whole matrices rounded to the nearest ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TransformsTestSupport.h"
#include "llmc/Transforms/Quantization/QuantizedWeight.h"

#include "mlir/IR/Diagnostics.h"

#include <cmath>
#include <limits>

using namespace llmc;

namespace {

class RoundToNearest : public test::WeightsTest {
protected:
  GroupedAttr encoding(unsigned bits, int64_t group, ZeroPoint zero) {
    return GroupedAttr::get(&context, bits, group, zero, builder.getF16Type());
  }
};

} // namespace

TEST_F(RoundToNearest, EveryWeightIsHalfAStepAway) {
  // Widths with a shorter last group, below a group, and of whole groups.
  for (int64_t columns : {int64_t(80), int64_t(24), int64_t(64)})
    for (unsigned bits = 2; bits <= 8; ++bits)
      for (int64_t group : {int64_t(32), GroupedAttr::channelGroup, GroupedAttr::tensorGroup})
        for (ZeroPoint zero : {ZeroPoint::None, ZeroPoint::Integer, ZeroPoint::Float}) {
          std::vector<float> weights = normal(5 * columns);
          GroupedAttr attr = encoding(bits, group, zero);
          std::vector<float> decoded = roundTrip(weights, 5, attr);
          int64_t size = attr.getGroupSize(columns);
          for (int64_t row = 0; row < 5; ++row)
            for (int64_t begin = 0; begin < columns; begin += size) {
              bool whole = group == GroupedAttr::tensorGroup;
              auto part = whole ? llvm::ArrayRef<float>(weights)
                                : llvm::ArrayRef<float>(weights).slice(
                                      row * columns + begin, std::min(size, columns - begin));
              auto [low, high] = std::minmax_element(part.begin(), part.end());
              double step =
                  zero == ZeroPoint::None
                      ? std::max(-*low, *high) / ((1 << (bits - 1)) - 1)
                      : (std::max(*high, 0.0f) - std::min(*low, 0.0f)) / ((1 << bits) - 1);
              // Rounded scales and zero points move the ends of the range; what is beyond them is
              // at most a whole step away.
              for (int64_t i = begin; i < std::min(begin + size, columns); ++i)
                EXPECT_LE(std::fabs(decoded[row * columns + i] - weights[row * columns + i]),
                          1.02 * step);
            }
        }
}

TEST_F(RoundToNearest, TheSameBytesWithAndWithoutThreads) {
  std::vector<float> weights = normal(64 * 96);
  std::vector<uint8_t> bytes[2];
  for (bool threads : {false, true}) {
    context.disableMultithreading(!threads);
    ParameterOp parameter = makeParameter(weights, 64);
    bytes[threads] = roundToNearest(parameter, *WeightValues::read(parameter),
                                    encoding(4, 32, ZeroPoint::Integer), true)
                         ->bytes;
  }
  EXPECT_EQ(bytes[0], bytes[1]);
}

TEST_F(RoundToNearest, RefusesScalesBeyondTheirType) {
  std::string message;
  mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &diagnostic) {
    message = diagnostic.str();
    return mlir::success();
  });
  ParameterOp parameter = makeParameter({1.0f, 2.0f, 1e9f, 3.0f}, 2);
  auto result = roundToNearest(parameter, *WeightValues::read(parameter),
                               encoding(4, 2, ZeroPoint::None), false);
  EXPECT_TRUE(mlir::failed(result));
  EXPECT_NE(message.find("expected weights whose scales fit 'f16', found larger ones in row 1"),
            std::string::npos)
      << message;
}

TEST_F(RoundToNearest, WidensScalesThatTheirTypeCannotHold) {
  int warnings = 0;
  mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &) {
    ++warnings;
    return mlir::success();
  });
  // Whether f16 holds the scales of weights of one magnitude. The least number that it has is
  // 2^-24, which is half a step at the far end of 4-bit grids of scale 2^-21 and of 8-bit ones of
  // 2^-17.
  for (auto [bits, magnitude, fits] : {std::tuple(4u, 1.0f, true),
                                       {4u, 0x1p-14f, true},
                                       {4u, 0x1p-23f, false},
                                       {4u, 0.0f, true},
                                       {4u, 1e7f, false},
                                       {8u, 0x1p-5f, true},
                                       {8u, 1e-6f, false},
                                       {4u, 1e-30f, false}})
    for (ZeroPoint zero : {ZeroPoint::None, ZeroPoint::Integer})
      for (int64_t group : {int64_t(2), GroupedAttr::channelGroup, GroupedAttr::tensorGroup}) {
        // 1/3 has no short binary form.
        float weight = magnitude / 3;
        ParameterOp parameter = makeParameter({0, 0, weight, -weight / 2}, 2);
        WeightValues values = *WeightValues::read(parameter);
        GroupedAttr asked = encoding(bits, group, zero);
        warnings = 0;
        auto found = mlir::cast<GroupedAttr>(widenScales(parameter, values, asked));
        EXPECT_EQ(found == asked, fits) << bits << " bits, " << magnitude;
        EXPECT_EQ(found.getScale().isF32(), !fits);
        EXPECT_EQ(warnings, fits ? 0 : 1);
        std::vector<float> decoded =
            decode(found, 2, 2, roundToNearest(parameter, values, found, false)->bytes);
        EXPECT_NEAR(decoded[2], weight, std::fabs(weight) / (1 << (bits - 1)));
        parameter.erase();
      }
}

TEST_F(RoundToNearest, RefusesWeightsThatAreNotFinite) {
  std::string message;
  mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &diagnostic) {
    message = diagnostic.str();
    return mlir::success();
  });
  ParameterOp parameter =
      makeParameter({1.0f, 2.0f, 3.0f, std::numeric_limits<float>::quiet_NaN()}, 2);
  EXPECT_TRUE(mlir::failed(WeightValues::read(parameter)));
  EXPECT_NE(message.find("expected finite weights, found nan at row 1, column 1"),
            std::string::npos)
      << message;
}
