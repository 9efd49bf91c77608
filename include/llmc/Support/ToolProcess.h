//===- ToolProcess.h - the process of a tool that links LLVM ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_SUPPORT_TOOLPROCESS_H
#define LLMC_SUPPORT_TOOLPROCESS_H

#include "llvm/Support/InitLLVM.h"

namespace llmc {

/// Stands first in main(). Does what llvm::InitLLVM does, and what prepareProcess does; where
/// memory runs out, or LLVM gives up, the process ends with a message and what it began is removed.
class ToolProcess {
public:
  /// `name` begins every message; it must stay.
  ToolProcess(const char *name, int &argc, char **&argv);

private:
  llvm::InitLLVM llvm;
};

} // namespace llmc

#endif // LLMC_SUPPORT_TOOLPROCESS_H
