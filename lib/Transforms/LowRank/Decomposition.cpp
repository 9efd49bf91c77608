//===- Decomposition.cpp - the two factors whose product is nearest to a matrix ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/LowRank/Decomposition.h"
#include "llmc/Support/LinearAlgebra.h"
#include "llmc/Transforms/Quantization/GPTQ.h"

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace llmc;

//===----------------------------------------------------------------------===//
// The inputs' side
//===----------------------------------------------------------------------===//

InputMetric::InputMetric(std::vector<double> given)
    : width(static_cast<int64_t>(given.size())), factors(std::move(given)) {
  for (double &factor : factors) {
    dead.push_back(!(factor > 0));
    factor = dead.back() ? 0 : factor;
  }
}

InputMetric::InputMetric(InverseHessian hessian)
    : width(hessian.width), dead(std::move(hessian.dead)), root(std::move(hessian.factor)),
      inverse(std::move(hessian.inverse)) {}

static std::vector<double> multiply(llvm::ArrayRef<double> left, llvm::ArrayRef<double> right,
                                    int64_t rows, int64_t inner, int64_t columns) {
  std::vector<double> product(rows * columns);
  addProduct({product.data(), rows, columns}, 1, {left.data(), rows, inner},
             {right.data(), inner, columns});
  return product;
}

void InputMetric::apply(std::vector<double> &rows) const {
  const int64_t count = static_cast<int64_t>(rows.size()) / width;
  if (!root.empty())
    rows = multiply(rows, root, count, width, width);
  else if (!factors.empty())
    for (size_t i = 0; i < rows.size(); ++i)
      rows[i] *= factors[i % width];
}

void InputMetric::undo(std::vector<double> &rows) const {
  const int64_t count = static_cast<int64_t>(rows.size()) / width;
  if (!inverse.empty())
    rows = multiply(rows, inverse, count, width, width);
  else if (!factors.empty())
    for (size_t i = 0; i < rows.size(); ++i)
      rows[i] = dead[i % width] ? 0 : rows[i] / factors[i % width];
}

//===----------------------------------------------------------------------===//
// The weights' side
//===----------------------------------------------------------------------===//

static std::vector<double> transpose(llvm::ArrayRef<double> matrix, int64_t rows, int64_t columns) {
  std::vector<double> result(matrix.size());
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < columns; ++column)
      result[column * rows + row] = matrix[row * columns + column];
  return result;
}

Decomposition::Decomposition(std::vector<double> from, const InputMetric &metric)
    : metric(&metric), rows(static_cast<int64_t>(from.size()) / metric.getWidth()),
      columns(metric.getWidth()), weights(std::move(from)) {
  for (size_t i = 0; i < weights.size(); ++i)
    if (metric.isDead(static_cast<int64_t>(i) % columns))
      weights[i] = 0;
}

llvm::Expected<Decomposition> Decomposition::create(std::vector<double> from,
                                                    const InputMetric &metric) {
  Decomposition result(std::move(from), metric);
  const int64_t rows = result.rows, columns = result.columns, size = std::min(rows, columns);
  std::vector<double> weighed = result.weights;
  metric.apply(weighed);
  const std::vector<double> turned = transpose(weighed, rows, columns);
  // The smaller of the two products with itself has the same σ².
  result.vectors = result.isWide() ? multiply(weighed, turned, rows, columns, rows)
                                   : multiply(turned, weighed, columns, rows, columns);
  result.squares.resize(size);
  if (!decomposeSymmetric({result.vectors.data(), size, size}, result.squares.data()))
    return llvm::createStringError("expected weights whose singular values can be found");
  for (double &square : result.squares)
    square = std::max(square, 0.0);
  if (!result.isWide())
    result.weights = std::move(weighed);
  return result;
}

double Decomposition::getLoss(int64_t rank) const {
  // The small ones first.
  return std::accumulate(squares.rbegin(), squares.rend() - rank, 0.0);
}

LowRankFactors Decomposition::getFactors(int64_t rank) const {
  LowRankFactors factors;
  factors.rank = rank;
  std::vector<double> chosen(vectors.begin(), vectors.begin() + rank * getFullRank());
  if (isWide()) {
    factors.a = multiply(chosen, weights, rank, rows, columns);
    factors.b = transpose(chosen, rank, rows);
    return factors;
  }
  // B = W·S·V and A = Vᵀ·S⁻¹, then σ moves from the one to the other.
  factors.b = multiply(weights, transpose(chosen, rank, columns), rows, columns, rank);
  factors.a = std::move(chosen);
  metric->undo(factors.a);
  for (int64_t i = 0; i < rank; ++i) {
    const double sigma = std::sqrt(squares[i]);
    // What is nothing but rounding error has no direction.
    if (!(sigma > 1e-12 * std::sqrt(squares.front())))
      continue;
    for (int64_t row = 0; row < rows; ++row)
      factors.b[row * rank + i] /= sigma;
    for (int64_t column = 0; column < columns; ++column)
      factors.a[i * columns + column] *= sigma;
  }
  return factors;
}
