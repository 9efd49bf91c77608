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
#include "Model.h"

#include <array>
#include <string>
#include <vector>

namespace llmc::tokenizer {

class BpeModel : public Model {
public:
  llmc_status encode(std::string_view word, bool plainText, ModelScratch &scratch,
                     std::vector<int32_t> &ids) const override;

protected:
  llmc_status read(const JsonView &json, TokenizerDocument &document) override;

private:
  llmc_status readOptions(const JsonView &json);
  llmc_status buildMerges(const std::vector<MergeEntry> &merges);
  /// Encodes a word that no token needs to be looked for as a whole.
  llmc_status encodePart(std::string_view word, bool plainText, ModelScratch &scratch,
                         std::vector<int32_t> &ids) const;
  size_t findCut(std::string_view word, size_t begin, bool plainText) const;
  llmc_status splitCharacters(std::string_view word, bool plainText, ModelScratch &scratch) const;
  void mergeSymbols(bool plainText, ModelScratch &scratch) const;
  /// Gives null where the two tokens stay apart.
  const Merge *findMerge(int32_t left, int32_t right, bool plainText) const;

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
