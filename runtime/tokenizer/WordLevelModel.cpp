//===- WordLevelModel.cpp - words as they stand in a vocabulary ----------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads a WordLevel model and looks words up in it.
//
//===----------------------------------------------------------------------===//

#include "WordLevelModel.h"

namespace llmc::tokenizer {

llmc_status WordLevelModel::read(const JsonView &json, TokenizerDocument &document) {
  LLMC_RETURN_IF_ERROR(json.expectMembers({"type", "vocab", "unk_token"}));
  LLMC_RETURN_IF_ERROR(json.member("unk_token").readString(unknownToken));
  LLMC_RETURN_IF_ERROR(readVocabulary(json, document));
  // Missing, it is an error only where text needs it.
  unknownId = vocabulary.find(unknownToken);
  return llmc_ok_status();
}

llmc_status WordLevelModel::encode(std::string_view word, bool plainText, ModelScratch &,
                                   std::vector<int32_t> &ids) const {
  int32_t id = findFor(word, plainText);
  if (id < 0)
    id = unknownId;
  if (id < 0)
    return llmc_make_status(LLMC_CORRUPT,
                            "model.unk_token: '%.100s' is not in model.vocab, and text needs it",
                            unknownToken.c_str());
  ids.push_back(id);
  return llmc_ok_status();
}

} // namespace llmc::tokenizer
