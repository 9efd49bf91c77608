//===- PrecompiledNormalizer.h - a table of replacements -----------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares the normalizer that SentencePiece models bring as a compiled table.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_PRECOMPILEDNORMALIZER_H
#define LLMC_RUNTIME_TOKENIZER_PRECOMPILEDNORMALIZER_H

#include "Normalizer.h"

#include <cstdint>
#include <string>
#include <vector>

namespace llmc::tokenizer {

/// The table is a size in bytes (32 bits, little-endian), a trie of that size as a double array of
/// 32-bit units, and the texts that its values are offsets into, each with a NUL at its end.
class PrecompiledNormalizer : public Normalizer {
public:
  static llmc_status parse(const JsonView &json, std::unique_ptr<Normalizer> &result);

  llmc_status apply(TrackedText &text, RegexScratch &scratch) const override;

private:
  llmc_status readTable(const JsonView &json);
  /// Gives what the shortest key that `text` begins with is replaced by. Sets `found` to false if
  /// there is none.
  llmc_status find(std::string_view text, std::string_view &replacement, bool &found) const;

  std::vector<uint32_t> units;
  std::string texts;
};

} // namespace llmc::tokenizer

#endif // LLMC_RUNTIME_TOKENIZER_PRECOMPILEDNORMALIZER_H
