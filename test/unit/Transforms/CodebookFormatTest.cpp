//===- CodebookFormatTest.cpp - weights rounded to numbers that are learned ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TransformsTestSupport.h"
#include "llmc/Transforms/Quantization/Codebook.h"
#include "llmc/Transforms/Quantization/QuantizedWeight.h"

#include <cmath>
#include <random>

using namespace llmc;

namespace {

class CodebookFormat : public test::WeightsTest {
protected:
  EncodingInterface encoding(unsigned bits, int64_t rows) {
    return CodebookAttr::get(&context, bits, rows, builder.getF32Type());
  }

  static double getError(llvm::ArrayRef<float> weights, llvm::ArrayRef<float> decoded,
                         llvm::ArrayRef<float> importance = {}) {
    double error = 0;
    for (size_t i = 0; i < weights.size(); ++i)
      error += (importance.empty() ? 1.0 : importance[i % importance.size()]) *
               std::pow(double(weights[i]) - decoded[i], 2);
    return error;
  }
};

/// Of the numbers in ascending order as `left` clusters, by trying every one.
double getLeastLoss(llvm::ArrayRef<WeighedNumber> numbers, unsigned left) {
  auto asOne = [&](size_t count) {
    double weight = 0, sum = 0, loss = 0;
    for (const WeighedNumber &number : numbers.take_front(count)) {
      weight += number.importance;
      sum += double(number.importance) * number.value;
    }
    for (const WeighedNumber &number : numbers.take_front(count))
      loss += number.importance * std::pow(number.value - sum / weight, 2);
    return loss;
  };
  if (left == 1)
    return asOne(numbers.size());
  double least = INFINITY;
  for (size_t count = 1; count + left <= numbers.size() + 1; ++count)
    least = std::min(least, asOne(count) + getLeastLoss(numbers.drop_front(count), left - 1));
  return least;
}

} // namespace

TEST_F(CodebookFormat, ClustersLoseLeast) {
  std::mt19937_64 random(3);
  for (int trial = 0; trial < 20; ++trial) {
    std::vector<WeighedNumber> numbers;
    for (float value : normal(12, trial))
      numbers.push_back({value, 0.01f + static_cast<float>(random() % 100) / 10});
    llvm::sort(numbers, [](auto a, auto b) { return a.value < b.value; });
    for (unsigned count : {2u, 3u, 4u}) {
      std::vector<float> found = clusterNumbers(numbers, count);
      ASSERT_EQ(found.size(), count);
      double loss = 0;
      for (const WeighedNumber &number : numbers) {
        float nearest = INFINITY;
        for (float cluster : found)
          nearest = std::min(nearest, std::fabs(number.value - cluster));
        loss += number.importance * std::pow(nearest, 2);
      }
      EXPECT_NEAR(loss, getLeastLoss(numbers, count), 1e-5 * loss);
    }
  }
}

TEST_F(CodebookFormat, FewNumbersAreTheirOwnClusters) {
  EXPECT_EQ(clusterNumbers({{2, 1}, {-1, 1}, {2, 3}}, 4), (std::vector<float>{-1, 2, 2, 2}));
  EXPECT_EQ(clusterNumbers({}, 2), (std::vector<float>{0, 0}));
  // What counts for nothing has a place too.
  EXPECT_EQ(clusterNumbers({{1, 0}, {2, 0}, {3, 0}}, 2).size(), 2u);
}

TEST_F(CodebookFormat, KeepsWhatItHoldsExactly) {
  // Of each row a few whole numbers times a power of two, 127 among them; a row of zeros.
  std::vector<float> weights;
  for (float scale : {0.25f, 0.0f, 2.0f})
    for (int i = 0; i < 32; ++i)
      weights.push_back(scale * static_cast<float>(i % 16 == 0 ? 127 : 9 * (i % 16) - 60));
  for (int64_t sharing : {int64_t(1), int64_t(16), CodebookAttr::allRows})
    EXPECT_EQ(roundTrip(weights, 3, encoding(4, sharing)), weights);
}

TEST_F(CodebookFormat, MoreNumbersLoseLess) {
  std::vector<float> weights = normal(48 * 320);
  double before = INFINITY;
  for (unsigned bits = 2; bits <= 8; ++bits) {
    double error = getError(weights, roundTrip(weights, 48, encoding(bits, CodebookAttr::allRows)));
    EXPECT_LT(error, before * (bits < 7 ? 0.35 : 0.8)) << bits;
    before = error;
    // A table of their own loses less than one that all rows share.
    EXPECT_LT(getError(weights, roundTrip(weights, 48, encoding(bits, 1))), error) << bits;
  }
}

TEST_F(CodebookFormat, ImportantErrorsAreSmaller) {
  std::vector<float> weights = normal(32 * 256), importance(256, 0.01f);
  for (size_t column = 0; column < 256; column += 8)
    importance[column] = 1;
  ParameterOp parameter = makeParameter(weights, 32);
  WeightValues values = *WeightValues::read(parameter);
  const int64_t shape[] = {32, 256};
  for (int64_t sharing : {int64_t(1), int64_t(16)}) {
    auto codebook = mlir::cast<CodebookAttr>(encoding(3, sharing));
    auto quantizer = makeCodebookQuantizer(codebook, shape, values.data, importance);
    QuantizedWeight weighed = *roundToNearest(parameter, values, codebook, *quantizer, importance);
    QuantizedWeight plain = *roundToNearest(parameter, values, codebook, false);
    EXPECT_LT(getError(weights, decode(codebook, 32, 256, weighed.bytes), importance),
              0.9 * getError(weights, decode(codebook, 32, 256, plain.bytes), importance))
        << sharing;
  }
}

TEST_F(CodebookFormat, WidensScalesThatTheirTypeCannotHold) {
  mlir::ScopedDiagnosticHandler handler(&context,
                                        [](mlir::Diagnostic &) { return mlir::success(); });
  EncodingInterface half = CodebookAttr::get(&context, 4, 1, builder.getF16Type());
  for (auto [magnitude, fits] :
       {std::pair(1.0f, true), {0.0f, true}, {1e-7f, false}, {1e8f, false}}) {
    ParameterOp parameter = makeParameter({0, 0, magnitude, -magnitude / 2}, 2);
    EXPECT_EQ(widenScales(parameter, *WeightValues::read(parameter), half),
              fits ? half : encoding(4, 1))
        << magnitude;
    parameter.erase();
  }
}
