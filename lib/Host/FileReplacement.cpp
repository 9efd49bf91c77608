//===- FileReplacement.cpp - a file that takes a path's place when it is whole ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Host/FileReplacement.h"

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

using namespace llmc;

/// What fsync says of files and folders that can't be synced, such as those of some networks.
static bool cannotSync(int error) { return error == EINVAL || error == ENOTSUP || error == EROFS; }

static std::string syncFolder(const std::string &path) {
  size_t slash = path.rfind('/');
  std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  // A folder that can be written and not read gives its entries no other way.
  if (descriptor < 0)
    return errno == EACCES ? "" : std::strerror(errno);
  int error = fsync(descriptor) == 0 || cannotSync(errno) ? 0 : errno;
  close(descriptor);
  return error ? std::strerror(error) : "";
}

//===----------------------------------------------------------------------===//
// Unfinished files
//===----------------------------------------------------------------------===//

/// The names of files to be removed where a fault ends the process. A handler of signals can reach
/// nothing but what belongs to the process.
static std::atomic<char *> unfinished[16];

/// Where there is no place left for `name`, a fault leaves the file behind.
static void addUnfinished(const std::string &name) {
  char *copy = strdup(name.c_str());
  for (std::atomic<char *> &slot : unfinished) {
    char *expected = nullptr;
    if (copy && slot.compare_exchange_strong(expected, copy))
      return;
  }
  std::free(copy);
}

static void dropUnfinished(const std::string &name) {
  for (std::atomic<char *> &slot : unfinished) {
    char *held = slot.load();
    if (held && name == held && slot.compare_exchange_strong(held, nullptr))
      return std::free(held);
  }
}

void FileReplacement::removeUnfinished() {
  // Taken out meanwhile, so that nobody frees the name; its owner still has to.
  for (std::atomic<char *> &slot : unfinished)
    if (char *name = slot.exchange(nullptr)) {
      unlink(name);
      slot.store(name);
    }
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

FileReplacement::FileReplacement(FileReplacement &&other) noexcept
    : path(std::move(other.path)), temporary(std::move(other.temporary)),
      descriptor(std::exchange(other.descriptor, -1)) {}

std::string FileReplacement::create(const std::string &requested) {
  path = requested;
  // Renaming would replace a link by a file, and a device as well.
  char target[PATH_MAX];
  if (realpath(path.c_str(), target)) {
    struct stat info{};
    if (stat(target, &info) != 0 || !S_ISREG(info.st_mode))
      return "expected a regular file";
    path = target;
  }
  // Names that can be foretold could be taken by another's link, or by a process that has the same
  // number in another container.
  do {
    uint64_t number = 0;
    if (getrandom(&number, sizeof number, 0) != sizeof number)
      return std::strerror(errno);
    char ending[24];
    std::snprintf(ending, sizeof ending, ".tmp%016llx", static_cast<unsigned long long>(number));
    temporary = path + ending;
    descriptor = open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (descriptor < 0 && errno == EEXIST);
  if (descriptor < 0)
    return std::strerror(errno);
  addUnfinished(temporary);
  return "";
}

std::string FileReplacement::commit() {
  // Otherwise a machine that loses its power could keep the new name with the contents missing.
  int error = fsync(descriptor) == 0 || cannotSync(errno) ? 0 : errno;
  if (close(std::exchange(descriptor, -1)) != 0 && error == 0)
    error = errno;
  if (error == 0 && std::rename(temporary.c_str(), path.c_str()) != 0)
    error = errno;
  if (error)
    unlink(temporary.c_str());
  dropUnfinished(temporary);
  return error ? std::strerror(error) : syncFolder(path);
}

void FileReplacement::discard() {
  if (descriptor < 0)
    return;
  close(std::exchange(descriptor, -1));
  unlink(temporary.c_str());
  dropUnfinished(temporary);
}
