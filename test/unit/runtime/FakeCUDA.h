//===- FakeCUDA.h - a library of a CUDA driver for tests ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The functions of libcuda that the runtime uses, on the memory of this process. Work in streams is
// done when the stream is waited for, and reads what it reads only then, so that memory which is
// used too early or given back too early shows. Kernels are what the test says. Any call can be
// made to fail, and what was allocated is counted.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TEST_UNIT_RUNTIME_FAKECUDA_H
#define LLMC_TEST_UNIT_RUNTIME_FAKECUDA_H

#include "llmc/program.h"

#include <cstddef>
#include <cstdint>
#include <dlfcn.h>
#include <functional>
#include <string>

namespace llmc::test {

/// A launch: its grid, and what the kernel is given, as an llmc_step without a barrier, and where
/// blocks that have arrived are counted.
struct FakeLaunch {
  unsigned blocks, threads;
  llmc_step step;
  int64_t *arrived;
};

struct FakeCUDA {
  // What the machine has.
  int devices = 1, major = 9, minor = 0, multiprocessors = 3, blocksOfMultiprocessor = 2;
  bool isCooperative = true;
  size_t memory = SIZE_MAX; ///< bytes of a device
  std::string loadLog;      ///< what is wrong with any code; empty: nothing
  std::function<void(const FakeLaunch &)> kernel;
  enum { Ends, HangsAtBarrier, Hangs } ending = Ends; ///< of kernels

  // Failing calls, among those that make or do something.
  int failing = 0, error = 719; ///< the call of this number, from 1 on, and its result
  int count = 0;

  // What was seen.
  std::string code; ///< that was loaded last
  int launches = 0;
  size_t bytes = 0; ///< of the device that are allocated
  int allocations = 0, hostAllocations = 0, streams = 0, modules = 0, contexts = 0, pushed = 0;

  bool hasNothingLeft() const {
    return bytes == 0 && allocations + hostAllocations + streams + modules + contexts + pushed == 0;
  }
};

/// The state of the library at `path`, as new.
inline FakeCUDA &resetFakeCUDA(const char *path) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  auto *reset =
      reinterpret_cast<FakeCUDA *(*)()>(library ? dlsym(library, "resetFakeCUDA") : nullptr);
  if (!reset)
    abort();
  return *reset();
}

} // namespace llmc::test

#endif // LLMC_TEST_UNIT_RUNTIME_FAKECUDA_H
