//===- WordLevelModel.h - words as they stand in a vocabulary ------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares the model whose tokens are whole words.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_WORDLEVELMODEL_H
#define LLMC_RUNTIME_TOKENIZER_WORDLEVELMODEL_H

#include "Model.h"

namespace llmc::tokenizer {

class WordLevelModel : public Model {
public:
  llmc_status encode(std::string_view word, bool plainText, ModelScratch &scratch,
                     std::vector<int32_t> &ids) const override;

protected:
  llmc_status read(const JsonView &json, TokenizerDocument &document) override;

private:
  std::string unknownToken;
  int32_t unknownId = -1;
};

} // namespace llmc::tokenizer

#endif // LLMC_RUNTIME_TOKENIZER_WORDLEVELMODEL_H
