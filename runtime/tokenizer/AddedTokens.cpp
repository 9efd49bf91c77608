//===- AddedTokens.cpp - tokens that are found in text before the model ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads added tokens and finds them in text.
//
//===----------------------------------------------------------------------===//

#include "AddedTokens.h"

#include "OnigurumaSyntax.h"
#include "Unicode.h"

#include <algorithm>
#include <unordered_set>

namespace llmc::tokenizer {

bool AddedToken::isControl() const {
  if (special)
    return true;
  for (size_t position = 0; position < content.size();) {
    char32_t character = nextCharacter(content, position);
    // The second is how SentencePiece writes a space.
    if (!isWhitespace(character) && character != 0x2581)
      return true;
  }
  return false;
}

llmc_status AddedTokens::parseToken(const JsonView &json, AddedToken &token) const {
  LLMC_RETURN_IF_ERROR(json.expectMembers(
      {"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"}));
  uint32_t id;
  LLMC_RETURN_IF_ERROR(json.member("id").readUnsigned(id, maximumTokenId - 1));
  token.id = static_cast<int32_t>(id);
  LLMC_RETURN_IF_ERROR(json.member("content").readString(token.content));
  LLMC_RETURN_IF_ERROR(json.member("single_word").readBool(token.singleWord));
  LLMC_RETURN_IF_ERROR(json.member("lstrip").readBool(token.leftStrip));
  LLMC_RETURN_IF_ERROR(json.member("rstrip").readBool(token.rightStrip));
  LLMC_RETURN_IF_ERROR(json.member("normalized").readBool(token.normalized));
  LLMC_RETURN_IF_ERROR(json.member("special").readBool(token.special));
  if (token.content.empty())
    return json.member("content").corrupt("expected text, found none");
  return llmc_ok_status();
}

llmc_status AddedTokens::parse(const JsonView &json, const Model &model,
                               const Normalizer *normalizer, RegexScratch &scratch) {
  if (json.isNull())
    return llmc_ok_status();
  LLMC_RETURN_IF_ERROR(json.expectArray());
  auto nextId = static_cast<int32_t>(model.getVocabulary().size());
  bool anySingleWord = false;
  std::unordered_set<std::string> beforePatterns, afterPatterns;
  tokens.reserve(json.size());
  for (size_t i = 0; i < json.size(); ++i) {
    JsonView element = json.element(i);
    AddedToken token;
    LLMC_RETURN_IF_ERROR(parseToken(element, token));

    // The reference takes the model's id, or else the next free one, whatever the file says: where
    // the file says something else, ids would not mean what the model was trained with.
    int32_t id = model.getVocabulary().find(token.content);
    bool isNew = id < 0;
    if (isNew)
      id = nextId++;
    if (id != token.id)
      return element.member("id").corrupt("expected " + std::to_string(id) + ", which is the " +
                                          (isNew ? "next free id" : "token's id") +
                                          " in the vocabulary, found " + std::to_string(token.id));
    token.pattern = token.content;
    if (token.normalized && normalizer) {
      TrackedText text = TrackedText::begin(token.content, /*beginsInput=*/false);
      LLMC_RETURN_IF_ERROR(normalizer->apply(text, scratch));
      token.pattern = std::move(text.text);
    }
    if (token.pattern.empty())
      return element.member("content").corrupt("the normalizer leaves nothing of it");
    auto index = static_cast<int32_t>(tokens.size());
    auto &patterns = token.normalized ? afterPatterns : beforePatterns;
    if (!indexOfContent.emplace(token.content, index).second ||
        !patterns.insert(token.pattern).second)
      return element.member("content").corrupt("the same text as an earlier added token");
    indexOfId.emplace(token.id, index);
    anySingleWord |= token.singleWord;
    limit = std::max(limit, static_cast<size_t>(token.id) + 1);
    tokens.push_back(std::move(token));
  }
  std::vector<PrefixTree::Entry> beforeEntries, afterEntries;
  for (size_t i = 0; i < tokens.size(); ++i)
    (tokens[i].normalized ? afterEntries : beforeEntries)
        .push_back({tokens[i].pattern, static_cast<int32_t>(i)});
  before.build(std::move(beforeEntries));
  after.build(std::move(afterEntries));
  if (anySingleWord)
    LLMC_RETURN_IF_ERROR(Pattern::compilePcre("[" + std::string(rustWordItems) + "]", word));
  return llmc_ok_status();
}

llmc_status AddedTokens::isWord(std::string_view character, RegexScratch &scratch,
                                bool &result) const {
  std::vector<Match> matches;
  LLMC_RETURN_IF_ERROR(word.findMatches(character, scratch, matches));
  result = matches.front().isMatch;
  return llmc_ok_status();
}

llmc_status AddedTokens::standsAlone(std::string_view text, const Span &span, RegexScratch &scratch,
                                     bool &result) const {
  bool before = false;
  bool after = false;
  if (span.begin > 0) {
    std::string character;
    appendCharacter(character, previousCharacter(text, span.begin));
    LLMC_RETURN_IF_ERROR(isWord(character, scratch, before));
  }
  if (span.end < text.size())
    LLMC_RETURN_IF_ERROR(
        isWord(text.substr(span.end, characterSize(text, span.end)), scratch, after));
  result = !before && !after;
  return llmc_ok_status();
}

const AddedToken *AddedTokens::findNext(std::string_view text, size_t from, Stage stage,
                                        bool plainText, Span &span) const {
  const PrefixTree &tree = stage == Stage::BeforeNormalizer ? before : after;
  if (tree.empty())
    return nullptr;
  const AddedToken *found = nullptr;
  for (size_t begin = from; begin < text.size() && !found; ++begin) {
    if (!tree.begins(text[begin]))
      continue;
    tree.forEachPrefix(text, begin, [&](size_t end, int32_t index) {
      const AddedToken &token = tokens[static_cast<size_t>(index)];
      if (plainText && token.isControl())
        return;
      found = &token;
      span = {begin, end};
    });
  }
  return found;
}

llmc_status AddedTokens::split(std::string_view text, Stage stage, bool plainText,
                               RegexScratch &scratch, std::vector<Segment> &segments) const {
  segments.clear();
  size_t covered = 0;
  size_t from = 0;
  Span match;
  while (const AddedToken *next = findNext(text, from, stage, plainText, match)) {
    // What is passed over counts as seen: no shorter token is looked for in it.
    from = match.end;
    const AddedToken &token = *next;
    if (token.singleWord) {
      bool alone;
      LLMC_RETURN_IF_ERROR(standsAlone(text, match, scratch, alone));
      if (!alone)
        continue;
    }
    Span span = match;
    if (token.leftStrip) {
      while (span.begin > 0) {
        char32_t character = previousCharacter(text, span.begin);
        if (!isWhitespace(character))
          break;
        do
          --span.begin;
        while ((static_cast<unsigned char>(text[span.begin]) & 0xc0) == 0x80);
      }
      span.begin = std::max(span.begin, covered);
    }
    if (token.rightStrip) {
      size_t next = span.end;
      while (next < text.size() && isWhitespace(nextCharacter(text, next)))
        span.end = next;
    }
    if (covered < span.begin)
      segments.push_back({{covered, span.begin}, -1});
    segments.push_back({span, token.id});
    covered = span.end;
  }
  if (covered != text.size())
    segments.push_back({{covered, text.size()}, -1});
  return llmc_ok_status();
}

const AddedToken *AddedTokens::find(std::string_view content) const {
  auto found = indexOfContent.find(std::string(content));
  return found == indexOfContent.end() ? nullptr : &tokens[static_cast<size_t>(found->second)];
}

const AddedToken *AddedTokens::find(int32_t id) const {
  auto found = indexOfId.find(id);
  return found == indexOfId.end() ? nullptr : &tokens[static_cast<size_t>(found->second)];
}

bool AddedTokens::isSpecialContent(const std::string &text) const {
  auto found = indexOfContent.find(text);
  return found != indexOfContent.end() && tokens[static_cast<size_t>(found->second)].special;
}

} // namespace llmc::tokenizer
