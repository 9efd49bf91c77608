//===- ContentHash.h - tells contents of files apart ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_HOST_CONTENTHASH_H
#define LLMC_HOST_CONTENTHASH_H

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace llmc {

/// XXH3 of 128 bits over bytes that come piece by piece. It tells mistakes and damage, not intent.
class ContentHash {
public:
  ContentHash();
  ContentHash(const ContentHash &) = delete;
  ContentHash &operator=(const ContentHash &) = delete;
  ~ContentHash();

  void update(const void *bytes, size_t size);
  /// Of all pieces so far, in 32 hexadecimal digits.
  std::string get() const;

  /// Of a file that is open for reading, which keeps its place; nothing where reading fails (errno
  /// says why). Takes no memory for what is read, however long the file.
  static std::optional<std::string> ofFile(int descriptor);

private:
  struct State;
  std::unique_ptr<State> state;
};

} // namespace llmc

#endif // LLMC_HOST_CONTENTHASH_H
