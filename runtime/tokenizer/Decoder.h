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

#include "DecodeStage.h"
#include "Json.h"
#include "PreTokenizer.h"
#include "Regex.h"

#include <memory>
#include <string>
#include <vector>

namespace llmc::tokenizer {

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
    enum Kind {
      Join,
      ByteLevel,
      Metaspace,
      ByteFallback,
      Fuse,
      Strip,
      Replace,
      Suffix,
      WordPiece,
      Ctc
    } kind;
    MetaspaceOptions metaspace;
    /// Replace's pattern; shared with the stages.
    std::shared_ptr<const Pattern> pattern;
    /// Replace's content, the suffix that ends a word, the prefix of what goes on with one, or what
    /// CTC writes for nothing.
    std::string text;
    /// What CTC writes between words.
    std::string delimiter;
    /// Whether WordPiece and CTC take spaces before punctuation away.
    bool cleansUp = true;
    /// What Strip takes away, and how many of it at most from each end.
    char32_t character = 0;
    uint32_t start = 0;
    uint32_t stop = 0;
  };

  llmc_status parseStep(const JsonView &json);
  /// Reads a kind that is about words; sets `known` to false if `type` is none.
  static llmc_status parseWordStep(const JsonView &json, const std::string &type, Step &step,
                                   bool &known);

  std::vector<Step> steps;
};

} // namespace llmc::tokenizer

#endif // LLMC_RUNTIME_TOKENIZER_DECODER_H
