//===- ValueLatentsTest.cpp - latents in the place of cached values ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A model that caches latents A·x computes what it does with weights B·A of values, in fp64; and
// the latents that are fitted lose what they say, and least.
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/KVCache/ValueLatents.h"
#include "ExactModel.h"
#include "FamilyModels.h"

#include "mlir/IR/Diagnostics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

using namespace mlir;
using namespace llmc;
using namespace llmc::test;

namespace {

constexpr double latentTolerance = 1e-12;
constexpr int32_t latentTokens[] = {5, 2, 11, 7, 2};

class ValueLatentsTest : public testing::Test {
protected:
  ValueLatentsTest() { loadFamilyDialects(context); }

  static func::FuncOp getStep(ModuleOp module) { return module.lookupSymbol<func::FuncOp>("step"); }

  std::vector<double> draw(int64_t count) {
    std::vector<double> numbers(count);
    for (double &number : numbers)
      number = normal(random);
    return numbers;
  }

  /// Any A and B, one for the query heads that read the same values.
  ValueLatents drawLatents(CachedValues &values, int64_t headsTogether, int64_t rank) {
    ValueLatents latents{headsTogether, rank, {}, {}};
    const LatentShape shape = LatentShape::get(values, latents);
    for (int64_t group = 0; group < shape.groups; ++group)
      latents.a.push_back(draw(rank * shape.columns));
    for (int64_t head = 0; head < values.getCache().getValueHeads(); ++head)
      latents.b.insert(latents.b.end(), shape.queries / values.getCache().getValueHeads(),
                       draw(values.getCache().getValueSize() * rank));
    return latents;
  }

  static std::optional<std::vector<double>> compute(ModuleOp module,
                                                    const ParameterRewrite &rewrite) {
    std::string unknown;
    return computeLogits(getStep(module), rewrite, latentTokens, unknown);
  }

  MLIRContext context;
  std::mt19937_64 random{7};
  std::normal_distribution<double> normal;
};

/// B·A of all values, row by row.
std::vector<double> multiply(CachedValues &values, const ValueLatents &latents) {
  const LatentShape shape = LatentShape::get(values, latents);
  const int64_t rank = latents.rank, size = values.getCache().getValueSize(),
                heads = values.getCache().getValueHeads();
  std::vector<double> product(heads * size * shape.columns);
  for (int64_t row = 0; row < heads * size; ++row)
    for (int64_t i = 0; i < rank; ++i)
      for (int64_t column = 0; column < shape.columns; ++column)
        product[row * shape.columns + column] +=
            latents.b[row / size * shape.queries / heads][row % size * rank + i] *
            latents.a[row / shape.rows][i * shape.columns + column];
  return product;
}

/// The weights of values that latents are of.
ParameterRewrite::Step putProducts(CachedValues &values, const ValueLatents &latents) {
  return [begin = values.begin, product = multiply(values, latents)](ExactValues &all) {
    llvm::copy(product, all.data.begin() + begin * all.columns);
  };
}

TEST_F(ValueLatentsTest, LatentsAreWeightsOfLowRank) {
  int64_t checked = 0, withBias = 0, fused = 0;
  for (auto &[name, text] : readFamilyModels())
    for (bool together : {false, true}) {
      SCOPED_TRACE(name + (together ? " together" : ""));
      OwningOpRef<ModuleOp> module = parseFamilyModel(context, text);
      ASSERT_TRUE(module);
      FailureOr<std::vector<CachedValues>> found = failure();
      {
        ScopedDiagnosticHandler handler(&context, [](Diagnostic &) { return success(); });
        found = findCachedValues(getStep(*module));
      }
      if (failed(found))
        continue;
      ParameterRewrite expectedRewrite(*module), rewrite(*module);
      std::vector<ValueLatents> latents;
      for (CachedValues &values : *found) {
        const int64_t heads = together ? values.getCache().getValueHeads() : 1;
        latents.push_back(drawLatents(values, heads, 3));
        expectedRewrite.add(values.getWeight(), putProducts(values, latents.back()));
        withBias += values.producer.getBias() != nullptr;
        fused += values.begin != 0;
      }
      auto expected = compute(*module, expectedRewrite);
      for (auto [values, own] : llvm::zip_equal(*found, latents))
        ASSERT_TRUE(succeeded(replaceValues(values, own, rewrite)));
      ASSERT_TRUE(succeeded(retypeValues(*module, *found, latents)));
      auto computed = compute(*module, rewrite);
      ASSERT_EQ(expected.has_value(), computed.has_value());
      if (!expected)
        continue;
      EXPECT_LT(getRelativeDifference(*expected, *computed), latentTolerance);
      ++checked;
    }
  EXPECT_GE(checked, 12);
  EXPECT_GE(withBias, 2);
  EXPECT_GE(fused, 2);
}

/// ‖O·e·x‖² summed over heads that read the values, of errors e in their weights and inputs x.
double getLoss(CachedValues &values, const ExactValues &output, const std::vector<double> &errors,
               const std::vector<double> &factors) {
  KVCacheType cache = values.getCache();
  const int64_t size = cache.getValueSize(), columns = static_cast<int64_t>(factors.size());
  double loss = 0;
  const auto queries = static_cast<int64_t>(values.attention.getHeads());
  for (int64_t head = 0; head < queries; ++head)
    for (int64_t row = 0; row < output.rows; ++row)
      for (int64_t column = 0; column < columns; ++column) {
        double sum = 0;
        for (int64_t i = 0; i < size; ++i)
          sum += output.data[row * output.columns + head * size + i] *
                 errors[(head * cache.getValueHeads() / queries * size + i) * columns + column];
        loss += sum * sum * factors[column] * factors[column];
      }
  return loss;
}

TEST_F(ValueLatentsTest, FittedLatentsLoseLeast) {
  OwningOpRef<ModuleOp> module = parseFamilyModel(context, readFamilyModels()["heads:0"]);
  ASSERT_TRUE(module);
  FailureOr<std::vector<CachedValues>> found = findCachedValues(getStep(*module));
  ASSERT_TRUE(succeeded(found));
  CachedValues &values = found->front();
  const ParameterRewrite weights(*module);
  const ExactValues own = *weights.evaluate(values.getWeight());
  const ExactValues output = *weights.evaluate(getParameterOf(values.readers.front().getWeight()));
  std::vector<double> factors;
  for (int64_t column = 0; column < own.columns; ++column)
    factors.push_back(0.5 + 0.25 * static_cast<double>(column % 5));
  // What attention makes of values has the second moment of W·x, x scaled by the factors.
  auto getMoments = [&](int64_t headsTogether) {
    const int64_t rows = headsTogether * values.getCache().getValueSize();
    const auto queries = static_cast<int64_t>(values.attention.getHeads());
    ValueMoments moments;
    for (int64_t head = 0; head < queries; ++head) {
      const int64_t first = values.begin + head * (values.getWidth() / rows) / queries * rows;
      std::vector<double> &moment = moments.emplace_back(rows * rows);
      for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < rows; ++j)
          for (int64_t column = 0; column < own.columns; ++column)
            moment[i * rows + j] += own.data[(first + i) * own.columns + column] *
                                    own.data[(first + j) * own.columns + column] * factors[column] *
                                    factors[column];
    }
    return moments;
  };
  auto getErrors = [&](const ValueLatents &latents) {
    std::vector<double> errors(own.data.begin() + values.begin * own.columns,
                               own.data.begin() + (values.begin + values.getWidth()) * own.columns);
    if (!latents.a.empty())
      for (auto [error, number] : llvm::zip_equal(errors, multiply(values, latents)))
        error -= number;
    return getLoss(values, output, errors, factors);
  };
  const double all = getErrors({});
  for (int64_t heads : {int64_t(1), values.getCache().getValueHeads()})
    for (int64_t rank : {1, 2, 3}) {
      ValueLatents latents{heads, rank, {}, {}};
      if (rank >= LatentShape::get(values, latents).rows)
        continue;
      FailureOr<double> loss = fitLatents(values, getMoments(heads), /*damp=*/0, latents);
      ASSERT_TRUE(succeeded(loss));
      const double least = getErrors(latents);
      EXPECT_NEAR(*loss, std::sqrt(least / all), 1e-4);
      // A step in any direction costs more.
      for (int trial = 0; trial < 20; ++trial) {
        ValueLatents other = latents;
        for (std::vector<double> &each : other.a)
          for (double &number : each)
            number += 1e-3 * normal(random);
        EXPECT_GT(getErrors(other), least * (1 - 1e-5));
      }
    }
  ValueLatents whole{1, std::min(values.getCache().getValueSize(), own.columns), {}, {}};
  FailureOr<double> loss = fitLatents(values, getMoments(1), /*damp=*/0, whole);
  ASSERT_TRUE(succeeded(loss));
  EXPECT_LT(getErrors(whole), 1e-18 * all);
}

} // namespace
