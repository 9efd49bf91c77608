//===- KeptWeightsTest.cpp - rounding weights of which some are kept ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TransformsTestSupport.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"
#include "llmc/Transforms/Quantization/GPTQ.h"

#include <cmath>
#include <cstring>
#include <random>

using namespace llmc;

namespace {

constexpr int64_t rows = 33, columns = 96;

class KeptWeights : public test::WeightsTest {
protected:
  KeptWeights() {
    std::mt19937_64 random(7);
    std::normal_distribution<float> distribution;
    std::vector<float> weights(rows * columns);
    for (float &weight : weights)
      weight = distribution(random);
    for (int64_t first = 0; first < rows * columns; first += 4) {
      size_t left = random() % 4;
      for (size_t i = 0; i < 4; ++i)
        kept.push_back(i != left && i != (left + 1) % 4);
    }
    auto sparse = SparseAttr::get(&context, 2, 4, mlir::TypeAttr::get(builder.getF32Type()));
    std::vector<uint8_t> dense(weights.size() * 4);
    std::memcpy(dense.data(), weights.data(), dense.size());
    const int64_t shape[] = {rows, columns};
    parameter = makeParameter(weights, rows);
    setParameter(parameter, mlir::RankedTensorType::get(shape, builder.getF32Type(), sparse),
                 makeParameterData(&context, "w", sparse.pack(dense, shape, kept)));
    for (size_t i = 0; i < weights.size(); ++i)
      weights[i] = kept[i] ? weights[i] : 0;
    pruned = weights;
  }

  std::vector<EncodingInterface> getEncodings() {
    mlir::Type f16 = builder.getF16Type();
    return {GroupedAttr::get(&context, 4, 32, ZeroPoint::None, f16),
            GroupedAttr::get(&context, 3, 32, ZeroPoint::Integer, f16),
            GroupedAttr::get(&context, 4, 32, ZeroPoint::Float, f16),
            GroupedAttr::get(&context, 4, GroupedAttr::channelGroup, ZeroPoint::None, f16),
            GroupedAttr::get(&context, 4, GroupedAttr::tensorGroup, ZeroPoint::None, f16),
            NF4Attr::get(&context, 64, f16)};
  }

  /// H of inputs that are correlated.
  static std::vector<double> makeHessian() {
    std::mt19937_64 random(3);
    std::normal_distribution<double> distribution;
    std::vector<double> hessian(columns * columns);
    for (int sample = 0; sample < 400; ++sample) {
      std::vector<double> input(columns);
      double shared = distribution(random);
      for (double &value : input)
        value = shared + distribution(random);
      for (int64_t i = 0; i < columns; ++i)
        for (int64_t j = 0; j < columns; ++j)
          hessian[i * columns + j] += input[i] * input[j] / 200;
    }
    return hessian;
  }

  /// ‖(W − W')X‖ / ‖WX‖
  double getOutputError(llvm::ArrayRef<float> decoded) const {
    std::vector<double> hessian = makeHessian();
    double error = 0, whole = 0;
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t i = 0; i < columns; ++i)
        for (int64_t j = 0; j < columns; ++j) {
          auto weight = [&](int64_t at) -> double { return pruned[row * columns + at]; };
          auto change = [&](int64_t at) { return weight(at) - decoded[row * columns + at]; };
          error += change(i) * hessian[i * columns + j] * change(j);
          whole += weight(i) * hessian[i * columns + j] * weight(j);
        }
    return std::sqrt(error / whole);
  }

  void expectZeros(llvm::ArrayRef<float> decoded) const {
    for (size_t i = 0; i < decoded.size(); ++i)
      if (!kept[i])
        ASSERT_EQ(decoded[i], 0.0f) << i;
  }

  llvm::SmallVector<bool, 0> kept;
  std::vector<float> pruned;
  ParameterOp parameter;
};

} // namespace

TEST_F(KeptWeights, AreReadWithTheirMask) {
  WeightValues values = *WeightValues::read(parameter);
  EXPECT_EQ(values.kept, kept);
  EXPECT_EQ(values.data, pruned);
}

TEST_F(KeptWeights, RoundToTheNearestOfTheirOwnGroups) {
  WeightValues values = *WeightValues::read(parameter);
  for (EncodingInterface inner : getEncodings()) {
    EncodingInterface encoding = *keepSparsity(parameter, inner);
    EXPECT_EQ(mlir::cast<SparsityInterface>(encoding).getWeights(), inner);
    QuantizedWeight quantized = *roundToNearest(parameter, values, encoding, false);
    std::vector<float> decoded = decode(encoding, rows, columns, quantized.bytes);
    expectZeros(decoded);
    // Kept weights alone, in groups half as wide, become the same.
    std::vector<float> alone;
    for (auto [weight, isKept] : llvm::zip(pruned, kept))
      if (isKept)
        alone.push_back(weight);
    EncodingInterface half = inner;
    if (auto grouped = mlir::dyn_cast<GroupedAttr>(inner)) {
      if (grouped.getGroup() > 0)
        half = GroupedAttr::get(&context, grouped.getBits(), grouped.getGroup() / 2,
                                grouped.getZero(), grouped.getScale());
    } else {
      half = NF4Attr::get(&context, 32, builder.getF16Type());
    }
    ParameterOp other = makeParameter(alone, rows);
    QuantizedWeight rounded = *roundToNearest(other, *WeightValues::read(other), half, false);
    std::vector<float> expected = decode(half, rows, columns / 2, rounded.bytes);
    size_t next = 0;
    for (size_t i = 0; i < decoded.size(); ++i)
      if (kept[i])
        ASSERT_EQ(decoded[i], expected[next++]) << i;
    other.erase();
  }
}

// Where most weights are left out, there are groups of which nothing is kept.
TEST_F(KeptWeights, GroupsThatKeepNothingAreZero) {
  for (int64_t i = 0; i < rows * columns; ++i)
    kept[i] = kept[i] && i % columns >= 64 && i / columns % 3 != 1;
  const int64_t shape[] = {rows, columns};
  auto masked =
      MaskedAttr::get(&context, llvm::count(kept, true), mlir::TypeAttr::get(builder.getF32Type()));
  std::vector<uint8_t> dense(pruned.size() * 4);
  std::memcpy(dense.data(), pruned.data(), dense.size());
  setParameter(parameter, mlir::RankedTensorType::get(shape, builder.getF32Type(), masked),
               makeParameterData(&context, "masked", masked.pack(dense, shape, kept)));
  for (int64_t i = 0; i < rows * columns; ++i)
    pruned[i] = kept[i] ? pruned[i] : 0;
  WeightValues values = *WeightValues::read(parameter);
  ASSERT_EQ(values.data, pruned);
  for (EncodingInterface inner : getEncodings())
    for (bool search : {false, true}) {
      EncodingInterface encoding = *keepSparsity(parameter, inner);
      QuantizedWeight quantized = *roundToNearest(parameter, values, encoding, search);
      std::vector<float> decoded = decode(encoding, rows, columns, quantized.bytes);
      expectZeros(decoded);
      EXPECT_LT(getOutputError(decoded), 0.5);
    }
}

TEST_F(KeptWeights, CalibratedRoundingKeepsTheMaskAndLosesLess) {
  WeightValues values = *WeightValues::read(parameter);
  for (EncodingInterface inner : getEncodings()) {
    EncodingInterface encoding = *keepSparsity(parameter, inner);
    auto hessian = llvm::cantFail(InverseHessian::create(makeHessian(), columns, 0.01, false));
    GPTQResult result = *quantizeGPTQ(parameter, values, hessian, {encoding, false, false});
    std::vector<float> decoded = decode(encoding, rows, columns, result.weight.bytes);
    expectZeros(decoded);
    EXPECT_NEAR(*result.weight.outputError, getOutputError(decoded), 1e-6);
    std::vector<float> nearest =
        decode(encoding, rows, columns, roundToNearest(parameter, values, encoding, false)->bytes);
    EXPECT_LT(getOutputError(decoded), 0.9 * getOutputError(nearest));
  }
}
