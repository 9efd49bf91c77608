//===- Interrupt.cpp - stopping where nothing is left half done ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Interrupt.h"

#include <csignal>

namespace llmc::driver {

/// The signal that was noted. A handler can reach nothing but what belongs to the process.
static volatile std::sig_atomic_t noted = 0;

Interrupted::Interrupted(int signal) : std::runtime_error("interrupted"), signal(signal) {}

void forgetInterrupts() { noted = 0; }

void noteInterrupts() {
  for (int signal : {SIGINT, SIGTERM})
    std::signal(signal, [](int received) {
      noted = received;
      std::signal(received, SIG_DFL);
    });
}

void endOnInterrupts() {
  for (int signal : {SIGINT, SIGTERM})
    std::signal(signal, SIG_DFL);
}

void checkInterrupts() {
  if (int signal = noted)
    throw Interrupted(signal);
}

} // namespace llmc::driver
