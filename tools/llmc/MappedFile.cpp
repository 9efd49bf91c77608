//===- MappedFile.cpp - a file's bytes in memory ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MappedFile.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace llmc::driver {

MappedFile::MappedFile(const std::string &path, const std::string &expected) {
  int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0)
    throw std::runtime_error("cannot open '" + path + "': " + std::strerror(errno));
  struct stat info{};
  std::string found;
  if (fstat(file, &info) != 0)
    found = std::strerror(errno);
  else if (S_ISDIR(info.st_mode))
    found = "a folder";
  else if (!S_ISREG(info.st_mode))
    found = "what is no regular file";
  else if (info.st_size == 0)
    found = "an empty file";
  if (!found.empty()) {
    close(file);
    throw std::runtime_error("'" + path + "': expected " + expected + ", found " + found);
  }
  size = static_cast<size_t>(info.st_size);
  void *mapped = mmap(nullptr, size, PROT_READ, MAP_SHARED, file, 0);
  int error = errno;
  close(file);
  if (mapped == MAP_FAILED)
    throw std::runtime_error("cannot map '" + path + "': " + std::strerror(error));
  data = static_cast<const uint8_t *>(mapped);
}

MappedFile::~MappedFile() { munmap(const_cast<uint8_t *>(data), size); }

bool MappedFile::startsWith(std::string_view magic) const {
  return size >= magic.size() && std::memcmp(data, magic.data(), magic.size()) == 0;
}

} // namespace llmc::driver
