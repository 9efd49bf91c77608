//===- WordPieceModel.cpp - words as the longest pieces from the left ----===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads a WordPiece model and cuts words with it.
//
//===----------------------------------------------------------------------===//

#include "WordPieceModel.h"

#include "Unicode.h"

namespace llmc::tokenizer {

llmc_status WordPieceModel::read(const JsonView &json, TokenizerDocument &document) {
  LLMC_RETURN_IF_ERROR(json.expectMembers(
      {"type", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab"}));
  std::string prefix;
  LLMC_RETURN_IF_ERROR(json.member("unk_token").readString(unknownToken));
  LLMC_RETURN_IF_ERROR(json.member("continuing_subword_prefix").readString(prefix));
  LLMC_RETURN_IF_ERROR(
      json.member("max_input_chars_per_word").readUnsigned(maximumCharacters, 0xffffffff));
  LLMC_RETURN_IF_ERROR(readVocabulary(json, document));
  // Missing, it is an error only where text needs it.
  unknownId = vocabulary.find(unknownToken);
  std::vector<PrefixTree::Entry> begins, continues;
  begins.reserve(vocabulary.size());
  vocabulary.forEach([&](std::string_view token, int32_t id) {
    begins.push_back({token, id});
    if (token.substr(0, prefix.size()) == prefix)
      continues.push_back({token.substr(prefix.size()), id});
  });
  beginning.build(std::move(begins));
  continuing.build(std::move(continues));
  return llmc_ok_status();
}

llmc_status WordPieceModel::addUnknown(std::vector<int32_t> &ids) const {
  if (unknownId < 0)
    return llmc_make_status(LLMC_CORRUPT,
                            "model.unk_token: '%.100s' is not in model.vocab, and text needs it",
                            unknownToken.c_str());
  ids.push_back(unknownId);
  return llmc_ok_status();
}

llmc_status WordPieceModel::encode(std::string_view word, bool plainText, ModelScratch &,
                                   std::vector<int32_t> &ids) const {
  if (countCharacters(word) > maximumCharacters)
    return addUnknown(ids);
  size_t first = ids.size();
  for (size_t begin = 0; begin < word.size();) {
    size_t end = begin;
    int32_t id = -1;
    (begin == 0 ? beginning : continuing)
        .forEachPrefix(word, begin, [&](size_t pieceEnd, int32_t piece) {
          if (plainText && isControl(piece))
            return;
          end = pieceEnd;
          id = piece;
        });
    // A word is known as a whole or not at all.
    if (id < 0) {
      ids.resize(first);
      return addUnknown(ids);
    }
    ids.push_back(id);
    begin = end;
  }
  return llmc_ok_status();
}

} // namespace llmc::tokenizer
