//===- ModuleFile.h - reads the files that tools are given ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_SUPPORT_MODULEFILE_H
#define LLMC_SUPPORT_MODULEFILE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"

#include <memory>

namespace llmc {

/// The contents of a file, or of the standard input for `-`, mapped where that is possible. Aligned
/// as bytecode has to be, which a buffer that was read from a pipe is not by itself.
llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> openModule(llvm::StringRef path);

/// Whether `contents` of the file `path` can be IR as text or as bytecode: the parser would show
/// the bytes of any other file as a line of text.
llvm::Error checkIsModule(llvm::StringRef contents, llvm::StringRef path);

} // namespace llmc

#endif // LLMC_SUPPORT_MODULEFILE_H
