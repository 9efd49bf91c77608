//===- AtomicFile.cpp - output files that appear whole or not at all ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Support/AtomicFile.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Signals.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace llmc;

llvm::Error AtomicFile::fail(llvm::StringRef what, int error) const {
  return llvm::createStringError("cannot %s '%s': %s", what.str().c_str(), path.c_str(),
                                 std::strerror(error));
}

llvm::Expected<AtomicFile> AtomicFile::create(llvm::StringRef path) {
  AtomicFile file;
  file.path = path.str();
  // Renaming would replace a link by a file, and a device as well.
  llvm::SmallString<256> target;
  if (!llvm::sys::fs::real_path(path, target)) {
    if (!llvm::sys::fs::is_regular_file(target))
      return llvm::createStringError("cannot write '%s': expected a regular file",
                                     file.path.c_str());
    file.path = target.str().str();
  }
  file.temporary = file.path + ".tmp" + std::to_string(llvm::sys::Process::getProcessId());
  file.descriptor = open(file.temporary.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file.descriptor < 0)
    return file.fail("write", errno);
  llvm::sys::RemoveFileOnSignal(file.temporary);
  // A limit on the size of files then fails like a full disk, and not with LLVM's stack trace.
  std::signal(SIGXFSZ, SIG_IGN);
  return std::move(file);
}

AtomicFile::AtomicFile(AtomicFile &&other)
    : path(std::move(other.path)), temporary(std::move(other.temporary)),
      descriptor(other.descriptor), mapped(other.mapped), mappedSize(other.mappedSize) {
  other.descriptor = -1;
  other.mapped = nullptr;
}

AtomicFile::~AtomicFile() {
  if (mapped)
    munmap(mapped, mappedSize);
  if (descriptor < 0)
    return;
  close(descriptor);
  unlink(temporary.c_str());
  llvm::sys::DontRemoveFileOnSignal(temporary);
}

llvm::Expected<llvm::MutableArrayRef<uint8_t>> AtomicFile::map(uint64_t size) {
  // Space is taken now: a full disk found while writing through the mapping would be a SIGBUS.
  if (int error = posix_fallocate(descriptor, 0, static_cast<off_t>(std::max<uint64_t>(size, 1))))
    return fail("write", error);
  void *memory =
      mmap(nullptr, std::max<uint64_t>(size, 1), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (memory == MAP_FAILED)
    return fail("map", errno);
  mapped = memory;
  mappedSize = std::max<uint64_t>(size, 1);
  return llvm::MutableArrayRef<uint8_t>(static_cast<uint8_t *>(memory), size);
}

llvm::Error AtomicFile::write(uint64_t offset, llvm::ArrayRef<uint8_t> bytes) {
  while (!bytes.empty()) {
    ssize_t count = pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return fail("write", count < 0 ? errno : ENOSPC);
    bytes = bytes.drop_front(count);
    offset += count;
  }
  return llvm::Error::success();
}

llvm::Error AtomicFile::commit() {
  if (mapped) {
    munmap(mapped, mappedSize);
    mapped = nullptr;
  }
  int result = close(descriptor);
  descriptor = -1;
  int error = errno;
  if (result == 0 && std::rename(temporary.c_str(), path.c_str()) == 0) {
    llvm::sys::DontRemoveFileOnSignal(temporary);
    return llvm::Error::success();
  }
  error = result == 0 ? errno : error;
  unlink(temporary.c_str());
  llvm::sys::DontRemoveFileOnSignal(temporary);
  return fail("write", error);
}

llvm::Error llmc::writeFileAtomically(llvm::StringRef path, llvm::StringRef contents) {
  llvm::Expected<AtomicFile> file = AtomicFile::create(path);
  if (!file)
    return file.takeError();
  if (llvm::Error error = file->write(0, llvm::arrayRefFromStringRef(contents)))
    return error;
  return file->commit();
}
