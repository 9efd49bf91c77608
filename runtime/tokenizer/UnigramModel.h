//===- UnigramModel.h - text as its most likely tokens -------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares the model that cuts text into the tokens whose scores have the largest sum.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_UNIGRAMMODEL_H
#define LLMC_RUNTIME_TOKENIZER_UNIGRAMMODEL_H

#include "Model.h"
#include "PrefixTree.h"

#include <array>

namespace llmc::tokenizer {

class UnigramModel : public Model {
public:
  llmc_status encode(std::string_view word, bool plainText, ModelScratch &scratch,
                     std::vector<int32_t> &ids) const override;

protected:
  llmc_status read(const JsonView &json, TokenizerDocument &document) override;

private:
  class Search;

  /// Appends the ids of a piece of the best path: its token, else its bytes, else the unknown one.
  llmc_status addPiece(std::string_view piece, bool plainText, std::vector<int32_t> &ids) const;
  llmc_status missingUnknown() const;

  /// The score of each token, by id.
  std::vector<double> scores;
  /// The score of a character that is no token.
  double unknownScore = 0;
  int32_t unknownId = -1;
  bool byteFallback = false;
  /// The ids of the tokens <0x00> to <0xFF>; -1 where there is none.
  std::array<int32_t, 256> byteIds = {};
  PrefixTree tree;
};

} // namespace llmc::tokenizer

#endif // LLMC_RUNTIME_TOKENIZER_UNIGRAMMODEL_H
