//===- Decoder.h - how tokens become text ---------------------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares the `decoder` section of tokenizer.json: a chain of stages that tokens flow through, one
// by one, so that whole sequences and streams are decoded by the same code.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_DECODER_H
#define LLMC_RUNTIME_TOKENIZER_DECODER_H

#include "Json.h"
#include "PreTokenizer.h"
#include "Regex.h"

#include <memory>
#include <string>
#include <vector>

namespace llmc::tokenizer {

/// Takes a sequence of tokens, each as one or more parts of whole characters, and hands what
/// becomes of them to the next stage as soon as it is certain.
class DecodeStage {
public:
  virtual ~DecodeStage() = default;
  /// Takes a part of the current token.
  virtual llmc_status text(std::string_view part) = 0;
  virtual llmc_status endToken() = 0;
  /// Takes the end of the sequence.
  virtual llmc_status finish() = 0;
};

/// Tokens under way to text.
class DecodeChain {
public:
  /// Text that is certain, for the owner to take away.
  std::string output;

  llmc_status token(std::string_view token);
  llmc_status finish();

private:
  friend class Decoder;
  /// Made if a stage needs it.
  std::unique_ptr<RegexScratch> scratch;
  std::vector<std::unique_ptr<DecodeStage>> stages;
};

class Decoder {
public:
  /// Reads a decoder; null stands for tokens with a space between.
  llmc_status parse(const JsonView &json);

  /// Makes the stages for one sequence. For a stream, characters made of byte tokens are given out
  /// when they are whole; else when all of a run of byte tokens is known to be valid.
  std::unique_ptr<DecodeChain> makeChain(bool isStream) const;

private:
  struct Step {
    enum Kind { Join, ByteLevel, Metaspace, ByteFallback, Fuse, Strip, Replace, Suffix } kind;
    MetaspaceOptions metaspace;
    /// Replace's pattern; shared with the stages.
    std::shared_ptr<const Pattern> pattern;
    /// Replace's content, or the suffix that ends a word.
    std::string text;
    /// What Strip takes away, and how many of it at most from each end.
    char32_t character = 0;
    uint32_t start = 0;
    uint32_t stop = 0;
  };

  llmc_status parseStep(const JsonView &json);

  std::vector<Step> steps;
};

} // namespace llmc::tokenizer

#endif // LLMC_RUNTIME_TOKENIZER_DECODER_H
