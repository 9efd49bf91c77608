//===- Kernels.h - linear algebra for one instruction set ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_SUPPORT_LINEARALGEBRA_KERNELS_H
#define LLMC_LIB_SUPPORT_LINEARALGEBRA_KERNELS_H

namespace llmc {

/// Plain functions: what is inline here would be compiled several times, and the linker would take
/// any of the copies.
struct LinearAlgebraKernels {
  /// Called once before all others.
  void (*prepare)();
  void (*addProduct)(double *out, long outStride, double factor, const double *left,
                     long leftStride, const double *right, long rightStride, long rows,
                     long columns, long inner);
  void (*multiplyTransposed)(float *out, long outStride, const float *left, long leftStride,
                             const float *right, long rightStride, long rows, long columns,
                             long inner);
  /// A = L·Lᵀ, in place; what is above the diagonal is left alone.
  bool (*factorLower)(double *matrix, long stride, long size);
  /// `inverse`, the identity at first, becomes the inverse of the lower triangle.
  void (*invertLower)(const double *lower, long stride, double *inverse, long inverseStride,
                      long size);
  /// A = Σ values[i]·vᵢ·vᵢᵀ, values descending; row i of `matrix` becomes vᵢ. Only the lower
  /// triangle of A is read. False where it does not converge.
  bool (*decomposeSymmetric)(double *matrix, long stride, double *values, long size);
};

extern const LinearAlgebraKernels linearAlgebra_baseline, linearAlgebra_avx2, linearAlgebra_avx512;

} // namespace llmc

#endif // LLMC_LIB_SUPPORT_LINEARALGEBRA_KERNELS_H
