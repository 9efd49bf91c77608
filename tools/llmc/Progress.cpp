//===- Progress.cpp - a line that shows how far long work is ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Progress.h"

#include <algorithm>
#include <cstdio>
#include <unistd.h>

namespace llmc::driver {

Progress::Progress(std::string what, size_t total)
    : what(std::move(what)), total(std::max<size_t>(total, 1)), start(Clock::now()), shown(start),
      terminal(isatty(STDERR_FILENO) != 0) {}

Progress::~Progress() {
  if (visible)
    std::fputs("\r\033[K", stderr);
}

void Progress::update(size_t done) {
  using namespace std::chrono_literals;
  Clock::time_point now = Clock::now();
  if (!terminal || now - start < 1s || now - shown < 100ms)
    return;
  shown = now;
  visible = true;
  constexpr size_t width = 30;
  done = std::min(done, total);
  std::string bar(width * done / total, '#');
  bar.resize(width, '.');
  double elapsed = std::chrono::duration<double>(now - start).count();
  double left = done == 0 ? 0 : elapsed * static_cast<double>(total - done) / done;
  std::fprintf(stderr, "\r\033[K%s [%s] %zu/%zu, %.0f s left", what.c_str(), bar.c_str(), done,
               total, left);
  std::fflush(stderr);
}

} // namespace llmc::driver
