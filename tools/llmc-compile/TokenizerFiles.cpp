//===- TokenizerFiles.cpp - the tokenizer that an artifact carries ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TokenizerFiles.h"
#include "llmc/tokenizer.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

using namespace llmc;

static std::string getPath(llvm::StringRef folder, llvm::StringRef name) {
  llvm::SmallString<256> path(folder);
  llvm::sys::path::append(path, name);
  return path.str().str();
}

std::string llmc::findTokenizer(llvm::StringRef model, llvm::ArrayRef<std::string> parameterFiles,
                                llvm::StringRef named) {
  if (!named.empty())
    return llvm::sys::fs::is_directory(named) ? getPath(named, "tokenizer.json") : named.str();
  llvm::SmallVector<llvm::StringRef> neighbours{model};
  llvm::append_range(neighbours, parameterFiles);
  for (llvm::StringRef neighbour : neighbours) {
    std::string path = getPath(llvm::sys::path::parent_path(neighbour), "tokenizer.json");
    if (llvm::sys::fs::exists(path))
      return path;
  }
  return "";
}

/// Gives what is wrong with the files; empty if nothing is.
static std::string check(llvm::StringRef json, llvm::StringRef configuration) {
  llmc_tokenizer *tokenizer = nullptr;
  llmc_status status = llmc_tokenizer_create(json.data(), json.size(), configuration.data(),
                                             configuration.size(), &tokenizer);
  llmc_tokenizer_release(tokenizer);
  return status.message;
}

llvm::Error llmc::addTokenizer(llvm::StringRef path, std::vector<ArtifactFile> &files,
                               std::vector<std::string> &warnings) {
  auto json = llvm::MemoryBuffer::getFile(path);
  if (!json)
    return llvm::createStringError(json.getError(), "cannot read '%s': %s", path.str().c_str(),
                                   json.getError().message().c_str());
  if (std::string problem = check((*json)->getBuffer(), ""); !problem.empty()) {
    warnings.push_back("'" + path.str() + "': " + problem +
                       ": the artifact is written without a tokenizer, and reads and writes token "
                       "ids alone");
    return llvm::Error::success();
  }
  files.push_back({"tokenizer.json", (*json)->getBuffer().str()});
  std::string configurationPath =
      getPath(llvm::sys::path::parent_path(path), "tokenizer_config.json");
  auto configuration = llvm::MemoryBuffer::getFile(configurationPath);
  if (!configuration)
    return llvm::Error::success();
  std::string problem = check((*json)->getBuffer(), (*configuration)->getBuffer());
  if (problem.empty())
    files.push_back({"tokenizer_config.json", (*configuration)->getBuffer().str()});
  else
    warnings.push_back("'" + configurationPath + "': " + problem +
                       ": the artifact is written without it, and knows no tokens that end a text "
                       "and no chat template");
  return llvm::Error::success();
}
