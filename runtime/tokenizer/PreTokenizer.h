//===- PreTokenizer.h - how text is split into words ----------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares the `pre_tokenizer` section of tokenizer.json.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_PRETOKENIZER_H
#define LLMC_RUNTIME_TOKENIZER_PRETOKENIZER_H

#include "Json.h"
#include "Normalizer.h"
#include "Regex.h"

#include <memory>
#include <vector>

namespace llmc::tokenizer {

/// A text and the words found in it so far: parts of it in their order, none of them empty.
struct SplitText {
  TrackedText text;
  std::vector<Span> words;

  std::string_view word(const Span &span) const {
    return std::string_view(text.text).substr(span.begin, span.size());
  }
};

/// What splitting needs to write to: one for each thread.
struct SplitScratch {
  RegexScratch regex;
  std::vector<Match> matches;
  std::vector<Span> words;
  std::string text;
};

class PreTokenizer {
public:
  virtual ~PreTokenizer() = default;
  virtual llmc_status apply(SplitText &text, SplitScratch &scratch) const = 0;

  /// Reads a pre-tokenizer; null gives none.
  static llmc_status parse(const JsonView &json, std::unique_ptr<PreTokenizer> &preTokenizer);
};

/// Where a Metaspace puts its mark.
enum class PrependScheme { Always, First, Never };

/// The options of a Metaspace, which pre-tokenizers and decoders share.
struct MetaspaceOptions {
  std::string replacement;
  PrependScheme scheme = PrependScheme::Always;
  bool split = true;

  static llmc_status parse(const JsonView &json, MetaspaceOptions &options);
};

/// What becomes of the parts that a pattern matches.
enum class SplitBehavior { Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous };

/// Appends the words that `matches`, which cover a text from its begin to its end, cut it into;
/// `offset` is added to each position.
void appendWords(const std::vector<Match> &matches, SplitBehavior behavior, size_t offset,
                 std::vector<Span> &words);

} // namespace llmc::tokenizer

#endif // LLMC_RUNTIME_TOKENIZER_PRETOKENIZER_H
