//===- MappedFile.h - a file's bytes in memory ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TOOLS_MAPPEDFILE_H
#define LLMC_TOOLS_MAPPEDFILE_H

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace llmc::driver {

/// A file mapped read-only as long as this object lives.
class MappedFile {
public:
  /// Throws std::runtime_error where `path` is no file that can be read, or an empty one;
  /// `expected` says what it should be.
  MappedFile(const std::string &path, const std::string &expected);
  ~MappedFile();
  MappedFile(const MappedFile &) = delete;
  MappedFile &operator=(const MappedFile &) = delete;

  std::span<const uint8_t> getBytes() const { return {data, size}; }
  bool startsWith(std::string_view magic) const;

private:
  const uint8_t *data = nullptr;
  size_t size = 0;
};

} // namespace llmc::driver

#endif // LLMC_TOOLS_MAPPEDFILE_H
