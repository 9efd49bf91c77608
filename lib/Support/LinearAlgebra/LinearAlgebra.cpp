//===- LinearAlgebra.cpp - products and factors of dense matrices ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Support/LinearAlgebra.h"
#include "Kernels.h"
#include "llmc/Support/HostVariant.h"

#include <algorithm>
#include <vector>

using namespace llmc;

static const LinearAlgebraKernels &chooseKernels() {
#if defined(__x86_64__)
  switch (getHostVariant()) {
  case HostVariant::AVX512:
    return linearAlgebra_avx512;
  case HostVariant::AVX2:
    return linearAlgebra_avx2;
  case HostVariant::Baseline:
    break;
  }
#endif
  return linearAlgebra_baseline;
}

static const LinearAlgebraKernels &getKernels() {
  static const LinearAlgebraKernels &kernels = []() -> const LinearAlgebraKernels & {
    const LinearAlgebraKernels &chosen = chooseKernels();
    chosen.prepare();
    return chosen;
  }();
  return kernels;
}

void llmc::addProduct(MatrixView<double> out, double factor, MatrixView<const double> left,
                      MatrixView<const double> right) {
  getKernels().addProduct(out.data, out.stride, factor, left.data, left.stride, right.data,
                          right.stride, out.rows, out.columns, left.columns);
}

void llmc::multiplyTransposed(MatrixView<float> out, MatrixView<const float> left,
                              MatrixView<const float> right) {
  getKernels().multiplyTransposed(out.data, out.stride, left.data, left.stride, right.data,
                                  right.stride, out.rows, out.columns, left.rows);
}

/// Turns a matrix upside down and left to right: upper triangles become lower ones.
static void reverse(MatrixView<double> matrix) {
  for (int64_t row = 0; row < matrix.rows; ++row)
    std::reverse(matrix.row(row), matrix.row(row) + matrix.columns);
  for (int64_t row = 0; row < matrix.rows / 2; ++row)
    std::swap_ranges(matrix.row(row), matrix.row(row) + matrix.columns,
                     matrix.row(matrix.rows - 1 - row));
}

// With P the reversal, P·A·P = L·Lᵀ gives A = (P·L·P)·(P·L·P)ᵀ, where P·L·P is upper triangular.
bool llmc::factorUpper(MatrixView<double> matrix) {
  reverse(matrix);
  if (!getKernels().factorLower(matrix.data, matrix.stride, matrix.rows))
    return false;
  for (int64_t row = 0; row < matrix.rows; ++row)
    std::fill(matrix.row(row) + row + 1, matrix.row(row) + matrix.columns, 0.0);
  reverse(matrix);
  return true;
}

void llmc::invertUpper(MatrixView<const double> upper, MatrixView<double> inverse) {
  int64_t size = upper.rows;
  std::vector<double> lower(size * size);
  MatrixView<double> reversed(lower.data(), size, size);
  for (int64_t row = 0; row < size; ++row)
    std::copy_n(upper.row(row), size, reversed.row(row));
  reverse(reversed);
  for (int64_t row = 0; row < size; ++row) {
    std::fill_n(inverse.row(row), size, 0.0);
    inverse.row(row)[row] = 1;
  }
  getKernels().invertLower(reversed.data, reversed.stride, inverse.data, inverse.stride, size);
  reverse(inverse);
}

bool llmc::decomposeSymmetric(MatrixView<double> matrix, double *values) {
  return getKernels().decomposeSymmetric(matrix.data, matrix.stride, values, matrix.rows);
}
