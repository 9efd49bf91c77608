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

#include <array>
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

  /// The memory that the threads of the block share, of `bytes` bytes.
  void *getShared(size_t bytes);
  /// Notes that a thread has asked for `bytes` bytes at `address`.
  void prefetch(const void *address, int64_t bytes) { prefetched.emplace_back(address, bytes); }
  const std::vector<std::pair<const void *, int64_t>> &getPrefetched() const { return prefetched; }

  unsigned getBlock() const { return fibers[current].block; }
  unsigned getBlockCount() const { return blocks; }
  unsigned getThread() const { return fibers[current].thread; }

  /// Waits for all threads of the block.
  void waitForBlock();
  /// Waits for the threads of the warp in `mask`, and gives what the one at `index` of them,
  /// counted from the first of its segment of 16, has brought.
  uint32_t exchange(uint32_t mask, uint32_t value, uint32_t index);
  void waitForWarp(uint32_t mask);
  /// mma.sync m16n8k32 of unsigned by signed bytes: waits for the warp, whose threads bring four
  /// and two registers of the factors, and gives what this thread has of the products, added to
  /// `sums`.
  std::array<uint32_t, 4> multiply(const std::array<uint32_t, 6> &fragments,
                                   std::array<uint32_t, 4> sums);
  /// Ends the launch.
  void fail(std::string message);
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
    std::array<uint32_t, 6> values[2][32] = {};
    std::vector<unsigned> waiting;
  };

  static void enter();
  void leave(); ///< the running thread, for the scheduler
  /// Waits until `expected` threads are here.
  void meet(Meeting &meeting, unsigned expected, int kind);
  Meeting &getMeeting(uint32_t mask);
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
  std::vector<std::pair<const void *, int64_t>> prefetched;
  std::vector<std::vector<uint64_t>> shared; ///< by the blocks
};

/// The scheduler whose threads run, or null.
GridScheduler *getGrid();

} // namespace llmc::test

#endif // LLMC_TEST_UNIT_CONVERSION_GRIDSCHEDULER_H
