//===- Wanda.cpp - pruning by weights and activations ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Pruning/Wanda.h"
#include "llmc/Support/LinearAlgebra.h"

#include "mlir/IR/Threading.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

/// Rows that are summed at a time. Their number is fixed, so that results do not depend on threads.
static constexpr int64_t chunkRows = 32;

/// Σ v·H·vᵀ over some rows v.
static double weigh(ArrayRef<double> rows, ArrayRef<double> hessian, int64_t width) {
  auto count = static_cast<int64_t>(rows.size()) / width;
  std::vector<double> product(rows.size());
  addProduct({product.data(), count, width}, 1, {rows.data(), count, width},
             {hessian.data(), width, width});
  double sum = 0;
  for (auto [left, right] : llvm::zip(rows, product))
    sum += left * right;
  return sum;
}

double llmc::getOutputError(MLIRContext *context, const WeightValues &values, ArrayRef<bool> kept,
                            ArrayRef<double> secondMoment) {
  int64_t width = values.columns;
  std::vector<double> lost((values.rows + chunkRows - 1) / chunkRows), all(lost.size());
  parallelFor(context, 0, lost.size(), [&](size_t chunk) {
    int64_t begin = static_cast<int64_t>(chunk) * chunkRows * width;
    int64_t end = std::min(begin + chunkRows * width, values.rows * width);
    std::vector<double> weights(values.data.begin() + begin, values.data.begin() + end);
    all[chunk] = weigh(weights, secondMoment, width);
    for (int64_t i = begin; i < end; ++i)
      weights[i - begin] = kept[i] ? 0 : weights[i - begin];
    lost[chunk] = weigh(weights, secondMoment, width);
  });
  double error = 0, whole = 0;
  for (auto [part, ofAll] : llvm::zip(lost, all)) {
    error += part;
    whole += ofAll;
  }
  return whole > 0 ? std::sqrt(std::max(error, 0.0) / whole) : 0;
}

FailureOr<QuantizedWeight> llmc::pruneByWanda(ParameterOp parameter, const WeightValues &values,
                                              ArrayRef<double> secondMoment,
                                              const PruningPattern &pattern) {
  std::vector<double> norms(values.columns);
  for (int64_t column = 0; column < values.columns; ++column)
    norms[column] = std::sqrt(secondMoment[column * values.columns + column]);
  SmallVector<bool, 0> kept(values.data.size());
  parallelFor(parameter.getContext(), 0, values.rows, [&](size_t row) {
    std::vector<double> scores;
    for (auto [weight, norm] : llvm::zip(values.row(row), norms))
      scores.push_back(std::fabs(weight) * norm);
    MutableArrayRef<bool> all = kept;
    pattern.choose(scores, all.slice(row * values.columns, values.columns));
  });
  FailureOr<QuantizedWeight> pruned = pruneWeight(parameter, values, pattern, kept);
  if (succeeded(pruned))
    pruned->outputError = getOutputError(parameter.getContext(), values, kept, secondMoment);
  return pruned;
}
