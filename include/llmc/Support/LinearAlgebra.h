//===- LinearAlgebra.h - products and factors of dense matrices ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The few operations that compression algorithms spend their time in, done by Eigen on the best
// instructions this CPU has. Matrices are row-major. Each call runs on the caller's thread alone:
// who wants threads cuts the work, in a way that does not depend on their number.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_SUPPORT_LINEARALGEBRA_H
#define LLMC_SUPPORT_LINEARALGEBRA_H

#include <cstdint>

namespace llmc {

/// A view of a row-major matrix.
template <typename T>
struct MatrixView {
  T *data;
  int64_t rows, columns, stride; ///< stride: elements from row to row

  MatrixView(T *data, int64_t rows, int64_t columns, int64_t stride)
      : data(data), rows(rows), columns(columns), stride(stride) {}
  MatrixView(T *data, int64_t rows, int64_t columns) : MatrixView(data, rows, columns, columns) {}
  template <typename U>
  MatrixView(const MatrixView<U> &other)
      : MatrixView(other.data, other.rows, other.columns, other.stride) {}

  T *row(int64_t index) const { return data + index * stride; }
  MatrixView block(int64_t row, int64_t column, int64_t rowCount, int64_t columnCount) const {
    return {data + row * stride + column, rowCount, columnCount, stride};
  }
};

/// out += factor · left · right
void addProduct(MatrixView<double> out, double factor, MatrixView<const double> left,
                MatrixView<const double> right);

/// out = leftᵀ · right, where both have the same rows; sums in fp32.
void multiplyTransposed(MatrixView<float> out, MatrixView<const float> left,
                        MatrixView<const float> right);

/// Factors a symmetric positive definite matrix A = R·Rᵀ with R upper triangular, in place: R
/// replaces A, zeros below it. False where A is not positive definite; then A is lost.
bool factorUpper(MatrixView<double> matrix);

/// Writes the inverse of an upper triangular matrix, which is upper triangular too.
void invertUpper(MatrixView<const double> upper, MatrixView<double> inverse);

/// Takes a symmetric matrix apart: writes its eigenvalues, in descending order, to `values`, and
/// the eigenvector of each to the row of the same number. False where it does not converge.
bool decomposeSymmetric(MatrixView<double> matrix, double *values);

} // namespace llmc

#endif // LLMC_SUPPORT_LINEARALGEBRA_H
