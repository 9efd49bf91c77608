//===- GridScheduler.h - threads of a grid as fibers ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TEST_UNIT_CONVERSION_GRIDSCHEDULER_H
#define LLMC_TEST_UNIT_CONVERSION_GRIDSCHEDULER_H

#include "llvm/ADT/FunctionExtras.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <ucontext.h>

namespace llmc::test {

/// The threads of one launch. What is called from inside of a thread is about that thread.
class GridScheduler {
public:
  GridScheduler(unsigned blocks, unsigned threads, uint64_t seed);

  /// Runs `body` in every thread until all have come to its end.
  llvm::Error run(llvm::function_ref<void()> body);

  unsigned getBlock() const { return fibers[current].block; }
  unsigned getBlockCount() const { return blocks; }
  unsigned getThread() const { return fibers[current].thread; }

  /// Waits for all threads of the block.
  void waitForBlock();
  /// Waits for the threads of the warp in `mask`, and gives what the one at `index` of them,
  /// counted from the first of its segment of 16, has brought.
  uint32_t exchange(uint32_t mask, uint32_t value, uint32_t index);
  void waitForWarp(uint32_t mask);
  /// Lets others go on: the thread looks again and again for what they write.
  void spin();

private:
  struct Fiber {
    ucontext_t context;
    std::unique_ptr<char[]> stack;
    unsigned block, thread;
    bool done = false;
  };
  /// Where threads wait for each other, again and again.
  struct Meeting {
    uint32_t mask = 0;
    unsigned here = 0, generation = 0;
    int kind = 0; ///< of what those who are here have called
    uint32_t values[2][32] = {};
    std::vector<unsigned> waiting;
  };

  static void enter();
  void leave(); ///< the running thread, for the scheduler
  /// Waits until `expected` threads are here.
  void meet(Meeting &meeting, unsigned expected, int kind);
  Meeting &getMeeting(uint32_t mask);
  void fail(std::string message);
  unsigned choose(); ///< which of the runnable threads is next

  unsigned blocks, threads;
  std::mt19937_64 random;
  std::vector<Fiber> fibers;
  std::vector<unsigned> runnable;
  std::vector<Meeting> ofBlocks;
  std::vector<std::vector<Meeting>> ofWarps;
  unsigned current = 0, favorite = 0;
  int64_t spins = 0; ///< since a thread last did anything else
  ucontext_t scheduler;
  llvm::function_ref<void()> body;
  std::string error;
};

/// The scheduler whose threads run, or null.
GridScheduler *getGrid();

} // namespace llmc::test

#endif // LLMC_TEST_UNIT_CONVERSION_GRIDSCHEDULER_H
