//===- ProgressLine.cpp - a line that shows how far long work is ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Support/ProgressLine.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"

using namespace llmc;

ProgressLine::ProgressLine(llvm::StringRef what, int64_t total)
    : what(what), total(std::max<int64_t>(total, 1)), start(Clock::now()), shown(start),
      terminal(llvm::sys::Process::StandardErrIsDisplayed()) {}

ProgressLine::~ProgressLine() { clear(); }

void ProgressLine::clear() {
  if (visible)
    llvm::errs() << "\r\033[K";
  visible = false;
}

void ProgressLine::advance(llvm::StringRef where) {
  using namespace std::chrono_literals;
  done = std::min(done + 1, total);
  Clock::time_point now = Clock::now();
  // Short work needs no line, and a terminal no more than a few of them a second.
  if (!terminal || now - start < 1s || now - shown < 100ms)
    return;
  shown = now;
  visible = true;
  double elapsed = std::chrono::duration<double>(now - start).count();
  double left = elapsed * static_cast<double>(total - done) / static_cast<double>(done);
  llvm::errs() << "\r\033[K" << what << ": " << done * 100 / total << " % (" << where << "), "
               << llvm::format("%.0f s left", left);
}
