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

namespace {

/// The files that go into the artifact, of which each is kept only if the runtime can read it.
class Collection {
public:
  /// Reads the file at `path`; false if there is none. It becomes `place`'s, under a name in the
  /// artifact, unless it can't be understood: `loss` says what is missing then.
  bool add(llvm::StringRef path, llvm::StringRef name, llmc_tokenizer_file &place,
           llvm::StringRef loss) {
    auto buffer = llvm::MemoryBuffer::getFile(path);
    if (!buffer)
      return false;
    candidates.push_back({path.str(), name.str(), loss.str(), &place, std::move(*buffer)});
    candidates.back().give();
    return true;
  }

  /// Hands out the files that can be read; warns of others, and of a chat template that can't be
  /// run.
  void finish(std::vector<ArtifactFile> &files, std::vector<std::string> &warnings) {
    bool allGood = check().empty();
    if (!allGood)
      for (Candidate &candidate : candidates)
        *candidate.place = {};
    for (Candidate &candidate : candidates) {
      if (!allGood) {
        candidate.give();
        if (std::string problem = check(); !problem.empty()) {
          *candidate.place = {};
          warnings.push_back("'" + candidate.path + "': " + problem +
                             ": the artifact is written without " + candidate.loss);
          if (&candidate == &candidates.front())
            return; // the others belong to the tokenizer
          continue;
        }
      }
      files.push_back({candidate.name, candidate.buffer->getBuffer().str()});
    }
    if (llvm::StringRef problem = chat.message; problem.starts_with("chat template: "))
      warnings.push_back(problem.str() + ": the artifact can hold no conversation (--chat-template "
                                         "names another template)");
  }

  llmc_tokenizer_files given = {};

private:
  struct Candidate {
    std::string path, name, loss;
    llmc_tokenizer_file *place;
    std::unique_ptr<llvm::MemoryBuffer> buffer;

    void give() const { *place = {buffer->getBufferStart(), buffer->getBufferSize()}; }
  };

  /// Gives what is wrong with the files; empty if nothing is.
  std::string check() {
    llmc_tokenizer *tokenizer = nullptr;
    llmc_status status = llmc_tokenizer_create_from_files(&given, &tokenizer);
    if (llmc_status_ok(&status))
      chat = llmc_tokenizer_check_chat(tokenizer);
    llmc_tokenizer_release(tokenizer);
    return status.message;
  }

  std::vector<Candidate> candidates;
  llmc_status chat = llmc_ok_status();
};

} // namespace

static llvm::Error cannotRead(llvm::StringRef path) {
  std::error_code error = llvm::MemoryBuffer::getFile(path).getError();
  return llvm::createStringError(error, "cannot read '%s': %s", path.str().c_str(),
                                 error.message().c_str());
}

llvm::Error llmc::addTokenizer(llvm::StringRef path, llvm::StringRef chatTemplate,
                               std::vector<ArtifactFile> &files,
                               std::vector<std::string> &warnings) {
  Collection collection;
  llmc_tokenizer_files &given = collection.given;
  auto beside = [&](llvm::StringRef name) {
    return getPath(llvm::sys::path::parent_path(path), name);
  };
  if (!collection.add(path, "tokenizer.json", given.tokenizer,
                      "a tokenizer, and reads and writes token ids alone"))
    return cannotRead(path);
  collection.add(beside("tokenizer_config.json"), "tokenizer_config.json", given.tokenizer_config,
                 "it, and knows no tokens that end a text and no chat template");
  llvm::StringRef lost = "it, and knows no tokens of it that end a text";
  collection.add(beside("generation_config.json"), "generation_config.json",
                 given.generation_config, lost);
  collection.add(beside("config.json"), "config.json", given.model_config, lost);
  llvm::StringRef name = "chat_template";
  if (!chatTemplate.empty()) {
    if (!collection.add(chatTemplate, name, given.chat_template, "it"))
      return cannotRead(chatTemplate);
  } else if (!collection.add(beside("chat_template.jinja"), name, given.chat_template, "it")) {
    collection.add(beside("chat_template.json"), name, given.chat_template, "it");
  }
  collection.finish(files, warnings);
  return llvm::Error::success();
}
