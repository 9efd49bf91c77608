//===- AddedTokens.h - tokens that are found in text before the model -----===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares the `added_tokens` section of tokenizer.json.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_ADDEDTOKENS_H
#define LLMC_RUNTIME_TOKENIZER_ADDEDTOKENS_H

#include "Json.h"
#include "Model.h"
#include "Normalizer.h"
#include "PrefixTree.h"
#include "Regex.h"

#include <string>
#include <unordered_map>
#include <vector>

namespace llmc::tokenizer {

struct AddedToken {
  int32_t id = -1;
  std::string content;
  /// What stands for the token in text and in decoding: normalized as text is, if it asks for it.
  std::string pattern;
  bool singleWord = false;
  bool leftStrip = false;
  bool rightStrip = false;
  bool normalized = false;
  bool special = false;

  /// Whether it says something of the text and is no part of it. A run of spaces or line breaks
  /// that is not marked as special is text.
  bool isControl() const;
};

/// A part of a text: an added token, or (-1) text for the model.
struct Segment {
  Span span;
  int32_t id;
};

class AddedTokens {
public:
  llmc_status parse(const JsonView &json, const Model &model, const Normalizer *normalizer,
                    RegexScratch &scratch);

  /// Which of the tokens are looked for.
  enum class Stage { BeforeNormalizer, AfterNormalizer };
  /// Cuts `text` at added tokens; in plain text only those count that are no control tokens. Spaces
  /// that a token takes in are part of its span.
  llmc_status split(std::string_view text, Stage stage, bool plainText, RegexScratch &scratch,
                    std::vector<Segment> &segments) const;

  const AddedToken *find(std::string_view content) const;
  const AddedToken *find(int32_t id) const;
  /// Whether a token decodes to the content of a special token, and is left out with them.
  bool isSpecialContent(const std::string &text) const;
  const std::vector<AddedToken> &all() const { return tokens; }
  /// The largest id plus one; 0 if there are none.
  size_t idLimit() const { return limit; }

private:
  /// Finds the leftmost token at or after `from`, and of those there the longest. Gives null if
  /// there is none.
  const AddedToken *findNext(std::string_view text, size_t from, Stage stage, bool plainText,
                             Span &span) const;
  llmc_status parseToken(const JsonView &json, AddedToken &token) const;
  llmc_status isWord(std::string_view character, RegexScratch &scratch, bool &result) const;
  llmc_status standsAlone(std::string_view text, const Span &span, RegexScratch &scratch,
                          bool &result) const;

  std::vector<AddedToken> tokens;
  std::unordered_map<std::string, int32_t> indexOfContent;
  std::unordered_map<int32_t, int32_t> indexOfId;
  PrefixTree before;
  PrefixTree after;
  Pattern word;
  size_t limit = 0;
};

} // namespace llmc::tokenizer

#endif // LLMC_RUNTIME_TOKENIZER_ADDEDTOKENS_H
