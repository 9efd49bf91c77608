//===- CommandLine.h - what LLVM's command line leaves to the tools ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_SUPPORT_COMMANDLINE_H
#define LLMC_SUPPORT_COMMANDLINE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace llmc {

/// Refuses an option that takes one value and was given more than one: LLVM takes the last.
llvm::Error checkGivenOnce();

/// Writes a tool's result to standard output, to its end: where that fails, LLVM's own stream ends
/// the process when it is destroyed.
llvm::Error writeStandardOutput(llvm::StringRef text);

} // namespace llmc

#endif // LLMC_SUPPORT_COMMANDLINE_H
