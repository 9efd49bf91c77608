//===- PoolTest.cpp - threads that run steps together ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

extern "C" {
#include "pool.h"
#include "quota.h"
}

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>
#include <unistd.h>
#include <vector>

namespace fs = std::filesystem;

namespace {

/// What the steps of these tests count.
struct Counts {
  std::atomic<int> calls{0}, wrong{0};
  std::atomic<int> parts[8] = {};
  int slowWorker = -1;
  std::chrono::milliseconds delay{0};
};

Counts *counts;

/// Every part is done by one worker; all are done when the barrier is passed.
void countParts(const llmc_step *step, int32_t worker, int32_t workers) {
  ++counts->calls;
  for (int part = worker; part < 8; part += workers)
    ++counts->parts[part];
  if (worker == counts->slowWorker && workers > 1)
    std::this_thread::sleep_for(counts->delay);
  int before = counts->parts[0];
  step->barrier(step->pool, worker);
  for (std::atomic<int> &part : counts->parts)
    if (part < before)
      ++counts->wrong;
  step->barrier(step->pool, worker);
}

class PoolTest : public testing::Test {
protected:
  PoolTest() { counts = &own; }
  ~PoolTest() override { llmc_pool_destroy(pool); }
  void make(uint32_t threads) {
    const llmc_allocator allocator = llmc_default_allocator();
    llmc_status status = llmc_pool_create(&allocator, threads, 0, &pool);
    ASSERT_TRUE(llmc_status_ok(&status)) << status.message;
  }
  /// Workers that took the step.
  int run() {
    int before = counts->calls;
    llmc_step step{};
    step.rows = 1;
    llmc_pool_run(pool, countParts, &step);
    return counts->calls - before;
  }

  Counts own;
  llmc_pool *pool = nullptr;
};

TEST_F(PoolTest, RunsEveryPartOnce) {
  for (uint32_t threads : {1u, 2u, 5u}) {
    make(threads);
    for (int step = 1; step <= 500; ++step)
      run();
    for (std::atomic<int> &part : own.parts)
      EXPECT_EQ(part.exchange(0), 500);
    llmc_pool_destroy(pool);
    pool = nullptr;
  }
  EXPECT_EQ(own.wrong, 0);
}

// A worker that keeps the others waiting, as one that has lost its CPU does.
TEST_F(PoolTest, TheCallerGoesOnAlone) {
  make(2);
  own.slowWorker = 1;
  own.delay = std::chrono::milliseconds(20);
  auto start = std::chrono::steady_clock::now();
  for (int step = 0; step < 2000; ++step)
    run();
  // Together all the time they would take 40 seconds.
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
  EXPECT_EQ(run(), 1);
  for (std::atomic<int> &part : own.parts)
    EXPECT_EQ(part, 2001);
  EXPECT_EQ(own.wrong, 0);
}

TEST_F(PoolTest, RunsTogetherAgain) {
  make(2);
  own.slowWorker = 1;
  own.delay = std::chrono::milliseconds(20);
  while (run() != 1)
    ;
  own.delay = {};
  auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  int together = 0;
  while (together < 20 && std::chrono::steady_clock::now() < limit)
    together += run() == 2;
  EXPECT_EQ(together, 20);
}

/// A folder with files of control groups.
class QuotaTest : public testing::Test {
protected:
  QuotaTest() {
    std::string name = (fs::temp_directory_path() / "llmc-quota-XXXXXX").string();
    folder = mkdtemp(name.data());
  }
  ~QuotaTest() override { fs::remove_all(folder); }
  void write(const fs::path &path, const char *text) const {
    fs::create_directories((folder / path).parent_path());
    std::ofstream(folder / path) << text;
  }
  double read() const {
    return llmc_cpu_quota((folder / "groups").c_str(), (folder / "mount").c_str());
  }

  fs::path folder;
};

TEST_F(QuotaTest, TakesTheLeastOfAllGroupsAbove) {
  EXPECT_EQ(read(), 0);
  write("groups", "0::/service/job\n");
  EXPECT_EQ(read(), 0);
  write("mount/service/job/cpu.max", "max 100000\n");
  EXPECT_EQ(read(), 0);
  write("mount/service/job/cpu.max", "400000 100000\n");
  EXPECT_EQ(read(), 4);
  write("mount/service/cpu.max", "150000 100000\n");
  EXPECT_EQ(read(), 1.5);
  write("mount/cpu.max", "800000 100000\n");
  EXPECT_EQ(read(), 1.5);
}

TEST_F(QuotaTest, KnowsVersionOne) {
  write("groups", "12:cpuset:/a\n4:cpu,cpuacct:/a/b\n1:name=systemd:/a\n");
  write("mount/cpu/cpu.cfs_quota_us", "-1\n");
  write("mount/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(read(), 0);
  write("mount/cpu/a/b/cpu.cfs_quota_us", "250000\n");
  write("mount/cpu/a/b/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(read(), 2.5);
}

TEST_F(QuotaTest, IgnoresWhatItDoesNotUnderstand) {
  write("groups", "\n:\n0:\nnonsense\n0::/a\n");
  write("mount/a/cpu.max", "many few\n");
  write("mount/cpu.max", "-5 100000\n");
  EXPECT_EQ(read(), 0);
}

} // namespace
