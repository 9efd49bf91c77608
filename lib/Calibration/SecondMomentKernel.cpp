//===- SecondMomentKernel.cpp - products of columns, for one instruction set ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Compiled once for each instruction set that Eigen knows, with another name for Eigen's namespace,
// so that the linker keeps them apart. Nothing else may be included here: what two of these files
// share would be taken from either.
//
//===----------------------------------------------------------------------===//

#include "SecondMomentKernel.h"

#include <Eigen/Core>

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic>;
using Columns = Eigen::Map<const Matrix, 0, Eigen::OuterStride<>>;

void llmc::LLMC_PRODUCT_KERNEL(const float *left, long leftWidth, const float *right,
                               long rightWidth, long rows, long stride, float *out) {
  // A row of activations is a column here.
  Columns a(left, leftWidth, rows, Eigen::OuterStride<>(stride));
  Columns b(right, rightWidth, rows, Eigen::OuterStride<>(stride));
  Eigen::Map<Matrix> result(out, leftWidth, rightWidth);
  result.noalias() = a * b.transpose();
}

void llmc::LLMC_PREPARE_KERNEL() {
  // How Eigen cuts a sum depends on the caches: with these sizes it does not depend on the machine.
  Eigen::setCpuCacheSizes(32 << 10, 1 << 20, 8 << 20);
}
