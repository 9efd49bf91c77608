//===- ProcessFaultsTest.cpp - processes that end with a message ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Host/ProcessFaults.h"
#include "llmc/Host/FileReplacement.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fcntl.h>
#include <filesystem>
#include <new>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

using namespace llmc;

namespace {

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LLMC_HAS_OWN_HANDLERS
#endif
#endif

std::string makeFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "llmc-faults-XXXXXX").string();
  return mkdtemp(name.data());
}

/// Reads a mapped file of two pages whose second page is cut away.
int readCutFile(const std::string &path) {
  int file = open(path.c_str(), O_RDWR | O_CREAT, 0666);
  long page = sysconf(_SC_PAGESIZE);
  if (ftruncate(file, 2 * page) != 0)
    return 0;
  auto *bytes = static_cast<volatile char *>(
      mmap(nullptr, static_cast<size_t>(2 * page), PROT_READ, MAP_SHARED, file, 0));
  if (ftruncate(file, page) != 0)
    return 0;
  return bytes[page];
}

TEST(ProcessFaultsTest, NamesTheFileThatIsCutShort) {
  std::string folder = makeFolder(), path = folder + "/weights with spaces";
  EXPECT_EXIT(
      {
        prepareProcess("tool");
        FileReplacement unfinished;
        if (unfinished.create(folder + "/out").empty())
          readCutFile(path);
      },
      testing::ExitedWithCode(1),
      "^tool: error: cannot read '.*/weights with spaces': it was cut short while it was in use");
  // What was begun is gone.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
  std::filesystem::remove_all(folder);
}

TEST(ProcessFaultsTest, SaysThatMemoryRanOut) {
  EXPECT_EXIT(
      {
        prepareProcess("tool");
        try {
          throw std::bad_alloc();
        } catch (...) {
          std::terminate();
        }
      },
      testing::ExitedWithCode(1), "^tool: error: out of memory\n");
}

#ifndef LLMC_HAS_OWN_HANDLERS
/// Uses up the stack.
int recurse(volatile char *above) {
  volatile char frame[4096];
  frame[0] = above ? above[0] : '\0';
  return frame[0] == 1 ? 0 : recurse(frame) + frame[0];
}

TEST(ProcessFaultsTest, SaysThatTheStackIsUsedUp) {
  EXPECT_EXIT(
      {
        prepareProcess("tool");
        std::exit(recurse(nullptr));
      },
      testing::ExitedWithCode(1), "^tool: error: out of memory for the stack\n");
}
#endif

// No file gets the number of standard output, and what is printed there is no silent success.
TEST(ProcessFaultsTest, OpensStandardDescriptors) {
  EXPECT_EXIT(
      {
        close(STDIN_FILENO);
        close(STDOUT_FILENO);
        prepareProcess("tool");
        char byte = 0;
        bool writes = write(STDOUT_FILENO, "text", 4) >= 0 || errno != EBADF;
        bool reads = read(STDIN_FILENO, &byte, 1) >= 0 || errno != EBADF;
        int next = open("/dev/null", O_RDONLY);
        _exit(writes || reads || next <= STDERR_FILENO ? 1 : 0);
      },
      testing::ExitedWithCode(0), "");
  EXPECT_EXIT(
      {
        close(STDERR_FILENO);
        prepareProcess("tool");
        _exit(write(STDERR_FILENO, "text", 4) == 4 ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

} // namespace
