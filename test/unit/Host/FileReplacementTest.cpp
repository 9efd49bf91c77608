//===- FileReplacementTest.cpp - files that take a path's place ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Host/FileReplacement.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string_view>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace llmc;
namespace fs = std::filesystem;

namespace {

/// A folder of its own for each test.
class FileReplacementTest : public testing::Test {
protected:
  FileReplacementTest() {
    std::string name = (fs::temp_directory_path() / "llmc-replacement-XXXXXX").string();
    folder = mkdtemp(name.data());
  }
  ~FileReplacementTest() override { fs::remove_all(folder); }

  std::string getPath(const char *name) const { return (folder / name).string(); }
  void write(const char *name, std::string_view text) const {
    std::ofstream(folder / name) << text;
  }
  std::string read(const char *name) const {
    std::ifstream file(folder / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::set<std::string> list() const {
    std::set<std::string> names;
    for (const fs::directory_entry &entry : fs::directory_iterator(folder))
      names.insert(entry.path().filename().string());
    return names;
  }

  fs::path folder;
};

void fill(const FileReplacement &file, std::string_view text) {
  ASSERT_EQ(::write(file.getDescriptor(), text.data(), text.size()),
            static_cast<ssize_t>(text.size()));
}

TEST_F(FileReplacementTest, TakesThePlaceWhenCommitted) {
  write("out", "old");
  FileReplacement file;
  ASSERT_EQ(file.create(getPath("out")), "");
  fill(file, "new");
  EXPECT_EQ(read("out"), "old");
  EXPECT_EQ(file.commit(), "");
  EXPECT_EQ(read("out"), "new");
  EXPECT_EQ(list(), std::set<std::string>{"out"});
}

TEST_F(FileReplacementTest, RemovesWhatIsNotCommitted) {
  write("out", "old");
  {
    FileReplacement file;
    ASSERT_EQ(file.create(getPath("out")), "");
    fill(file, "new");
  }
  EXPECT_EQ(read("out"), "old");
  EXPECT_EQ(list(), std::set<std::string>{"out"});
}

TEST_F(FileReplacementTest, RemovesAllAtAFault) {
  FileReplacement first, second;
  ASSERT_EQ(first.create(getPath("a")), "");
  ASSERT_EQ(second.create(getPath("b")), "");
  EXPECT_EQ(second.commit(), "");
  FileReplacement::removeUnfinished();
  EXPECT_EQ(list(), std::set<std::string>{"b"});
}

// The name can't be foretold, and a file that has it would not be followed or cut off.
TEST_F(FileReplacementTest, UsesANameOfItsOwn) {
  std::set<std::string> names;
  for (int i = 0; i < 100; ++i) {
    FileReplacement file;
    ASSERT_EQ(file.create(getPath("out")), "");
    EXPECT_TRUE(names.insert(file.getTemporary()).second);
  }
}

TEST_F(FileReplacementTest, LeavesAPlantedLinkAlone) {
  write("victim", "precious");
  fs::create_symlink(folder / "victim", folder / ("out.tmp" + std::to_string(getpid())));
  FileReplacement file;
  ASSERT_EQ(file.create(getPath("out")), "");
  fill(file, "new");
  EXPECT_EQ(file.commit(), "");
  EXPECT_EQ(read("victim"), "precious");
}

TEST_F(FileReplacementTest, FollowsLinksInThePath) {
  write("target", "old");
  fs::create_symlink(folder / "target", folder / "out");
  FileReplacement file;
  ASSERT_EQ(file.create(getPath("out")), "");
  fill(file, "new");
  EXPECT_EQ(file.commit(), "");
  EXPECT_TRUE(fs::is_symlink(folder / "out"));
  EXPECT_EQ(read("target"), "new");
}

TEST_F(FileReplacementTest, SaysWhatIsWrong) {
  FileReplacement file, other;
  EXPECT_EQ(file.create(folder.string()), "expected a regular file");
  EXPECT_EQ(other.create(getPath("none/out")), "No such file or directory");
  EXPECT_EQ(list(), std::set<std::string>{});
}

TEST_F(FileReplacementTest, ManyWritersLeaveOneWholeFile) {
  std::vector<std::thread> writers;
  for (char letter = 'a'; letter < 'e'; ++letter)
    writers.emplace_back([this, letter] {
      for (int i = 0; i < 25; ++i) {
        FileReplacement file;
        ASSERT_EQ(file.create(getPath("out")), "");
        fill(file, std::string(1000, letter));
        ASSERT_EQ(file.commit(), "");
      }
    });
  for (std::thread &writer : writers)
    writer.join();
  std::string text = read("out");
  EXPECT_EQ(text, std::string(1000, text.front()));
  EXPECT_EQ(list(), std::set<std::string>{"out"});
}

} // namespace
