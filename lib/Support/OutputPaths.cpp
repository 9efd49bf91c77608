//===- OutputPaths.cpp - outputs that would destroy what they are made of ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Support/OutputPaths.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llmc;

/// The place of a file that is not there: its folder, which links may lead to, and its name.
static std::string getPlace(llvm::StringRef path) {
  llvm::SmallString<256> absolute(path), folder;
  // Without a current folder the path stays as it is.
  (void)llvm::sys::fs::make_absolute(absolute);
  if (llvm::sys::fs::real_path(llvm::sys::path::parent_path(absolute), folder))
    return absolute.str().str();
  llvm::sys::path::append(folder, llvm::sys::path::filename(absolute));
  return folder.str().str();
}

bool llmc::isSameFile(llvm::StringRef first, llvm::StringRef second) {
  return llvm::sys::fs::equivalent(first, second) || getPlace(first) == getPlace(second);
}

llvm::Error llmc::checkOutputsApart(llvm::ArrayRef<NamedPath> outputs,
                                    llvm::ArrayRef<NamedPath> inputs) {
  for (auto [index, output] : llvm::enumerate(outputs)) {
    for (const NamedPath &input : inputs)
      if (isSameFile(output.path, input.path))
        return llvm::createStringError("expected another %s than '%s', which %s",
                                       output.what.str().c_str(), output.path.c_str(),
                                       input.what.str().c_str());
    for (const NamedPath &other : outputs.take_front(index))
      if (isSameFile(output.path, other.path))
        return llvm::createStringError("expected another %s than '%s', where the %s goes",
                                       output.what.str().c_str(), output.path.c_str(),
                                       other.what.str().c_str());
  }
  return llvm::Error::success();
}
