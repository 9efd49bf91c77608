//===- TrellisTable.h - the numbers of a trellis, learned from samples ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_TRANSFORMS_QUANTIZATION_TRELLISTABLE_H
#define LLMC_LIB_TRANSFORMS_QUANTIZATION_TRELLISTABLE_H

#include "TrellisKernels.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <array>
#include <cstdint>

namespace llmc {

/// The numbers of a trellis, by state.
struct TrellisTable {
  std::array<int8_t, trellisStates> numbers;
  float scale; ///< that makes them the samples'
};

/// The kernels for this machine.
const TrellisKernels &getTrellisKernels();

/// The table that a code of `bits` bits a weight loses least of `samples` with, which have variance
/// 1 and are cut into rows of `columns`: Lloyd's algorithm (Lloyd 1982, "Least squares quantization
/// in PCM") around a search for paths. Numbers start as `normal` gives them, normally distributed:
/// that ends better than quantiles in order.
TrellisTable trainTrellisTable(unsigned bits, llvm::ArrayRef<float> samples, int64_t columns,
                               llvm::function_ref<float()> normal);

/// The table for the weights of a matrix, row by row, in units of their row's root mean square:
/// that for normally distributed ones, fitted to some of the rows by Lloyd's algorithm, where it
/// loses less of these; else that itself.
TrellisTable learnTrellisTable(unsigned bits, llvm::ArrayRef<float> weights, int64_t columns);

/// The one for normally distributed weights of variance 1; bits are from 2 to 5.
const TrellisTable &getNormalTrellisTable(unsigned bits);

} // namespace llmc

#endif // LLMC_LIB_TRANSFORMS_QUANTIZATION_TRELLISTABLE_H
