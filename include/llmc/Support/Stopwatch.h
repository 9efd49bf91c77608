//===- Stopwatch.h - where time goes ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_SUPPORT_STOPWATCH_H
#define LLMC_SUPPORT_STOPWATCH_H

#include <chrono>

namespace llmc {

/// Measures from when it is made.
class Stopwatch {
public:
  double getSeconds() const { return std::chrono::duration<double>(Clock::now() - start).count(); }

private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start = Clock::now();
};

/// Adds the seconds of its life to a total.
class TimedScope {
public:
  explicit TimedScope(double &total) : total(total) {}
  TimedScope(const TimedScope &) = delete;
  ~TimedScope() { total += watch.getSeconds(); }

private:
  double &total;
  Stopwatch watch;
};

} // namespace llmc

#endif // LLMC_SUPPORT_STOPWATCH_H
