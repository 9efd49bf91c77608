//===- TemporaryFile.h - a file that is removed at the end ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_SUPPORT_TEMPORARYFILE_H
#define LLMC_SUPPORT_TEMPORARYFILE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/raw_ostream.h"

namespace llmc {

/// A file for another program, removed at the end, and where a signal or a fault ends the process.
class TemporaryFile {
public:
  /// Makes an empty file whose name ends with `.SUFFIX`.
  llvm::Error create(llvm::StringRef suffix) {
    if (std::error_code error = llvm::sys::fs::createTemporaryFile("llmc", suffix, path))
      return llvm::createStringError(error, "cannot make a temporary file: %s",
                                     error.message().c_str());
    llvm::sys::RemoveFileOnSignal(path);
    return llvm::Error::success();
  }
  TemporaryFile() = default;
  TemporaryFile(const TemporaryFile &) = delete;
  TemporaryFile &operator=(const TemporaryFile &) = delete;
  ~TemporaryFile() {
    if (path.empty())
      return;
    (void)llvm::sys::fs::remove(path);
    llvm::sys::DontRemoveFileOnSignal(path);
  }

  llvm::Error write(llvm::ArrayRef<char> contents) {
    std::error_code error;
    {
      llvm::raw_fd_ostream stream(path, error);
      if (!error) {
        stream.write(contents.data(), contents.size());
        stream.flush();
        error = stream.error();
      }
      stream.clear_error();
    }
    if (error)
      return llvm::createStringError(error, "cannot write '%s'", path.c_str());
    return llvm::Error::success();
  }

  llvm::Expected<llvm::SmallVector<char, 0>> read() {
    auto contents = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                                /*RequiresNullTerminator=*/false);
    if (!contents)
      return llvm::createStringError(contents.getError(), "cannot read '%s'", path.c_str());
    return llvm::SmallVector<char, 0>((*contents)->getBufferStart(), (*contents)->getBufferEnd());
  }

  llvm::SmallString<128> path;
};

} // namespace llmc

#endif // LLMC_SUPPORT_TEMPORARYFILE_H
