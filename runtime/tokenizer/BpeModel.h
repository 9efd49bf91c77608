//===- BpeModel.h - byte pair encoding of one word ------------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares the `model` section of tokenizer.json: the vocabulary and the merges.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_BPEMODEL_H
#define LLMC_RUNTIME_TOKENIZER_BPEMODEL_H

#include "HashTable.h"
#include "Json.h"
#include "WordCache.h"

#include <array>
#include <string>
#include <vector>

namespace llmc::tokenizer {

/// What encoding a word needs to write to: one for each thread.
struct BpeScratch {
  /// A token of the word under way; those that were merged into their left neighbour have id -1.
  struct Symbol {
    int32_t id;
    int32_t previous;
    int32_t next;
  };
  /// A merge to try: of the symbol at `position` with the next one.
  struct Candidate {
    uint32_t rank;
    int32_t position;
    int32_t id;
  };

  std::vector<Symbol> symbols;
  std::vector<Candidate> candidates;
  std::string character;
  WordCache cache;
};

class BpeModel {
public:
  BpeModel() = default;
  BpeModel(const BpeModel &) = delete; // `ids` points into `tokens`.
  BpeModel &operator=(const BpeModel &) = delete;

  llmc_status parse(const JsonView &json, TokenizerDocument &document);

  /// Appends the ids of a word, which is not empty.
  llmc_status encode(std::string_view word, BpeScratch &scratch, std::vector<int32_t> &ids) const;

  /// Gives -1 if the token is not there.
  int32_t find(std::string_view token) const { return ids.find(token); }
  /// Gives null if there is no token with this id.
  const std::string *name(int32_t id) const;
  /// The number of tokens.
  size_t size() const { return tokens.size(); }
  /// The largest id plus one.
  size_t idLimit() const { return indexOfId.size(); }

private:
  llmc_status readOptions(const JsonView &json);
  llmc_status buildVocabulary(const JsonView &table, std::vector<VocabularyEntry> &vocabulary);
  llmc_status buildMerges(const std::vector<MergeEntry> &merges);
  /// Encodes a word that no token needs to be looked for as a whole.
  llmc_status encodePart(std::string_view word, BpeScratch &scratch,
                         std::vector<int32_t> &ids) const;
  size_t findCut(std::string_view word, size_t begin) const;
  llmc_status splitCharacters(std::string_view word, BpeScratch &scratch) const;
  void mergeSymbols(BpeScratch &scratch) const;

  std::vector<std::string> tokens;
  /// For each id the index of its token; -1 where there is none.
  std::vector<int32_t> indexOfId;
  TextTable ids;
  MergeTable mergeTable;
  /// The pairs of characters that some merge brings together; the merges themselves don't count.
  MergeTable joinedCharacters;
  /// The ids of the tokens <0x00> to <0xFF>; -1 where there is none.
  std::array<int32_t, 256> byteIds = {};

  std::string unknownToken;
  bool hasUnknownToken = false;
  int32_t unknownId = -1;
  std::string prefix;
  std::string suffix;
  bool fuseUnknown = false;
  bool byteFallback = false;
  bool ignoreMerges = false;
};

} // namespace llmc::tokenizer

#endif // LLMC_RUNTIME_TOKENIZER_BPEMODEL_H
