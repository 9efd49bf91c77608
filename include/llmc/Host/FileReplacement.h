//===- FileReplacement.h - a file that takes a path's place when it is whole ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_HOST_FILEREPLACEMENT_H
#define LLMC_HOST_FILEREPLACEMENT_H

#include <string>

namespace llmc {

/// A new file under a random name beside a path, whose place it takes in one step. Functions that
/// can fail give what is wrong, as an end of "cannot write 'PATH': …", or nothing.
class FileReplacement {
public:
  FileReplacement() = default;
  FileReplacement(FileReplacement &&other) noexcept;
  FileReplacement &operator=(FileReplacement &&) = delete;
  /// Discards what is not committed.
  ~FileReplacement() { discard(); }

  /// Creates the file. Links in `path` are followed: the file that they lead to is replaced.
  std::string create(const std::string &path);
  /// Puts the file in its place; it and its folder have then reached the disk.
  std::string commit();
  /// Closes the file and removes it.
  void discard();

  /// Removes all files that are neither committed nor discarded, from any thread or signal handler.
  static void removeUnfinished();

  /// Open for reading and writing; negative before create() and at the end.
  int getDescriptor() const { return descriptor; }
  /// The name that the file has until it is committed.
  const std::string &getTemporary() const { return temporary; }

private:
  std::string path, temporary;
  int descriptor = -1;
};

} // namespace llmc

#endif // LLMC_HOST_FILEREPLACEMENT_H
