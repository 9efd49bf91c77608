//===- ClipByInputsTest.cpp - clipping groups so that outputs change least ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Quantization/ClipByInputs.h"
#include "TransformsTestSupport.h"
#include "llmc/Transforms/Quantization/QuantizationOptions.h"

#include <algorithm>
#include <cmath>
#include <random>

using namespace llmc;

namespace {

class ClipByInputs : public test::WeightsTest {
protected:
  static constexpr int64_t rows = 40, columns = 160; // a shorter last chunk, and last group

  ClipByInputs() {
    std::mt19937_64 random(5);
    std::normal_distribution<double> normal;
    for (float &weight : weights)
      weight = static_cast<float>(normal(random));
    // Large weights that small inputs meet, and small ones that large inputs do.
    for (int64_t row = 0; row < rows; ++row)
      weights[row * columns + 3 * row % columns] *= 4;
    std::vector<double> x(columns);
    for (int64_t sample = 0; sample < 2 * columns; ++sample) {
      double state = 0;
      for (int64_t i = 0; i < columns; ++i) {
        state = 0.7 * state + normal(random);
        x[i] = state * static_cast<double>(1 + i % 5);
      }
      for (int64_t i = 0; i < columns; ++i)
        for (int64_t j = 0; j < columns; ++j)
          moment[i * columns + j] += x[i] * x[j];
    }
  }

  EncodingInterface getEncoding(const std::string &format, const std::string &group,
                                bool symmetric = true) {
    QuantizationRequest request;
    request.format = format;
    request.groupSize = group;
    request.symmetric = symmetric;
    request.activation = ActivationRounding::None;
    return QuantizationPlan::get(builder.getUnknownLoc(), request)->others.encoding;
  }

  /// D·H·Dᵀ of a row, D = W − W' from what is stored.
  double getError(EncodingInterface encoding, llvm::ArrayRef<uint8_t> bytes, int64_t row) const {
    std::vector<float> decoded = decode(encoding, rows, columns, bytes);
    std::vector<double> errors(columns);
    for (int64_t i = 0; i < columns; ++i)
      errors[i] = static_cast<double>(weights[row * columns + i]) - decoded[row * columns + i];
    double sum = 0;
    for (int64_t i = 0; i < columns; ++i)
      for (int64_t j = 0; j < columns; ++j)
        sum += errors[i] * moment[i * columns + j] * errors[j];
    return sum;
  }

  QuantizedWeight roundPlainly(EncodingInterface encoding) {
    return round(weights, rows, encoding);
  }

  QuantizedWeight roundByInputs(EncodingInterface encoding, llvm::ArrayRef<char> clipped) {
    ParameterOp parameter = makeParameter(weights, rows);
    QuantizedWeight rounded =
        *roundClipped(parameter, *WeightValues::read(parameter), encoding, moment, clipped);
    parameter.erase();
    return rounded;
  }

  std::vector<float> weights = std::vector<float>(rows * columns);
  std::vector<double> moment = std::vector<double>(columns * columns);
};

} // namespace

TEST_F(ClipByInputs, NoRowLosesMoreThanWithoutClips) {
  const std::pair<const char *, const char *> formats[] = {
      {"int", "64"}, {"int", "channel"}, {"nf4", "64"},    {"fp4", "32"},
      {"nvfp4", ""}, {"mxfp4", ""},      {"ternary", "64"}};
  for (auto [format, group] : formats)
    for (bool symmetric : {true, false}) {
      if (!symmetric && format != std::string("int"))
        continue;
      EncodingInterface encoding = getEncoding(format, group, symmetric);
      ASSERT_TRUE(canClip(encoding));
      QuantizedWeight plain = roundPlainly(encoding),
                      clipped = roundByInputs(encoding, std::vector<char>(rows, true));
      double before = 0, after = 0;
      for (int64_t row = 0; row < rows; ++row) {
        double unclipped = getError(encoding, plain.bytes, row),
               found = getError(encoding, clipped.bytes, row);
        EXPECT_LE(found, unclipped * (1 + 1e-9)) << format << " row " << row;
        before += unclipped;
        after += found;
      }
      // Scales that are powers of two, or means, have little to choose.
      bool hasLittle = format == std::string("mxfp4") || format == std::string("ternary");
      EXPECT_LT(after, (hasLittle ? 0.999 : 0.95) * before) << format;
      double whole = 0;
      for (int64_t row = 0; row < rows; ++row)
        for (int64_t i = 0; i < columns; ++i)
          for (int64_t j = 0; j < columns; ++j)
            whole += static_cast<double>(weights[row * columns + i]) * moment[i * columns + j] *
                     weights[row * columns + j];
      EXPECT_NEAR(*clipped.outputError, std::sqrt(after / whole), 1e-9) << format;
    }
}

// With one group the choice is the best of the ten, tried one by one.
TEST_F(ClipByInputs, OneGroupGetsTheBestClip) {
  EncodingInterface encoding = getEncoding("fp4", "channel");
  QuantizedWeight clipped = roundByInputs(encoding, std::vector<char>(rows, true));
  std::vector<double> least(rows, INFINITY);
  const std::vector<float> exact = weights;
  for (int step = 0; step < 10; ++step) {
    std::vector<float> bounded = exact;
    for (int64_t row = 0; row < rows; ++row) {
      float largest = 0;
      for (int64_t i = 0; i < columns; ++i)
        largest = std::max(largest, std::fabs(exact[row * columns + i]));
      auto bound = static_cast<float>(largest * (1 - 0.05 * step));
      for (int64_t i = 0; i < columns; ++i)
        bounded[row * columns + i] = std::clamp(exact[row * columns + i], -bound, bound);
    }
    // What is clipped is rounded to the largest number either way.
    weights = bounded;
    QuantizedWeight rounded = roundPlainly(encoding);
    weights = exact;
    for (int64_t row = 0; row < rows; ++row)
      least[row] = std::min(least[row], getError(encoding, rounded.bytes, row));
  }
  for (int64_t row = 0; row < rows; ++row)
    EXPECT_NEAR(getError(encoding, clipped.bytes, row), least[row], 1e-9 * least[row]) << row;
}

TEST_F(ClipByInputs, RowsThatMayNotBeClippedStayAsTheyAre) {
  EncodingInterface encoding = getEncoding("int", "64", /*symmetric=*/false);
  std::vector<char> clipped(rows, true);
  std::fill_n(clipped.begin(), 10, false);
  std::vector<float> plain = decode(encoding, rows, columns, roundPlainly(encoding).bytes),
                     found =
                         decode(encoding, rows, columns, roundByInputs(encoding, clipped).bytes);
  EXPECT_TRUE(std::equal(plain.begin(), plain.begin() + 10 * columns, found.begin()));
  EXPECT_FALSE(std::equal(plain.begin() + 10 * columns, plain.end(), found.begin() + 10 * columns));
}

TEST_F(ClipByInputs, TheSameBytesWithAndWithoutThreads) {
  EncodingInterface encoding = getEncoding("int", "64");
  std::vector<char> all(rows, true);
  std::vector<uint8_t> threaded = roundByInputs(encoding, all).bytes;
  context.disableMultithreading();
  EXPECT_EQ(roundByInputs(encoding, all).bytes, threaded);
}

TEST_F(ClipByInputs, RefusesWhatHasNoGroupsOfItsOwn) {
  EXPECT_FALSE(canClip(getEncoding("codebook", "")));
  EXPECT_FALSE(canClip(getEncoding("trellis", "")));
  EXPECT_FALSE(canClip(getEncoding("int", "tensor")));
}
