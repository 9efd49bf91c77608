//===- Stopwatch.h - adds up where time goes ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CALIBRATION_STOPWATCH_H
#define LLMC_LIB_CALIBRATION_STOPWATCH_H

#include <chrono>

namespace llmc {

/// Adds the seconds of its life to a total.
class Stopwatch {
public:
  explicit Stopwatch(double &total) : total(total), start(Clock::now()) {}
  Stopwatch(const Stopwatch &) = delete;
  ~Stopwatch() { total += std::chrono::duration<double>(Clock::now() - start).count(); }

private:
  using Clock = std::chrono::steady_clock;
  double &total;
  Clock::time_point start;
};

} // namespace llmc

#endif // LLMC_LIB_CALIBRATION_STOPWATCH_H
