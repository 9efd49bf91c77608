//===- GridKernels.h - what candidates for a group's grid lose, for one instruction set ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_TRANSFORMS_QUANTIZATION_GRIDKERNELS_H
#define LLMC_LIB_TRANSFORMS_QUANTIZATION_GRIDKERNELS_H

namespace llmc {

/// Grids that are tried at once, one in each lane.
constexpr int gridLanes = 16;

/// Grids k · scale + minimum with low ≤ k ≤ high, whole numbers below 2^22.
struct GridCandidates {
  alignas(64) float scale[gridLanes];
  alignas(64) float inverse[gridLanes]; ///< 1 / scale
  alignas(64) float minimum[gridLanes];
  alignas(64) float low[gridLanes], high[gridLanes];
};

/// Sums over weights w with importance h, where k is the nearest number of a candidate's grid and
/// e = w − (k · scale + minimum).
struct GridSums {
  double errors[gridLanes];  ///< h·e²
  double codes[gridLanes];   ///< h·k²
  double product[gridLanes]; ///< h·k·e
  double code[gridLanes];    ///< h·k
  double error[gridLanes];   ///< h·e
};

/// Adds the sums of `count` weights. Of candidates whose minimum is zero, addSums leaves `code` and
/// `error` alone. Every variant gives the same bits.
struct GridKernels {
  void (*addSums)(const float *weights, const float *importance, long count,
                  const GridCandidates &candidates, GridSums &sums);
  void (*addSumsWithMinimum)(const float *weights, const float *importance, long count,
                             const GridCandidates &candidates, GridSums &sums);
};

extern const GridKernels gridKernels_baseline, gridKernels_avx2, gridKernels_avx512;

/// Those of this machine.
const GridKernels &getGridKernels();

} // namespace llmc

#endif // LLMC_LIB_TRANSFORMS_QUANTIZATION_GRIDKERNELS_H
