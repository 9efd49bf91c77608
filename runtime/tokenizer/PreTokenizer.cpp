//===- PreTokenizer.cpp - how text is split into words --------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Defines the kinds of pre-tokenizers and reads them from JSON.
//
//===----------------------------------------------------------------------===//

#include "PreTokenizer.h"

#include "OnigurumaSyntax.h"
#include "Unicode.h"
#include "UnicodeScripts.h"

#include <algorithm>

namespace llmc::tokenizer {

void appendWords(const std::vector<Match> &matches, SplitBehavior behavior, size_t offset,
                 std::vector<Span> &words) {
  size_t first = words.size();
  auto add = [&](const Span &span) { words.push_back({span.begin + offset, span.end + offset}); };
  switch (behavior) {
  case SplitBehavior::Removed:
    for (const Match &match : matches)
      if (!match.isMatch)
        add(match.span);
    break;
  case SplitBehavior::Isolated:
    for (const Match &match : matches)
      add(match.span);
    break;
  case SplitBehavior::Contiguous:
  case SplitBehavior::MergedWithPrevious: {
    bool previous = false;
    for (const Match &match : matches) {
      bool joins = behavior == SplitBehavior::Contiguous ? match.isMatch == previous
                                                         : match.isMatch && !previous;
      previous = match.isMatch;
      if (joins && words.size() > first)
        words.back().end = match.span.end + offset;
      else
        add(match.span);
    }
    break;
  }
  case SplitBehavior::MergedWithNext: {
    bool next = false;
    for (auto match = matches.rbegin(); match != matches.rend(); ++match) {
      bool joins = match->isMatch && !next;
      next = match->isMatch;
      if (joins && words.size() > first)
        words.back().begin = match->span.begin + offset;
      else
        add(match->span);
    }
    std::reverse(words.begin() + static_cast<ptrdiff_t>(first), words.end());
    break;
  }
  }
  words.erase(std::remove_if(words.begin() + static_cast<ptrdiff_t>(first), words.end(),
                             [](const Span &span) { return span.size() == 0; }),
              words.end());
}

namespace {

/// Finds the characters that `predicate` holds for.
template <typename Predicate>
void matchCharacters(std::string_view text, Predicate predicate, std::vector<Match> &matches) {
  matches.clear();
  size_t covered = 0;
  for (size_t position = 0; position < text.size();) {
    size_t begin = position;
    if (!predicate(nextCharacter(text, position)))
      continue;
    if (covered < begin)
      matches.push_back({{covered, begin}, false});
    matches.push_back({{begin, position}, true});
    covered = position;
  }
  if (covered < text.size())
    matches.push_back({{covered, text.size()}, false});
}

/// Splits each word by the matches that `match` writes to scratch.matches for it.
template <typename Matcher>
llmc_status splitWords(SplitText &text, SplitScratch &scratch, SplitBehavior behavior,
                       Matcher match) {
  scratch.words.clear();
  for (const Span &span : text.words) {
    LLMC_RETURN_IF_ERROR(match(text.word(span)));
    appendWords(scratch.matches, behavior, span.begin, scratch.words);
  }
  text.words.swap(scratch.words);
  return llmc_ok_status();
}

template <typename Predicate>
llmc_status splitAtCharacters(SplitText &text, SplitScratch &scratch, SplitBehavior behavior,
                              Predicate predicate) {
  return splitWords(text, scratch, behavior, [&](std::string_view word) {
    matchCharacters(word, predicate, scratch.matches);
    return llmc_ok_status();
  });
}

llmc_status splitAtPattern(SplitText &text, SplitScratch &scratch, SplitBehavior behavior,
                           const Pattern &pattern, bool invert) {
  return splitWords(text, scratch, behavior, [&](std::string_view word) {
    llmc_status status = pattern.findMatches(word, scratch.regex, scratch.matches);
    if (invert)
      for (Match &match : scratch.matches)
        match.isMatch = !match.isMatch;
    return status;
  });
}

/// Writes every word anew: `write` appends what becomes of one to scratch.text.
template <typename Writer>
void rewriteWords(SplitText &text, SplitScratch &scratch, Writer write) {
  scratch.text.clear();
  size_t tracked = 0;
  for (Span &span : text.words) {
    size_t begin = scratch.text.size();
    size_t leading =
        text.text.tracked > span.begin ? std::min(text.text.tracked - span.begin, span.size()) : 0;
    size_t written = write(span, leading);
    if (leading > 0)
      tracked = begin + written;
    span = {begin, scratch.text.size()};
  }
  text.text.text.swap(scratch.text);
  text.text.tracked = tracked;
}

class ByteLevelPreTokenizer : public PreTokenizer {
public:
  bool addPrefixSpace = false;
  bool useRegex = true;
  Pattern pattern;

  llmc_status apply(SplitText &text, SplitScratch &scratch) const override {
    if (addPrefixSpace)
      rewriteWords(text, scratch, [&](const Span &span, size_t leading) {
        std::string_view word = text.word(span);
        bool needed = word.front() != ' ';
        if (needed)
          scratch.text += ' ';
        scratch.text += word;
        return leading + needed;
      });
    if (useRegex)
      LLMC_RETURN_IF_ERROR(
          splitAtPattern(text, scratch, SplitBehavior::Isolated, pattern, /*invert=*/false));
    rewriteWords(text, scratch, [&](const Span &span, size_t leading) {
      size_t begin = scratch.text.size();
      size_t written = 0;
      std::string_view word = text.word(span);
      for (size_t i = 0; i < word.size(); ++i) {
        if (i == leading)
          written = scratch.text.size() - begin;
        appendByteCharacter(scratch.text, static_cast<unsigned char>(word[i]));
      }
      return leading == word.size() ? scratch.text.size() - begin : written;
    });
    return llmc_ok_status();
  }
};

class MetaspacePreTokenizer : public PreTokenizer {
public:
  MetaspaceOptions options;

  llmc_status apply(SplitText &text, SplitScratch &scratch) const override {
    const std::string &mark = options.replacement;
    rewriteWords(text, scratch, [&](const Span &span, size_t leading) {
      std::string_view word = text.word(span);
      bool hasMark = word.front() == ' ' || word.substr(0, mark.size()) == mark;
      bool prepends = !hasMark && (options.scheme == PrependScheme::Always ||
                                   (options.scheme == PrependScheme::First && leading > 0));
      if (prepends)
        scratch.text += mark;
      size_t written = prepends ? mark.size() : 0;
      for (size_t i = 0; i < word.size(); ++i) {
        if (word[i] == ' ')
          scratch.text += mark;
        else
          scratch.text += word[i];
        if (i < leading)
          written += word[i] == ' ' ? mark.size() : 1;
      }
      return written;
    });
    if (!options.split)
      return llmc_ok_status();
    size_t position = 0;
    char32_t character = nextCharacter(mark, position);
    return splitAtCharacters(text, scratch, SplitBehavior::MergedWithNext,
                             [character](char32_t c) { return c == character; });
  }
};

class SplitPreTokenizer : public PreTokenizer {
public:
  Pattern pattern;
  SplitBehavior behavior = SplitBehavior::Isolated;
  bool invert = false;

  llmc_status apply(SplitText &text, SplitScratch &scratch) const override {
    return splitAtPattern(text, scratch, behavior, pattern, invert);
  }
};

/// Splits at single characters of a kind.
template <typename Predicate>
class CharacterPreTokenizer : public PreTokenizer {
public:
  CharacterPreTokenizer(Predicate predicate, SplitBehavior behavior)
      : predicate(predicate), behavior(behavior) {}

  llmc_status apply(SplitText &text, SplitScratch &scratch) const override {
    return splitAtCharacters(text, scratch, behavior, predicate);
  }

private:
  Predicate predicate;
  SplitBehavior behavior;
};

template <typename Predicate>
std::unique_ptr<PreTokenizer> splitAt(Predicate predicate, SplitBehavior behavior) {
  return std::make_unique<CharacterPreTokenizer<Predicate>>(predicate, behavior);
}

class FixedLengthPreTokenizer : public PreTokenizer {
public:
  uint32_t length = 5;

  llmc_status apply(SplitText &text, SplitScratch &scratch) const override {
    return splitWords(text, scratch, SplitBehavior::Isolated, [&](std::string_view word) {
      scratch.matches.clear();
      size_t begin = 0;
      size_t characters = 0;
      for (size_t position = 0; position < word.size();) {
        position += characterSize(word, position);
        if (++characters < length && position < word.size())
          continue;
        scratch.matches.push_back({{begin, position}, true});
        begin = position;
        characters = 0;
      }
      return llmc_ok_status();
    });
  }
};

class SequencePreTokenizer : public PreTokenizer {
public:
  std::vector<std::unique_ptr<PreTokenizer>> preTokenizers;

  llmc_status apply(SplitText &text, SplitScratch &scratch) const override {
    for (const auto &preTokenizer : preTokenizers) {
      LLMC_RETURN_IF_ERROR(preTokenizer->apply(text, scratch));
      LLMC_RETURN_IF_ERROR(text.text.checkSize(text.text.text.size()));
    }
    return llmc_ok_status();
  }
};

// How GPT-2 splits text.
constexpr const char *byteLevelExpression =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

llmc_status parseByteLevel(const JsonView &json, std::unique_ptr<PreTokenizer> &result) {
  auto byteLevel = std::make_unique<ByteLevelPreTokenizer>();
  // trim_offsets says which characters an offset spans: ids don't depend on it.
  bool trimOffsets;
  LLMC_RETURN_IF_ERROR(
      json.expectMembers({"type", "add_prefix_space", "trim_offsets", "use_regex"}));
  LLMC_RETURN_IF_ERROR(json.member("add_prefix_space").readBool(byteLevel->addPrefixSpace));
  LLMC_RETURN_IF_ERROR(json.readOptionalBool("trim_offsets", trimOffsets));
  LLMC_RETURN_IF_ERROR(json.readOptionalBool("use_regex", byteLevel->useRegex));
  if (byteLevel->useRegex)
    LLMC_RETURN_IF_ERROR(Pattern::compile(byteLevelExpression, byteLevel->pattern));
  result = std::move(byteLevel);
  return llmc_ok_status();
}

llmc_status parseBehavior(const JsonView &json, SplitBehavior &behavior) {
  std::string name;
  LLMC_RETURN_IF_ERROR(json.readString(name));
  if (name == "Removed")
    behavior = SplitBehavior::Removed;
  else if (name == "Isolated")
    behavior = SplitBehavior::Isolated;
  else if (name == "MergedWithPrevious")
    behavior = SplitBehavior::MergedWithPrevious;
  else if (name == "MergedWithNext")
    behavior = SplitBehavior::MergedWithNext;
  else if (name == "Contiguous")
    behavior = SplitBehavior::Contiguous;
  else
    return json.unsupportedKind("behavior", name);
  return llmc_ok_status();
}

llmc_status parseSplit(const JsonView &json, std::unique_ptr<PreTokenizer> &result) {
  auto split = std::make_unique<SplitPreTokenizer>();
  LLMC_RETURN_IF_ERROR(json.expectMembers({"type", "pattern", "behavior", "invert"}));
  LLMC_RETURN_IF_ERROR(parsePattern(json.member("pattern"), split->pattern));
  LLMC_RETURN_IF_ERROR(parseBehavior(json.member("behavior"), split->behavior));
  LLMC_RETURN_IF_ERROR(json.member("invert").readBool(split->invert));
  result = std::move(split);
  return llmc_ok_status();
}

llmc_status parseWhitespace(const JsonView &json, std::unique_ptr<PreTokenizer> &result) {
  auto split = std::make_unique<SplitPreTokenizer>();
  LLMC_RETURN_IF_ERROR(json.expectMembers({"type"}));
  std::string word = rustWordItems;
  LLMC_RETURN_IF_ERROR(
      Pattern::compilePcre("[" + word + "]+|[^" + word + whitespaceItems + "]+", split->pattern));
  split->behavior = SplitBehavior::Removed;
  split->invert = true;
  result = std::move(split);
  return llmc_ok_status();
}

/// Splits where the script changes. Characters without one, and spaces, go with what comes before
/// them; at the begin of a text they are dropped.
llmc_status parseUnicodeScripts(const JsonView &json, std::unique_ptr<PreTokenizer> &result) {
  auto split = std::make_unique<SplitPreTokenizer>();
  LLMC_RETURN_IF_ERROR(json.expectMembers({"type"}));
  LLMC_RETURN_IF_ERROR(Pattern::compilePcre(makeScriptRuns(), split->pattern));
  split->behavior = SplitBehavior::Removed;
  split->invert = true;
  result = std::move(split);
  return llmc_ok_status();
}

} // namespace

llmc_status MetaspaceOptions::parse(const JsonView &json, MetaspaceOptions &options) {
  LLMC_RETURN_IF_ERROR(json.expectMembers(
      {"type", "replacement", "add_prefix_space", "prepend_scheme", "split", "str_rep"}));
  char32_t character;
  LLMC_RETURN_IF_ERROR(json.member("replacement").readCharacter(character));
  appendCharacter(options.replacement, character);
  JsonView schemeJson = json.member("prepend_scheme");
  if (json.has("prepend_scheme")) {
    std::string scheme;
    LLMC_RETURN_IF_ERROR(schemeJson.readString(scheme));
    if (scheme == "always")
      options.scheme = PrependScheme::Always;
    else if (scheme == "first")
      options.scheme = PrependScheme::First;
    else if (scheme == "never")
      options.scheme = PrependScheme::Never;
    else
      return schemeJson.unsupportedKind("prepend scheme", scheme);
  }
  if (!json.member("add_prefix_space").isNull()) {
    bool addPrefixSpace;
    LLMC_RETURN_IF_ERROR(json.member("add_prefix_space").readBool(addPrefixSpace));
    if (!addPrefixSpace && options.scheme != PrependScheme::Never)
      return schemeJson.corrupt("expected 'never', as 'add_prefix_space' is false");
  }
  if (!json.member("split").isNull())
    LLMC_RETURN_IF_ERROR(json.member("split").readBool(options.split));
  return llmc_ok_status();
}

llmc_status PreTokenizer::parse(const JsonView &json, std::unique_ptr<PreTokenizer> &result) {
  if (json.isNull())
    return llmc_ok_status();
  std::string type;
  LLMC_RETURN_IF_ERROR(json.readType(type));
  if (type == "ByteLevel")
    return parseByteLevel(json, result);
  if (type == "Split")
    return parseSplit(json, result);
  if (type == "Whitespace")
    return parseWhitespace(json, result);
  if (type == "UnicodeScripts")
    return parseUnicodeScripts(json, result);
  if (type == "Metaspace") {
    auto metaspace = std::make_unique<MetaspacePreTokenizer>();
    LLMC_RETURN_IF_ERROR(MetaspaceOptions::parse(json, metaspace->options));
    result = std::move(metaspace);
    return llmc_ok_status();
  }
  if (type == "Digits") {
    bool individual;
    LLMC_RETURN_IF_ERROR(json.expectMembers({"type", "individual_digits"}));
    LLMC_RETURN_IF_ERROR(json.member("individual_digits").readBool(individual));
    result = splitAt(isNumeric, individual ? SplitBehavior::Isolated : SplitBehavior::Contiguous);
    return llmc_ok_status();
  }
  if (type == "Punctuation") {
    SplitBehavior behavior = SplitBehavior::Isolated;
    LLMC_RETURN_IF_ERROR(json.expectMembers({"type", "behavior"}));
    if (json.has("behavior"))
      LLMC_RETURN_IF_ERROR(parseBehavior(json.member("behavior"), behavior));
    result = splitAt(isPunctuation, behavior);
    return llmc_ok_status();
  }
  if (type == "WhitespaceSplit") {
    result = splitAt(isWhitespace, SplitBehavior::Removed);
    return json.expectMembers({"type"});
  }
  if (type == "BertPreTokenizer") {
    auto sequence = std::make_unique<SequencePreTokenizer>();
    sequence->preTokenizers.push_back(splitAt(isWhitespace, SplitBehavior::Removed));
    sequence->preTokenizers.push_back(splitAt(isPunctuation, SplitBehavior::Isolated));
    result = std::move(sequence);
    return json.expectMembers({"type"});
  }
  if (type == "CharDelimiterSplit") {
    char32_t delimiter;
    LLMC_RETURN_IF_ERROR(json.expectMembers({"type", "delimiter"}));
    LLMC_RETURN_IF_ERROR(json.member("delimiter").readCharacter(delimiter));
    result = splitAt([delimiter](char32_t c) { return c == delimiter; }, SplitBehavior::Removed);
    return llmc_ok_status();
  }
  if (type == "FixedLength") {
    auto fixed = std::make_unique<FixedLengthPreTokenizer>();
    LLMC_RETURN_IF_ERROR(json.expectMembers({"type", "length"}));
    if (json.has("length"))
      LLMC_RETURN_IF_ERROR(json.member("length").readUnsigned(fixed->length, maximumTokenId));
    if (fixed->length == 0)
      return json.member("length").corrupt("expected at least 1, found 0");
    result = std::move(fixed);
    return llmc_ok_status();
  }
  if (type == "Sequence") {
    auto sequence = std::make_unique<SequencePreTokenizer>();
    LLMC_RETURN_IF_ERROR(json.expectMembers({"type", "pretokenizers"}));
    JsonView list = json.member("pretokenizers");
    LLMC_RETURN_IF_ERROR(list.expectArray());
    for (size_t i = 0; i < list.size(); ++i) {
      std::unique_ptr<PreTokenizer> element;
      LLMC_RETURN_IF_ERROR(list.element(i).expectObject());
      LLMC_RETURN_IF_ERROR(parse(list.element(i), element));
      sequence->preTokenizers.push_back(std::move(element));
    }
    result = std::move(sequence);
    return llmc_ok_status();
  }
  return json.member("type").unsupportedKind("pre-tokenizer", type);
}

} // namespace llmc::tokenizer
