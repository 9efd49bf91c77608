//===- BertNormalizer.h - how BERT cleans text ---------------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares the normalizer of the BERT family.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_BERTNORMALIZER_H
#define LLMC_RUNTIME_TOKENIZER_BERTNORMALIZER_H

#include "Normalizer.h"

namespace llmc::tokenizer {

class BertNormalizer : public Normalizer {
public:
  static llmc_status parse(const JsonView &json, std::unique_ptr<Normalizer> &result);

  llmc_status apply(TrackedText &text, RegexScratch &scratch) const override;

private:
  /// Drops control characters, and makes every space a plain one.
  bool cleansText = true;
  /// Puts spaces around Chinese characters.
  bool separatesChinese = true;
  bool stripsAccents = true;
  bool lowercases = true;
};

} // namespace llmc::tokenizer

#endif // LLMC_RUNTIME_TOKENIZER_BERTNORMALIZER_H
