//===- Vocabulary.cpp - the tokens of a model and their ids --------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Builds the table from what stands in the file.
//
//===----------------------------------------------------------------------===//

#include "Vocabulary.h"

#include <algorithm>

namespace llmc::tokenizer {

llmc_status Vocabulary::build(const JsonView &json, std::vector<VocabularyEntry> &entries) {
  uint32_t limit = 0;
  for (const VocabularyEntry &entry : entries)
    limit = std::max(limit, entry.id + 1);
  // Ids may have gaps, but not such that a small file asks for gigabytes.
  if (limit > 16 * entries.size() + (1u << 20))
    return json.unsupported("expected ids that are close together, found " +
                            std::to_string(entries.size()) + " tokens with ids up to " +
                            std::to_string(limit - 1));
  indexOfId.assign(limit, -1);
  ids.reserve(entries.size());
  tokens.reserve(entries.size());
  for (VocabularyEntry &entry : entries) {
    auto index = static_cast<int32_t>(tokens.size());
    auto id = static_cast<int32_t>(entry.id);
    if (indexOfId[entry.id] >= 0)
      return json.corrupt("two tokens have the id " + std::to_string(entry.id));
    indexOfId[entry.id] = index;
    tokens.push_back(std::move(entry.token));
    if (!ids.insert(tokens.back(), id))
      return json.corrupt("the token with the id " + std::to_string(entry.id) +
                          " has another id as well");
  }
  return llmc_ok_status();
}

void Vocabulary::build(std::vector<ScoredEntry> &entries) {
  ids.reserve(entries.size());
  tokens.reserve(entries.size());
  for (ScoredEntry &entry : entries)
    tokens.push_back(std::move(entry.token));
  indexOfId.resize(tokens.size());
  for (size_t id = tokens.size(); id-- > 0;) {
    indexOfId[id] = static_cast<int32_t>(id);
    ids.insert(tokens[id], static_cast<int32_t>(id));
  }
}

} // namespace llmc::tokenizer
