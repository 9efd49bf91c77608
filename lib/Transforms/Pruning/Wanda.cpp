//===- Wanda.cpp - pruning by weights and activations ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Pruning/Wanda.h"
#include "llmc/Transforms/OutputError.h"

#include "mlir/IR/Threading.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

double llmc::getOutputError(MLIRContext *context, const WeightValues &values, ArrayRef<bool> kept,
                            ArrayRef<double> secondMoment) {
  const int64_t width = values.columns;
  return getOutputError(context, values.rows, width, secondMoment, [&](int64_t begin, int64_t end) {
    WeightRows some;
    some.weights.assign(values.data.begin() + begin * width, values.data.begin() + end * width);
    some.errors = some.weights;
    for (auto [index, error] : llvm::enumerate(some.errors))
      error = kept[begin * width + static_cast<int64_t>(index)] ? 0 : error;
    return some;
  });
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
