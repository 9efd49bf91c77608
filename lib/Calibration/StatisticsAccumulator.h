//===- StatisticsAccumulator.h - statistics of rows as they come ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CALIBRATION_STATISTICSACCUMULATOR_H
#define LLMC_LIB_CALIBRATION_STATISTICSACCUMULATOR_H

#include "HostCode.h"
#include "llmc/Calibration/Calibration.h"

namespace llmc {

/// Sums in double what is summed in fp32 over at most 1024 rows. The same calls give the same bits,
/// however many workers there are.
class StatisticsAccumulator {
public:
  StatisticsAccumulator(unsigned kinds, int64_t width, Workers &workers);

  /// Takes `count` rows, one at every `stride` floats.
  void add(const float *rows, int64_t count, int64_t stride);
  /// Lets rows that were added count `times` more in the second moment.
  void repeat(const float *rows, int64_t count, int64_t stride, double times);
  InputStatistics finish();

private:
  void addSecondMoment(const float *rows, int64_t count, int64_t stride, double times);
  void addColumns(const float *rows, int64_t count, int64_t stride);

  unsigned kinds;
  Workers &workers;
  InputStatistics result;
  std::vector<double> sums, magnitudes, squares;  ///< of columns
  std::vector<std::vector<float>> scratch;        ///< of workers
  std::vector<std::pair<int64_t, int64_t>> tiles; ///< on and below the diagonal
};

} // namespace llmc

#endif // LLMC_LIB_CALIBRATION_STATISTICSACCUMULATOR_H
