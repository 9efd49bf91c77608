//===- AtomicFile.h - output files that appear whole or not at all ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_SUPPORT_ATOMICFILE_H
#define LLMC_SUPPORT_ATOMICFILE_H

#include "llmc/Host/FileReplacement.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <string>

namespace llmc {

/// A file that is written beside its path and renamed by commit(), once it has reached the disk.
/// Without that, and when the process is interrupted, what was written is removed.
class AtomicFile {
public:
  static llvm::Expected<AtomicFile> create(llvm::StringRef path);
  AtomicFile(AtomicFile &&other);
  AtomicFile &operator=(AtomicFile &&) = delete;
  ~AtomicFile();

  /// Makes the file `size` bytes long, with space on the disk, and maps it for writing. Once.
  llvm::Expected<llvm::MutableArrayRef<uint8_t>> map(uint64_t size);
  /// Writes at `offset`; not after map().
  llvm::Error write(uint64_t offset, llvm::ArrayRef<uint8_t> bytes);
  llvm::Error commit();

private:
  AtomicFile() = default;
  llvm::Error fail(llvm::StringRef what, llvm::StringRef problem) const;

  std::string path;
  FileReplacement replacement;
  void *mapped = nullptr;
  uint64_t mappedSize = 0;
};

/// Writes a whole file that way.
llvm::Error writeFileAtomically(llvm::StringRef path, llvm::StringRef contents);

} // namespace llmc

#endif // LLMC_SUPPORT_ATOMICFILE_H
