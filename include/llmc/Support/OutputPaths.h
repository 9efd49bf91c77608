//===- OutputPaths.h - outputs that would destroy what they are made of ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_SUPPORT_OUTPUTPATHS_H
#define LLMC_SUPPORT_OUTPUTPATHS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>

namespace llmc {

/// A file that a tool writes, and what it is ("output"), or one that it reads, and what is said of
/// it ("is the input").
struct NamedPath {
  std::string path;
  llvm::StringRef what;
};

/// Whether two paths lead to one file, be it there already or not.
bool isSameFile(llvm::StringRef first, llvm::StringRef second);

/// Refuses outputs that lie where an input, or another output, does.
llvm::Error checkOutputsApart(llvm::ArrayRef<NamedPath> outputs, llvm::ArrayRef<NamedPath> inputs);

} // namespace llmc

#endif // LLMC_SUPPORT_OUTPUTPATHS_H
