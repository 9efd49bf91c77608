//===- ProgressLine.h - a line that shows how far long work is ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_SUPPORT_PROGRESSLINE_H
#define LLMC_SUPPORT_PROGRESSLINE_H

#include "llvm/ADT/StringRef.h"

#include <chrono>
#include <string>

namespace llmc {

/// Shows on standard error, where that is a terminal, what is being done and how long the rest will
/// take at the pace so far. The line is removed at the end.
class ProgressLine {
public:
  ProgressLine(llvm::StringRef what, int64_t total);
  ProgressLine(const ProgressLine &) = delete;
  ProgressLine &operator=(const ProgressLine &) = delete;
  ~ProgressLine();

  /// Says that one more of the total is done.
  void advance(llvm::StringRef where);
  /// Removes the line, so that others can write.
  void clear();

private:
  using Clock = std::chrono::steady_clock;
  std::string what;
  int64_t total, done = 0;
  Clock::time_point start, shown;
  bool terminal, visible = false;
};

} // namespace llmc

#endif // LLMC_SUPPORT_PROGRESSLINE_H
