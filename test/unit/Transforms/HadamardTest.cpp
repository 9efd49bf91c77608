//===- HadamardTest.cpp - matrices of signs are orthogonal ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Support/Hadamard.h"
#include "llmc/Transforms/Rewrites/Rotation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

using namespace llmc;

namespace {

TEST(Hadamard, RowsAreOrthogonalForEveryOrder) {
  int64_t found = 0;
  for (int64_t order = 1; order <= 200; ++order) {
    std::optional<Hadamard> matrix = Hadamard::get(order);
    if (!matrix)
      continue;
    ++found;
    ASSERT_EQ(order, matrix->getOrder());
    std::vector<int> signs(order * order);
    for (int64_t i = 0; i < order; ++i)
      for (int64_t j = 0; j < order; ++j)
        signs[i * order + j] = matrix->getSign(i, j);
    for (int64_t i = 0; i < order; ++i)
      for (int64_t j = 0; j <= i; ++j) {
        int sum = 0;
        for (int64_t k = 0; k < order; ++k) {
          ASSERT_EQ(1, std::abs(signs[i * order + k]));
          sum += signs[i * order + k] * signs[j * order + k];
        }
        ASSERT_EQ(i == j ? order : 0, sum) << "order " << order << ", rows " << i << " and " << j;
      }
  }
  EXPECT_GT(found, 45);
}

TEST(Hadamard, KnowsTheWidthsOfModels) {
  const std::pair<int64_t, int64_t> cores[] = {{64, 1},      {192, 12},   {576, 36},    {768, 12},
                                               {896, 28},    {1536, 12},  {2048, 1},    {2560, 20},
                                               {3072, 12},   {4864, 76},  {5632, 44},   {8960, 140},
                                               {13824, 108}, {14336, 28}, {18944, 148}, {52, 52}};
  for (auto [order, core] : cores) {
    std::optional<Hadamard> matrix = Hadamard::get(order);
    ASSERT_TRUE(matrix) << order;
    EXPECT_EQ(core, matrix->getCoreOrder()) << order;
  }
  for (int64_t order :
       {int64_t(-4), int64_t(0), int64_t(3), int64_t(6), int64_t(92), int64_t(1) << 62})
    EXPECT_EQ(order == int64_t(1) << 62, Hadamard::get(order).has_value()) << order;
}

TEST(Hadamard, CutsOtherWidthsIntoBlocks) {
  EXPECT_EQ(576, getHadamardBlock(576));
  EXPECT_EQ(64, getHadamardBlock(576, /*maxCore=*/1));
  EXPECT_EQ(256, getHadamardBlock(11008));
  EXPECT_EQ(2, getHadamardBlock(6));
  EXPECT_EQ(1, getHadamardBlock(9));
  EXPECT_EQ(1, getHadamardBlock(1));
}

TEST(Hadamard, IsAppliedAsItsSignsSay) {
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal;
  for (int64_t order : {1, 2, 8, 12, 24, 28, 36, 52, 144}) {
    Hadamard matrix = *Hadamard::get(order);
    std::vector<double> x(order), expected(order, 0);
    for (double &value : x)
      value = normal(random);
    for (int64_t i = 0; i < order; ++i)
      for (int64_t j = 0; j < order; ++j)
        expected[j] += x[i] * matrix.getSign(i, j) / std::sqrt(static_cast<double>(order));
    std::vector<double> there = x;
    matrix.apply(there);
    for (int64_t i = 0; i < order; ++i)
      EXPECT_NEAR(expected[i], there[i], 1e-13) << order;
    matrix.applyTransposed(there);
    for (int64_t i = 0; i < order; ++i)
      EXPECT_NEAR(x[i], there[i], 1e-13) << order;
  }
}

TEST(Rotation, OfAGivenMatrixIsMadeOrthogonal) {
  // A reflection in fp32.
  const int64_t width = 12;
  std::mt19937_64 random(5);
  std::normal_distribution<double> normal;
  std::vector<double> direction(width), matrix(width * width);
  double square = 0, deviation = 0;
  for (double &value : direction) {
    value = normal(random);
    square += value * value;
  }
  for (int64_t i = 0; i < width; ++i)
    for (int64_t j = 0; j < width; ++j)
      matrix[i * width + j] =
          static_cast<float>((i == j) - 2 * direction[i] * direction[j] / square);
  RotationRef rotation = makeGivenRotation(width, matrix, deviation);
  ASSERT_TRUE(rotation);
  EXPECT_GT(deviation, 1e-12);
  for (int64_t i = 0; i < width; ++i)
    for (int64_t j = 0; j < width; ++j) {
      std::vector<double> a(width, 0), b(width, 0);
      a[i] = b[j] = 1;
      rotation->apply(a);
      rotation->apply(b);
      double product = 0;
      for (int64_t k = 0; k < width; ++k)
        product += a[k] * b[k];
      EXPECT_NEAR(i == j, product, 1e-13);
      EXPECT_NEAR(matrix[i * width + j], a[j], 1e-6);
    }
  matrix[5] += 1e-3;
  EXPECT_FALSE(makeGivenRotation(width, matrix, deviation));
  EXPECT_GT(deviation, 1e-4);
}

} // namespace
