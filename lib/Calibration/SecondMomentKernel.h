//===- SecondMomentKernel.h - products of columns, for each instruction set ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CALIBRATION_SECONDMOMENTKERNEL_H
#define LLMC_LIB_CALIBRATION_SECONDMOMENTKERNEL_H

namespace llmc {

/// out[i + leftWidth · j] = Σ_r left[r · stride + i] · right[r · stride + j], in fp32.
using ProductKernel = void(const float *left, long leftWidth, const float *right, long rightWidth,
                           long rows, long stride, float *out);

ProductKernel multiplyColumns_baseline, multiplyColumns_avx2, multiplyColumns_avx512;
void prepareColumns_baseline();
void prepareColumns_avx2();
void prepareColumns_avx512();

} // namespace llmc

#endif // LLMC_LIB_CALIBRATION_SECONDMOMENTKERNEL_H
