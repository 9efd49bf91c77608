//===- Interrupt.h - stopping where nothing is left half done ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TOOLS_INTERRUPT_H
#define LLMC_TOOLS_INTERRUPT_H

#include <stdexcept>

namespace llmc::driver {

/// Thrown where work stops because of a signal.
class Interrupted : public std::runtime_error {
public:
  explicit Interrupted(int signal);

  int getSignal() const { return signal; }
  /// What a shell reports of a program that the signal ended.
  int getExitCode() const { return 128 + signal; }

private:
  int signal;
};

/// From now on SIGINT and SIGTERM are noted. A second one ends the process at once.
void noteInterrupts();

/// Forgets what was noted.
void forgetInterrupts();

/// From now on SIGINT and SIGTERM end the process at once.
void endOnInterrupts();

/// Throws Interrupted if a signal was noted.
void checkInterrupts();

} // namespace llmc::driver

#endif // LLMC_TOOLS_INTERRUPT_H
