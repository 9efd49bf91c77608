//===- ToolProcess.cpp - the process of a tool that links LLVM ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Support/ToolProcess.h"
#include "llmc/Host/ProcessFaults.h"

#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/Signals.h"

using namespace llmc;

ToolProcess::ToolProcess(const char *name, int &argc, char **&argv)
    : llvm((prepareProcess(name), argc), argv) {
  // LLVM has taken the signals of faults meanwhile, to print its stack.
  prepareProcess(name);
  setFaultCleanup(llvm::sys::RunInterruptHandlers);
  // Also what `new` calls since LLVM was made ready.
  llvm::install_bad_alloc_error_handler(
      [](void *, const char *, bool) { endWithFault("out of memory"); });
  llvm::install_fatal_error_handler([](void *, const char *reason, bool) { endWithFault(reason); });
}
