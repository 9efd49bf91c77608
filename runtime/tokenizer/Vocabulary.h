//===- Vocabulary.h - the tokens of a model and their ids ----------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares the table of a model's tokens, both ways.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_VOCABULARY_H
#define LLMC_RUNTIME_TOKENIZER_VOCABULARY_H

#include "HashTable.h"
#include "Json.h"

#include <string>
#include <vector>

namespace llmc::tokenizer {

class Vocabulary {
public:
  Vocabulary() = default;
  Vocabulary(const Vocabulary &) = delete; // `ids` points into `tokens`.
  Vocabulary &operator=(const Vocabulary &) = delete;

  /// Takes the tokens of model.vocab, which `json` stands for in messages.
  llmc_status build(const JsonView &json, std::vector<VocabularyEntry> &entries);
  /// Takes a list of tokens whose ids are their places; of a token that comes twice, the last place
  /// is its id.
  void build(std::vector<ScoredEntry> &entries);

  /// Gives -1 if the token is not there.
  int32_t find(std::string_view token) const { return ids.find(token); }
  /// Gives null if there is no token with this id.
  const std::string *name(int32_t id) const {
    if (id < 0 || static_cast<size_t>(id) >= indexOfId.size())
      return nullptr;
    int32_t index = indexOfId[static_cast<size_t>(id)];
    return index < 0 ? nullptr : &tokens[static_cast<size_t>(index)];
  }
  /// The number of tokens.
  size_t size() const { return tokens.size(); }
  /// The largest id plus one.
  size_t idLimit() const { return indexOfId.size(); }

  /// Calls `take(token, id)` for each token, which stays where it is.
  template <typename Taker>
  void forEach(Taker take) const {
    for (size_t id = 0; id < indexOfId.size(); ++id)
      if (indexOfId[id] >= 0)
        take(tokens[static_cast<size_t>(indexOfId[id])], static_cast<int32_t>(id));
  }

private:
  std::vector<std::string> tokens;
  /// For each id the index of its token; -1 where there is none.
  std::vector<int32_t> indexOfId;
  TextTable ids;
};

} // namespace llmc::tokenizer

#endif // LLMC_RUNTIME_TOKENIZER_VOCABULARY_H
