//===- Model.cpp - how words become ids ----------------------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finds out which kind of model a file has.
//
//===----------------------------------------------------------------------===//

#include "Model.h"

#include "BpeModel.h"
#include "UnigramModel.h"
#include "WordLevelModel.h"
#include "WordPieceModel.h"

namespace llmc::tokenizer {

/// Files from before the member `type` existed tell the kind by the others.
static std::string guessType(const JsonView &json, const TokenizerDocument &document) {
  return document.hasMerges   ? "BPE"
         : document.hasScores ? "Unigram"
         : json.has("continuing_subword_prefix") || json.has("max_input_chars_per_word")
             ? "WordPiece"
         : json.has("unk_token") ? "WordLevel"
                                 : "BPE";
}

llmc_status Model::parse(const JsonView &json, TokenizerDocument &document,
                         std::unique_ptr<Model> &model) {
  LLMC_RETURN_IF_ERROR(json.expectObject());
  std::string type;
  if (json.has("type"))
    LLMC_RETURN_IF_ERROR(json.readType(type));
  else
    type = guessType(json, document);
  if (type == "BPE")
    model = std::make_unique<BpeModel>();
  else if (type == "Unigram")
    model = std::make_unique<UnigramModel>();
  else if (type == "WordPiece")
    model = std::make_unique<WordPieceModel>();
  else if (type == "WordLevel")
    model = std::make_unique<WordLevelModel>();
  else
    return json.member("type").unsupportedKind("model", type);
  return model->read(json, document);
}

llmc_status Model::readVocabulary(const JsonView &json, TokenizerDocument &document) {
  if (!document.hasVocabulary)
    return json.member("vocab").corrupt("expected an object");
  return vocabulary.build(json.member("vocab"), document.vocabulary);
}

void Model::addControlToken(int32_t id) {
  auto index = static_cast<size_t>(id);
  if (index >= vocabulary.idLimit())
    return;
  if (control.size() <= index)
    control.resize(vocabulary.idLimit());
  control[index] = true;
}

} // namespace llmc::tokenizer
