//===- Normalizer.h - what happens to text before it is split -------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares the `normalizer` section of tokenizer.json.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_NORMALIZER_H
#define LLMC_RUNTIME_TOKENIZER_NORMALIZER_H

#include "Json.h"
#include "Regex.h"

#include <memory>
#include <string>

namespace llmc::tokenizer {

/// A piece of the input under way to the model.
struct TrackedText {
  std::string text;
  /// The number of leading bytes that come from the input's first character: a Metaspace
  /// pre-tokenizer may have to know whether a piece begins where the input does.
  size_t tracked = 0;
  /// The size that the rules of a file may make of it: rules that double a text, one after the
  /// other, would else take all memory.
  size_t limit = 0;

  /// Starts with a piece of the input.
  static TrackedText begin(std::string_view piece, bool beginsInput);
  llmc_status checkSize(size_t size) const;
};

class Normalizer {
public:
  virtual ~Normalizer() = default;
  virtual llmc_status apply(TrackedText &text, RegexScratch &scratch) const = 0;

  /// Reads a normalizer; null gives none.
  static llmc_status parse(const JsonView &json, std::unique_ptr<Normalizer> &normalizer);
};

/// Reads {"String": …} or {"Regex": …}.
llmc_status parsePattern(const JsonView &json, Pattern &pattern);

/// Appends the character that byte-level tokenizers write for a byte.
void appendByteCharacter(std::string &text, unsigned char byte);
/// Gives the byte that `character` is written for; -1 if there is none.
int byteOfCharacter(char32_t character);

} // namespace llmc::tokenizer

#endif // LLMC_RUNTIME_TOKENIZER_NORMALIZER_H
