//===- WordPieceModel.h - words as the longest pieces from the left ------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares the model that cuts words into the longest tokens from the left.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_WORDPIECEMODEL_H
#define LLMC_RUNTIME_TOKENIZER_WORDPIECEMODEL_H

#include "Model.h"
#include "PrefixTree.h"

namespace llmc::tokenizer {

class WordPieceModel : public Model {
public:
  llmc_status encode(std::string_view word, bool plainText, ModelScratch &scratch,
                     std::vector<int32_t> &ids) const override;

protected:
  llmc_status read(const JsonView &json, TokenizerDocument &document) override;

private:
  llmc_status addUnknown(std::vector<int32_t> &ids) const;

  std::string unknownToken;
  int32_t unknownId = -1;
  uint32_t maximumCharacters = 0;
  /// The tokens that can begin a word, and those that can go on with one, without their prefix.
  PrefixTree beginning;
  PrefixTree continuing;
};

} // namespace llmc::tokenizer

#endif // LLMC_RUNTIME_TOKENIZER_WORDPIECEMODEL_H
