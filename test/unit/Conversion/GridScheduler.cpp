//===- GridScheduler.cpp - threads of a grid as fibers ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GridScheduler.h"

#include "llvm/ADT/bit.h"

using namespace llmc::test;

static constexpr unsigned warpThreads = 32, groupThreads = 16;
static constexpr size_t stackBytes = 256 << 10;

static GridScheduler *grid = nullptr;

GridScheduler *llmc::test::getGrid() { return grid; }

GridScheduler::GridScheduler(unsigned blocks, unsigned threads, uint64_t seed)
    : blocks(blocks), threads(threads), random(seed), fibers(blocks * threads), ofBlocks(blocks),
      ofWarps(blocks * threads / warpThreads), shared(blocks) {}

llvm::Error GridScheduler::run(llvm::function_ref<void()> ofThreads) {
  body = ofThreads;
  grid = this;
  for (unsigned i = 0; i < fibers.size(); ++i) {
    Fiber &fiber = fibers[i];
    fiber.block = i / threads;
    fiber.thread = i % threads;
    fiber.stack.reset(new char[stackBytes]);
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.get();
    fiber.context.uc_stack.ss_size = stackBytes;
    fiber.context.uc_link = &scheduler;
    makecontext(&fiber.context, enter, 0);
    runnable.push_back(i);
  }
  size_t left = fibers.size();
  while (left > 0 && error.empty()) {
    if (runnable.empty()) {
      fail("threads wait for threads that have ended");
      break;
    }
    current = choose();
    swapcontext(&scheduler, &fibers[current].context);
    left -= fibers[current].done;
  }
  grid = nullptr;
  return error.empty() ? llvm::Error::success() : llvm::createStringError("%s", error.c_str());
}

void GridScheduler::enter() {
  grid->body();
  grid->fibers[grid->current].done = true;
}

void GridScheduler::leave() { swapcontext(&fibers[current].context, &scheduler); }

/// Mostly one of the same 16 threads as before, so that some run far ahead.
unsigned GridScheduler::choose() {
  size_t index = random() % runnable.size();
  if (random() % 16 != 0)
    for (size_t i = 0; i < runnable.size(); ++i) {
      size_t candidate = (index + i) % runnable.size();
      if (runnable[candidate] / groupThreads == favorite) {
        index = candidate;
        break;
      }
    }
  unsigned chosen = runnable[index];
  runnable[index] = runnable.back();
  runnable.pop_back();
  favorite = chosen / groupThreads;
  return chosen;
}

void GridScheduler::fail(std::string message) {
  if (error.empty())
    error = std::move(message);
}

void GridScheduler::meet(Meeting &meeting, unsigned expected, int kind) {
  spins = 0;
  if (meeting.here == 0)
    meeting.kind = kind;
  else if (meeting.kind != kind)
    fail("threads that wait for each other do so at different operations");
  if (++meeting.here < expected) {
    meeting.waiting.push_back(current);
    return leave();
  }
  meeting.here = 0;
  ++meeting.generation;
  runnable.insert(runnable.end(), meeting.waiting.begin(), meeting.waiting.end());
  meeting.waiting.clear();
  runnable.push_back(current);
  leave();
}

GridScheduler::Meeting &GridScheduler::getMeeting(uint32_t mask) {
  auto &ofWarp = ofWarps[current / warpThreads];
  for (Meeting &meeting : ofWarp)
    if (meeting.mask == mask)
      return meeting;
  // Threads hold on to meetings while they wait.
  ofWarp.reserve(warpThreads);
  if (ofWarp.size() == warpThreads)
    llvm::report_fatal_error("threads of a warp wait in more sets than it has threads");
  ofWarp.emplace_back().mask = mask;
  return ofWarp.back();
}

void *GridScheduler::getShared(size_t bytes) {
  std::vector<uint64_t> &words = shared[getBlock()];
  // What nobody has stored is no number.
  words.resize(std::max(words.size(), (bytes + 7) / 8), ~uint64_t(0));
  return words.data();
}

void GridScheduler::waitForBlock() { meet(ofBlocks[getBlock()], threads, /*kind=*/0); }

void GridScheduler::waitForWarp(uint32_t mask) {
  meet(getMeeting(mask), llvm::popcount(mask), /*kind=*/1);
}

uint32_t GridScheduler::exchange(uint32_t mask, uint32_t value, uint32_t index) {
  Meeting &meeting = getMeeting(mask);
  // Who is ahead may bring the next value while others still look at this one.
  auto &values = meeting.values[meeting.generation % 2];
  unsigned thread = getThread() % warpThreads;
  values[thread][0] = value;
  meet(meeting, llvm::popcount(mask), /*kind=*/2);
  unsigned from = thread / groupThreads * groupThreads + index % groupThreads;
  if ((mask >> from & 1) == 0)
    fail("a thread asks for the value of one that brings none");
  return values[from][0];
}

/// Byte `index` of `bytes`.
static uint32_t getByte(uint32_t bytes, unsigned index) { return bytes >> 8 * index & 255; }

/// Where elements of the factors and products are: PTX ISA, "Matrix Fragments for mma.m16n8k32".
std::array<uint32_t, 4> GridScheduler::multiply(const std::array<uint32_t, 6> &fragments,
                                                std::array<uint32_t, 4> sums) {
  constexpr unsigned inputs = 32, half = 16, rows = 8;
  Meeting &meeting = getMeeting(~0u);
  auto &values = meeting.values[meeting.generation % 2];
  unsigned thread = getThread() % warpThreads;
  values[thread] = fragments;
  meet(meeting, warpThreads, /*kind=*/3);
  for (unsigned i = 0; i < 4; ++i) {
    unsigned row = thread / 4 + rows * (i / 2), column = thread % 4 * 2 + i % 2;
    for (unsigned input = 0; input < inputs; ++input) {
      unsigned inRow = input % half / 4, byte = input % 4;
      uint32_t a = values[row % rows * 4 + inRow][row / rows + 2 * (input / half)];
      uint32_t b = values[column * 4 + inRow][4 + input / half];
      sums[i] += static_cast<uint32_t>(static_cast<int32_t>(getByte(a, byte)) *
                                       static_cast<int8_t>(getByte(b, byte)));
    }
  }
  return sums;
}

void GridScheduler::spin() {
  constexpr int64_t most = 1'000'000;
  if (++spins > most)
    fail("blocks wait for blocks that never come");
  runnable.push_back(current);
  leave();
}
