//===- Rotation.cpp - orthogonal matrices that channels are multiplied with ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Rewrites/Rotation.h"
#include "llmc/Support/Hadamard.h"
#include "llmc/Support/LinearAlgebra.h"

#include "mlir/IR/Threading.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

using namespace mlir;
using namespace llmc;

//===----------------------------------------------------------------------===//
// Matrices
//===----------------------------------------------------------------------===//

namespace {

/// diag(signs) · diag(H, H, …)
class HadamardRotation : public Rotation {
public:
  HadamardRotation(Hadamard matrix, std::vector<double> signs)
      : matrix(std::move(matrix)), signs(std::move(signs)) {}

  int64_t getWidth() const override { return static_cast<int64_t>(signs.size()); }

  void apply(MutableArrayRef<double> x) const override {
    for (auto [value, sign] : llvm::zip_equal(x, signs))
      value *= sign;
    for (int64_t begin = 0; begin < getWidth(); begin += matrix.getOrder())
      matrix.apply(x.slice(begin, matrix.getOrder()));
  }

  std::optional<Signed> getHadamard() const override { return Signed{matrix.getOrder(), signs}; }

private:
  Hadamard matrix;
  std::vector<double> signs;
};

class DenseRotation : public Rotation {
public:
  DenseRotation(int64_t width, std::vector<double> matrix)
      : width(width), matrix(std::move(matrix)) {}

  int64_t getWidth() const override { return width; }

  void apply(MutableArrayRef<double> x) const override {
    std::vector<double> result(width, 0);
    addProduct({result.data(), 1, width}, 1, MatrixView<const double>(x.data(), 1, width),
               MatrixView<const double>(matrix.data(), width, width));
    llvm::copy(result, x.begin());
  }

private:
  int64_t width;
  std::vector<double> matrix;
};

} // namespace

static RotationRef makeRotation(int64_t width, function_ref<double()> nextSign) {
  int64_t order = getHadamardBlock(width);
  if (order == 1)
    return nullptr;
  std::vector<double> signs(width);
  std::generate(signs.begin(), signs.end(), nextSign);
  return std::make_shared<HadamardRotation>(*Hadamard::get(order), std::move(signs));
}

RotationRef llmc::makeHadamardRotation(int64_t width) {
  return makeRotation(width, [] { return 1.0; });
}

RotationRef llmc::makeRandomizedRotation(int64_t width, uint64_t seed) {
  std::mt19937_64 random(seed);
  return makeRotation(width, [&] { return random() >> 63 ? -1.0 : 1.0; });
}

/// M·Mᵀ − I
static std::vector<double> getDefect(int64_t width, ArrayRef<double> matrix) {
  std::vector<double> transposed(matrix.size()), defect(matrix.size(), 0);
  for (int64_t i = 0; i < width; ++i)
    for (int64_t j = 0; j < width; ++j)
      transposed[j * width + i] = matrix[i * width + j];
  addProduct({defect.data(), width, width}, 1,
             MatrixView<const double>(matrix.data(), width, width),
             MatrixView<const double>(transposed.data(), width, width));
  for (int64_t i = 0; i < width; ++i)
    defect[i * width + i] -= 1;
  return defect;
}

RotationRef llmc::makeGivenRotation(int64_t width, std::vector<double> matrix, double &deviation) {
  std::vector<double> defect = getDefect(width, matrix);
  deviation = 0;
  for (double value : defect)
    deviation = std::isfinite(value) ? std::max(deviation, std::fabs(value)) : HUGE_VAL;
  if (deviation > 1e-5)
    return nullptr;
  // Newton and Schulz's iteration, M ← M − (M·Mᵀ − I)·M / 2: what a matrix in fp32 lacks is squared
  // by each step.
  for (int step = 0; step < 3; ++step) {
    std::vector<double> next = matrix;
    addProduct({next.data(), width, width}, -0.5,
               MatrixView<const double>(defect.data(), width, width),
               MatrixView<const double>(matrix.data(), width, width));
    matrix = std::move(next);
    defect = getDefect(width, matrix);
  }
  return std::make_shared<DenseRotation>(width, std::move(matrix));
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

static void applyToBlocks(const Rotation &rotation, MutableArrayRef<double> x) {
  for (; !x.empty(); x = x.drop_front(rotation.getWidth()))
    rotation.apply(x.take_front(rotation.getWidth()));
}

ParameterRewrite::Step llmc::rotateColumns(RotationRef rotation) {
  return [rotation = std::move(rotation)](ExactValues &values) {
    parallelFor(values.context, 0, values.rows, [&](size_t row) {
      applyToBlocks(*rotation, values.row(static_cast<int64_t>(row)));
    });
  };
}

ParameterRewrite::Step llmc::rotateRows(RotationRef rotation, int64_t begin, int64_t count) {
  return [=](ExactValues &values) {
    parallelFor(values.context, 0, values.columns, [&](size_t column) {
      std::vector<double> x(count);
      double *from = values.data.data() + begin * values.columns + column;
      for (int64_t i = 0; i < count; ++i)
        x[i] = from[i * values.columns];
      applyToBlocks(*rotation, x);
      for (int64_t i = 0; i < count; ++i)
        from[i * values.columns] = x[i];
    });
  };
}

ParameterRewrite::Step llmc::centerRows() {
  return [](ExactValues &values) {
    std::vector<double> means(values.columns, 0);
    for (int64_t row = 0; row < values.rows; ++row)
      for (auto [mean, value] : llvm::zip_equal(means, values.row(row)))
        mean += value / static_cast<double>(values.rows);
    for (int64_t row = 0; row < values.rows; ++row)
      for (auto [mean, value] : llvm::zip_equal(means, values.row(row)))
        value -= mean;
  };
}

ParameterRewrite::Step llmc::centerColumns() {
  return [](ExactValues &values) {
    parallelFor(values.context, 0, values.rows, [&](size_t index) {
      MutableArrayRef<double> row = values.row(static_cast<int64_t>(index));
      double mean =
          std::accumulate(row.begin(), row.end(), 0.0) / static_cast<double>(values.columns);
      for (double &value : row)
        value -= mean;
    });
  };
}
