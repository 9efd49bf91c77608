//===- TokenizerFiles.cpp - the tokenizer that an artifact carries ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TokenizerFiles.h"
#include "llmc/tokenizer.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/WithColor.h"

using namespace llmc;

static std::string getPath(llvm::StringRef folder, llvm::StringRef name) {
  llvm::SmallString<256> path(folder);
  llvm::sys::path::append(path, name);
  return path.str().str();
}

/// Empty where there is none.
static std::string findTokenizer(llvm::StringRef model, llvm::ArrayRef<std::string> parameterFiles,
                                 llvm::StringRef named) {
  if (!named.empty())
    return llvm::sys::fs::is_directory(named) ? getPath(named, "tokenizer.json") : named.str();
  llvm::SmallVector<llvm::StringRef> neighbours{model};
  if (!parameterFiles.empty())
    neighbours.push_back(parameterFiles.front());
  for (llvm::StringRef neighbour : neighbours) {
    std::string path = getPath(llvm::sys::path::parent_path(neighbour), "tokenizer.json");
    if (llvm::sys::fs::exists(path))
      return path;
  }
  return "";
}

static llvm::Error check(llvm::StringRef path, llvm::StringRef json,
                         llvm::StringRef configuration) {
  llmc_tokenizer *tokenizer = nullptr;
  llmc_status status = llmc_tokenizer_create(json.data(), json.size(), configuration.data(),
                                             configuration.size(), &tokenizer);
  if (!llmc_status_ok(&status))
    return llvm::createStringError("'%s': %s", path.str().c_str(), status.message);
  llmc_tokenizer_release(tokenizer);
  return llvm::Error::success();
}

llvm::Expected<std::string> llmc::addTokenizer(llvm::StringRef model,
                                               llvm::ArrayRef<std::string> parameterFiles,
                                               llvm::StringRef named,
                                               std::vector<ArtifactFile> &files) {
  std::string path = findTokenizer(model, parameterFiles, named);
  if (path.empty()) {
    llvm::WithColor::warning(llvm::errs(), "llmc compile")
        << "no tokenizer.json beside '" << model
        << "': the artifact reads and writes token ids alone (--tokenizer names one)\n";
    return path;
  }
  auto json = llvm::MemoryBuffer::getFile(path);
  if (!json)
    return llvm::createStringError(json.getError(), "cannot read '%s': %s", path.c_str(),
                                   json.getError().message().c_str());
  files.push_back({"tokenizer.json", (*json)->getBuffer().str()});
  auto configuration = llvm::MemoryBuffer::getFile(
      getPath(llvm::sys::path::parent_path(path), "tokenizer_config.json"));
  if (configuration)
    files.push_back({"tokenizer_config.json", (*configuration)->getBuffer().str()});
  if (llvm::Error error = check(path, (*json)->getBuffer(),
                                configuration ? (*configuration)->getBuffer() : llvm::StringRef()))
    return std::move(error);
  return path;
}
