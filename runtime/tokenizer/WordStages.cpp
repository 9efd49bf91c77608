//===- WordStages.cpp - decoding tokens that are parts of words ----------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Defines the stages of decoding that put words together.
//
//===----------------------------------------------------------------------===//

#include "WordStages.h"

#include "Unicode.h"

namespace llmc::tokenizer {

namespace {

/// Replaces every `pattern`; an empty one stands between all characters, and at both ends.
llmc_status replaceAll(std::string &text, std::string_view pattern, std::string_view content) {
  std::string result;
  size_t position = 0;
  if (pattern.empty()) {
    result += content;
    while (position < text.size()) {
      size_t size = characterSize(text, position);
      result.append(text, position, size);
      result += content;
      position += size;
      LLMC_RETURN_IF_ERROR(checkTokenSize(result.size()));
    }
    text = std::move(result);
    return llmc_ok_status();
  }
  for (size_t found; (found = text.find(pattern, position)) != std::string::npos;) {
    result.append(text, position, found - position);
    result += content;
    position = found + pattern.size();
    LLMC_RETURN_IF_ERROR(checkTokenSize(result.size()));
  }
  if (position == 0)
    return llmc_ok_status();
  result.append(text, position);
  text = std::move(result);
  return llmc_ok_status();
}

/// Takes away the spaces that English has none of, one kind after the other.
llmc_status cleanUp(std::string &text) {
  struct Rule {
    const char *pattern;
    const char *content;
  };
  for (Rule rule :
       {Rule{" .", "."}, Rule{" ?", "?"}, Rule{" !", "!"}, Rule{" ,", ","}, Rule{" ' ", "'"},
        Rule{" n't", "n't"}, Rule{" 'm", "'m"}, Rule{" do not", " don't"}, Rule{" 's", "'s"},
        Rule{" 've", "'ve"}, Rule{" 're", "'re"}})
    LLMC_RETURN_IF_ERROR(replaceAll(text, rule.pattern, rule.content));
  return llmc_ok_status();
}

class SuffixStage : public WholeTokenStage {
public:
  SuffixStage(DecodeStage &next, const std::string &suffix)
      : WholeTokenStage(next), suffix(suffix) {}

  llmc_status finish() override {
    LLMC_RETURN_IF_ERROR(flush(""));
    return next.finish();
  }

private:
  llmc_status token(const std::string &token) override {
    LLMC_RETURN_IF_ERROR(flush(" "));
    last = token;
    hasLast = true;
    return llmc_ok_status();
  }

  llmc_status flush(const char *replacement) {
    if (!hasLast)
      return llmc_ok_status();
    hasLast = false;
    LLMC_RETURN_IF_ERROR(replaceAll(last, suffix, replacement));
    return emit(last);
  }

  const std::string &suffix;
  std::string last;
  bool hasLast = false;
};

class WordPieceStage : public WholeTokenStage {
public:
  WordPieceStage(DecodeStage &next, const std::string &prefix, bool cleansUp)
      : WholeTokenStage(next), prefix(prefix), cleansUp(cleansUp) {}

private:
  llmc_status token(const std::string &token) override {
    std::string result;
    if (isFirst)
      result = token;
    else if (token.compare(0, prefix.size(), prefix) == 0)
      result = token.substr(prefix.size());
    else
      result = " " + token;
    isFirst = false;
    if (cleansUp)
      LLMC_RETURN_IF_ERROR(cleanUp(result));
    return emit(result);
  }

  const std::string &prefix;
  bool cleansUp;
  bool isFirst = true;
};

class CtcStage : public WholeTokenStage {
public:
  CtcStage(DecodeStage &next, const std::string &padding, const std::string &delimiter,
           bool cleansUp)
      : WholeTokenStage(next), padding(padding), delimiter(delimiter), cleansUp(cleansUp) {}

private:
  llmc_status token(const std::string &token) override {
    if (hasLast && token == last)
      return llmc_ok_status();
    last = token;
    hasLast = true;
    std::string result = token;
    LLMC_RETURN_IF_ERROR(replaceAll(result, padding, ""));
    if (cleansUp) {
      LLMC_RETURN_IF_ERROR(cleanUp(result));
      LLMC_RETURN_IF_ERROR(replaceAll(result, delimiter, " "));
    }
    return result.empty() ? llmc_ok_status() : emit(result);
  }

  const std::string &padding;
  const std::string &delimiter;
  bool cleansUp;
  std::string last;
  bool hasLast = false;
};

} // namespace

std::unique_ptr<DecodeStage> makeSuffixStage(DecodeStage &next, const std::string &suffix) {
  return std::make_unique<SuffixStage>(next, suffix);
}

std::unique_ptr<DecodeStage> makeWordPieceStage(DecodeStage &next, const std::string &prefix,
                                                bool cleansUp) {
  return std::make_unique<WordPieceStage>(next, prefix, cleansUp);
}

std::unique_ptr<DecodeStage> makeCtcStage(DecodeStage &next, const std::string &padding,
                                          const std::string &delimiter, bool cleansUp) {
  return std::make_unique<CtcStage>(next, padding, delimiter, cleansUp);
}

} // namespace llmc::tokenizer
