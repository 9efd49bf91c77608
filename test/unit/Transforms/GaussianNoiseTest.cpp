//===- GaussianNoiseTest.cpp - what every format loses of normally distributed weights ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Signal-to-noise ratios in dB, as any correct implementation has them: of scalar numbers that are
// best those of Max 1960 ("Quantizing for minimum distortion", table I), of a trellis what a code
// of 256 states reaches.
//
//===----------------------------------------------------------------------===//

#include "TransformsTestSupport.h"
#include "llmc/Transforms/Quantization/QuantizedWeight.h"

#include <cmath>
#include <random>

using namespace llmc;

namespace {

struct NoiseCase {
  const char *name;
  QuantizationRequest request;
  double ratio; ///< in dB
};

QuantizationRequest ask(const char *format, WeightBits bits = {}, const char *group = "") {
  QuantizationRequest request;
  request.format = format;
  request.bits = bits;
  request.groupSize = group;
  request.activation = ActivationRounding::None;
  return request;
}

QuantizationRequest askWithZero(unsigned bits, const char *group) {
  QuantizationRequest request = ask("int", bits, group);
  request.symmetric = false;
  return request;
}

QuantizationRequest askForCodebook(unsigned bits, const char *sharing) {
  QuantizationRequest request = ask("codebook", bits);
  request.sharing = sharing;
  return request;
}

QuantizationRequest askForSearch(QuantizationRequest request) {
  request.search = ClipSearch::On;
  return request;
}

const NoiseCase cases[] = {
    {"Int8ByRow", ask("int", 8, "channel"), 43.1},
    {"Int4WithZero128", askWithZero(4, "128"), 19.9},
    {"Int4SignedExtreme128", ask("int", 4, "128"), 19.7},
    {"Int4WithZero64", askWithZero(4, "64"), 20.8},
    {"Int3WithZero128", askWithZero(3, "128"), 13.3},
    {"Int2WithZero64", askWithZero(2, "64"), 6.8},
    {"Int2SignedExtreme64", ask("int", 2, "64"), 8.1},
    {"NF4", ask("nf4"), 20.7},
    {"FP8", ask("fp8"), 31.7},
    {"MXFP4", ask("mxfp4"), 18.8},
    {"NVFP4", ask("nvfp4"), 20.4},
    {"Ternary", ask("ternary"), 5.8},
    {"TernarySearched", askForSearch(ask("ternary")), 7.3},
    {"Codebook4", askForCodebook(4, "matrix"), 20.2},
    {"Codebook3", askForCodebook(3, "64"), 14.6},
    {"Codebook2", askForCodebook(2, "matrix"), 9.3},
    {"Trellis4", ask("trellis", 4), 22.0},
    {"Trellis3AndAHalf", ask("trellis", WeightBits::ofHalves(7)), 19.4},
    {"Trellis3", ask("trellis", 3), 16.7},
    {"Trellis2", ask("trellis", 2), 11.1},
};

class GaussianNoise : public test::WeightsTest, public ::testing::WithParamInterface<NoiseCase> {};

} // namespace

TEST_P(GaussianNoise, IsWhatItHasToBe) {
  std::mt19937_64 random(7);
  std::normal_distribution<float> distribution;
  std::vector<float> weights(1024 * 256);
  for (float &weight : weights)
    weight = distribution(random);
  QuantizationPlan plan = *QuantizationPlan::get(builder.getUnknownLoc(), GetParam().request);
  ParameterOp parameter = makeParameter(weights, 1024);
  WeightValues values = *WeightValues::read(parameter);
  QuantizedWeight rounded =
      *roundToNearest(parameter, values, plan.others.encoding, plan.searchesNearest());
  std::vector<float> decoded = decode(plan.others.encoding, 1024, 256, rounded.bytes);
  double noise = 0, signal = 0;
  for (auto [before, after] : llvm::zip(weights, decoded)) {
    noise += std::pow(double(before) - after, 2);
    signal += std::pow(double(before), 2);
  }
  EXPECT_NEAR(10 * std::log10(signal / noise), GetParam().ratio, 0.3);
  EXPECT_NEAR(rounded.weightError, std::sqrt(noise / signal), 1e-9);
}

INSTANTIATE_TEST_SUITE_P(Formats, GaussianNoise, ::testing::ValuesIn(cases),
                         [](const auto &info) { return info.param.name; });
