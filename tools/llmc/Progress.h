//===- Progress.h - a line that shows how far long work is ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TOOLS_PROGRESS_H
#define LLMC_TOOLS_PROGRESS_H

#include <chrono>
#include <cstddef>
#include <string>

namespace llmc::driver {

/// Shows a bar on standard error while work goes on: only when that is a terminal, and only once
/// the work has lasted a second. It is removed at the end.
class Progress {
public:
  Progress(std::string what, size_t total);
  ~Progress();
  Progress(const Progress &) = delete;
  Progress &operator=(const Progress &) = delete;

  /// Says that `done` of `total` are done.
  void update(size_t done);

private:
  using Clock = std::chrono::steady_clock;
  std::string what;
  size_t total;
  Clock::time_point start, shown;
  bool terminal, visible = false;
};

} // namespace llmc::driver

#endif // LLMC_TOOLS_PROGRESS_H
