//===- FakeDevice.h - a driver that is not the runtime's own ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A device as far from the CPU as this process can have: its memory has no host addresses, its
// steps run when they are waited for, one worker runs them, and any of its calls can be made to
// fail. It runs the fake program, whatever an artifact says.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TEST_UNIT_RUNTIME_FAKEDEVICE_H
#define LLMC_TEST_UNIT_RUNTIME_FAKEDEVICE_H

#include "llmc/driver.h"

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace llmc::test {

class FakeDevice {
public:
  FakeDevice();
  /// Fails the test if something was not undone.
  ~FakeDevice();
  FakeDevice(const FakeDevice &) = delete;
  FakeDevice &operator=(const FakeDevice &) = delete;

  operator const llmc_driver *() const { return &functions.table; }
  /// What was called so often.
  std::map<std::string, int> calls;
  /// The call of this number, from 1 on, fails, with the message "the device is lost".
  int failing = 0;
  int count = 0; ///< of calls that may fail

private:
  friend struct FakeDeviceCalls;

  struct Step {
    llmc_driver_executor *executor;
    std::vector<uintptr_t> states;
    std::vector<int32_t> tokens, positions, sequences, outputs;
    float *hostLogits;
    uintptr_t logits;
    uint64_t offset;
  };
  void run(const Step &step);

  struct Functions {
    llmc_driver table;
    FakeDevice *device;
  } functions;
  std::mutex mutex;
  std::map<uintptr_t, std::vector<uint8_t>> memory; ///< by handle
  uintptr_t handles = 0;
  std::set<llmc_driver_executor *> executors;
  std::vector<Step> queue;
  const uint8_t *weights = nullptr;
  const llmc_program *program = nullptr;
};

} // namespace llmc::test

#endif // LLMC_TEST_UNIT_RUNTIME_FAKEDEVICE_H
