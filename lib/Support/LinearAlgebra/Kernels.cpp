//===- Kernels.cpp - linear algebra for one instruction set ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Compiled once for each instruction set, with LLMC_LINEAR_ALGEBRA naming the table and another
// name for the namespace Eigen, so that no code of one is taken for another's.
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <Eigen/Eigenvalues>

namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using View = Eigen::Map<Matrix, 0, Eigen::OuterStride<>>;
using ConstView = Eigen::Map<const Matrix, 0, Eigen::OuterStride<>>;

void prepare() {
  // How Eigen cuts a sum depends on the caches: with these sizes it does not depend on the machine.
  Eigen::setCpuCacheSizes(32 << 10, 1 << 20, 8 << 20);
}

void addProduct(double *out, long outStride, double factor, const double *left, long leftStride,
                const double *right, long rightStride, long rows, long columns, long inner) {
  ConstView a(left, rows, inner, Eigen::OuterStride<>(leftStride));
  ConstView b(right, inner, columns, Eigen::OuterStride<>(rightStride));
  View(out, rows, columns, Eigen::OuterStride<>(outStride)).noalias() += factor * a * b;
}

void multiplyTransposed(float *out, long outStride, const float *left, long leftStride,
                        const float *right, long rightStride, long rows, long columns, long inner) {
  using Floats = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using Input = Eigen::Map<const Floats, 0, Eigen::OuterStride<>>;
  Input a(left, inner, rows, Eigen::OuterStride<>(leftStride));
  Input b(right, inner, columns, Eigen::OuterStride<>(rightStride));
  Eigen::Map<Floats, 0, Eigen::OuterStride<>>(out, rows, columns, Eigen::OuterStride<>(outStride))
      .noalias() = a.transpose() * b;
}

bool factorLower(double *matrix, long stride, long size) {
  View view(matrix, size, size, Eigen::OuterStride<>(stride));
  Eigen::Ref<Matrix, 0, Eigen::OuterStride<>> in(view);
  Eigen::LLT<Eigen::Ref<Matrix, 0, Eigen::OuterStride<>>, Eigen::Lower> factorization(in);
  return factorization.info() == Eigen::Success;
}

void invertLower(const double *lower, long stride, double *inverse, long inverseStride, long size) {
  View result(inverse, size, size, Eigen::OuterStride<>(inverseStride));
  ConstView(lower, size, size, Eigen::OuterStride<>(stride))
      .triangularView<Eigen::Lower>()
      .solveInPlace(result);
}

bool decomposeSymmetric(double *matrix, long stride, double *values, long size) {
  View view(matrix, size, size, Eigen::OuterStride<>(stride));
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(view);
  if (solver.info() != Eigen::Success)
    return false;
  // Of Eigen, ascending.
  view = solver.eigenvectors().rowwise().reverse().transpose();
  Eigen::Map<Eigen::VectorXd>(values, size) = solver.eigenvalues().reverse();
  return true;
}

} // namespace

const llmc::LinearAlgebraKernels llmc::LLMC_LINEAR_ALGEBRA = {
    prepare, addProduct, multiplyTransposed, factorLower, invertLower, decomposeSymmetric};
