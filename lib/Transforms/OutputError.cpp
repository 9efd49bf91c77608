//===- OutputError.cpp - what an error of weights does to outputs ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/OutputError.h"
#include "llmc/Support/LinearAlgebra.h"

#include "mlir/IR/Threading.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

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

double llmc::getOutputError(MLIRContext *context, int64_t rows, int64_t columns,
                            ArrayRef<double> secondMoment,
                            function_ref<WeightRows(int64_t begin, int64_t end)> getRows) {
  std::vector<double> lost((rows + chunkRows - 1) / chunkRows), all(lost.size());
  parallelFor(context, 0, lost.size(), [&](size_t chunk) {
    int64_t begin = static_cast<int64_t>(chunk) * chunkRows;
    WeightRows some = getRows(begin, std::min(begin + chunkRows, rows));
    all[chunk] = weigh(some.weights, secondMoment, columns);
    lost[chunk] = weigh(some.errors, secondMoment, columns);
  });
  double error = 0, whole = 0;
  for (auto [part, ofAll] : llvm::zip(lost, all)) {
    error += part;
    whole += ofAll;
  }
  return whole > 0 ? std::sqrt(std::max(error, 0.0) / whole) : 0;
}
