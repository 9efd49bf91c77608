//===- AtomicFile.cpp - output files that appear whole or not at all ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Support/AtomicFile.h"

#include "llvm/Support/Signals.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace llmc;

llvm::Error AtomicFile::fail(llvm::StringRef what, llvm::StringRef problem) const {
  return llvm::createStringError("cannot %s '%s': %s", what.str().c_str(), path.c_str(),
                                 problem.str().c_str());
}

llvm::Expected<AtomicFile> AtomicFile::create(llvm::StringRef path) {
  AtomicFile file;
  file.path = path.str();
  if (std::string problem = file.replacement.create(file.path); !problem.empty())
    return file.fail("write", problem);
  llvm::sys::RemoveFileOnSignal(file.replacement.getTemporary());
  return std::move(file);
}

AtomicFile::AtomicFile(AtomicFile &&other)
    : path(std::move(other.path)), replacement(std::move(other.replacement)), mapped(other.mapped),
      mappedSize(other.mappedSize) {
  other.mapped = nullptr;
}

AtomicFile::~AtomicFile() {
  if (mapped)
    munmap(mapped, mappedSize);
  if (replacement.getDescriptor() < 0)
    return;
  replacement.discard();
  llvm::sys::DontRemoveFileOnSignal(replacement.getTemporary());
}

llvm::Expected<llvm::MutableArrayRef<uint8_t>> AtomicFile::map(uint64_t size) {
  // Space is taken now: a full disk found while writing through the mapping would be a SIGBUS.
  if (int error = posix_fallocate(replacement.getDescriptor(), 0,
                                  static_cast<off_t>(std::max<uint64_t>(size, 1))))
    return fail("write", std::strerror(error));
  void *memory = mmap(nullptr, std::max<uint64_t>(size, 1), PROT_READ | PROT_WRITE, MAP_SHARED,
                      replacement.getDescriptor(), 0);
  if (memory == MAP_FAILED)
    return fail("map", std::strerror(errno));
  mapped = memory;
  mappedSize = std::max<uint64_t>(size, 1);
  return llvm::MutableArrayRef<uint8_t>(static_cast<uint8_t *>(memory), size);
}

llvm::Error AtomicFile::write(uint64_t offset, llvm::ArrayRef<uint8_t> bytes) {
  while (!bytes.empty()) {
    ssize_t count =
        pwrite(replacement.getDescriptor(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return fail("write", std::strerror(count < 0 ? errno : ENOSPC));
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
  std::string problem = replacement.commit();
  llvm::sys::DontRemoveFileOnSignal(replacement.getTemporary());
  return problem.empty() ? llvm::Error::success() : fail("write", problem);
}

llvm::Error llmc::writeFileAtomically(llvm::StringRef path, llvm::StringRef contents) {
  llvm::Expected<AtomicFile> file = AtomicFile::create(path);
  if (!file)
    return file.takeError();
  if (llvm::Error error = file->write(0, llvm::arrayRefFromStringRef(contents)))
    return error;
  return file->commit();
}
