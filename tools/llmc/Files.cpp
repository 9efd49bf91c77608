//===- Files.cpp - reading files with messages ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Files.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace llmc::driver {

std::string readFile(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  // The library opens a folder, and throws a message of its own when it is read.
  if (!file || std::filesystem::is_directory(path))
    throw std::runtime_error("cannot read '" + path + "': " + std::strerror(file ? EISDIR : errno));
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (file.bad())
    throw std::runtime_error("cannot read '" + path + "'");
  return text;
}

} // namespace llmc::driver
