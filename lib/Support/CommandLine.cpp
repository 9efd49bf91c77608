//===- CommandLine.cpp - what LLVM's command line leaves to the tools ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Support/CommandLine.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"

using namespace llmc;

llvm::Error llmc::checkGivenOnce() {
  for (const auto &[name, option] : llvm::cl::getRegisteredOptions()) {
    llvm::cl::NumOccurrencesFlag allowed = option->getNumOccurrencesFlag();
    if ((allowed == llvm::cl::Optional || allowed == llvm::cl::Required) &&
        option->getNumOccurrences() > 1)
      return llvm::createStringError("%s%s: expected it once, found it %d times",
                                     name.size() == 1 ? "-" : "--", name.str().c_str(),
                                     option->getNumOccurrences());
  }
  return llvm::Error::success();
}

llvm::Error llmc::writeStandardOutput(llvm::StringRef text) {
  llvm::raw_fd_ostream &stream = llvm::outs();
  stream << text;
  stream.flush();
  std::error_code error = stream.error();
  if (!error)
    return llvm::Error::success();
  stream.clear_error();
  return llvm::createStringError(error, "cannot write standard output: %s",
                                 error.message().c_str());
}
