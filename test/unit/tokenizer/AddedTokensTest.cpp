//===- AddedTokensTest.cpp - tests of the added_tokens section ------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tests how added tokens are found in text.
//
//===----------------------------------------------------------------------===//

#include "TestSupport.h"

using namespace llmc::test;

namespace {

std::string found(const std::string &content, const json &options, const std::string &text,
                  uint32_t flags = 0) {
  json file = makeByteFile();
  addToken(file, content, options);
  std::string result;
  TokenizerPointer tokenizer = load(file);
  for (int32_t id : encode(tokenizer, text, flags))
    result += id == 256 ? "#" : std::string(1, static_cast<char>(id));
  return result;
}

TEST(AddedTokens, StandForThemselves) { EXPECT_EQ(found("<s>", {}, "a<s><s>b <s"), "a##b <s"); }

TEST(AddedTokens, TheLongestWins) {
  json file = makeByteFile();
  addToken(file, "<a>");
  addToken(file, "<a>b");
  addToken(file, "b<");
  TokenizerPointer tokenizer = load(file);
  EXPECT_EQ(encode(tokenizer, "<a>b<a>"), (std::vector<int32_t>{257, 256}));
  EXPECT_EQ(encode(tokenizer, "<a>cb<"), (std::vector<int32_t>{256, 'c', 258}));
}

TEST(AddedTokens, Strip) {
  EXPECT_EQ(found("<s>", {{"lstrip", true}}, "a \u2003<s> b"), "a# b");
  EXPECT_EQ(found("<s>", {{"rstrip", true}}, "a <s>\n\u3000b"), "a #b");
  EXPECT_EQ(found("<s>", {{"lstrip", true}, {"rstrip", true}}, "<s> <s>  "), "##");
}

TEST(AddedTokens, SingleWord) {
  EXPECT_EQ(found("ab", {{"single_word", true}}, "ab cab abc ab_ ab"), "# cab abc ab_ #");
  EXPECT_EQ(found("ab", {{"single_word", true}}, "\u00e9ab,ab."), "\xc3\xa9"
                                                                  "ab,#.");
}

TEST(AddedTokens, Normalized) {
  json file = makeByteFile();
  file["normalizer"] = {{"type", "Lowercase"}};
  addToken(file, "Day", {{"normalized", true}});
  addToken(file, "Raw", {{"normalized", false}});
  TokenizerPointer tokenizer = load(file);
  EXPECT_EQ(encode(tokenizer, "dAy day"), (std::vector<int32_t>{256, ' ', 256}));
  EXPECT_EQ(encode(tokenizer, "RawRAW"), (std::vector<int32_t>{257, 'r', 'a', 'w'}));
  // A token is written as it was matched, and found by the name it has in the file.
  EXPECT_EQ(decode(tokenizer, {256, 257}), "dayRaw");
  int32_t id;
  EXPECT_EQ(llmc_tokenizer_find_token(tokenizer.get(), "Day", 3, &id).code, LLMC_OK);
  EXPECT_EQ(id, 256);
}

TEST(AddedTokens, PlainTextLeavesControlTokensOut) {
  EXPECT_EQ(found("<s>", {{"special", true}}, "<s>"), "#");
  EXPECT_EQ(found("<s>", {{"special", true}}, "<s>", LLMC_ENCODE_PLAIN_TEXT), "<s>");
  EXPECT_EQ(found("<s>", {{"special", false}}, "<s>", LLMC_ENCODE_PLAIN_TEXT), "<s>");
}

TEST(AddedTokens, InTheVocabulary) {
  json file = makeFile({"a", "<s>"});
  addToken(file, "<s>", {{"id", 1}, {"special", true}});
  TokenizerPointer tokenizer = load(file);
  EXPECT_EQ(encode(tokenizer, "<s>a"), (std::vector<int32_t>{1, 0}));
  EXPECT_EQ(llmc_tokenizer_is_special(tokenizer.get(), 1), 1);
  EXPECT_EQ(llmc_tokenizer_is_special(tokenizer.get(), 0), 0);
  EXPECT_EQ(llmc_tokenizer_is_special(tokenizer.get(), 99), 0);
}

TEST(AddedTokens, IdsMustBeWhatTheReferenceWouldGive) {
  json file = makeFile({"a", "<s>"});
  addToken(file, "<s>", {{"id", 2}});
  EXPECT_EQ(loadError(file, LLMC_CORRUPT),
            "tokenizer.json: added_tokens[0].id: expected 1, which is "
            "the token's id in the vocabulary, found 2");
  file["added_tokens"].clear();
  addToken(file, "<t>", {{"id", 5}});
  EXPECT_EQ(loadError(file, LLMC_CORRUPT),
            "tokenizer.json: added_tokens[0].id: expected 2, which is "
            "the next free id in the vocabulary, found 5");
}

} // namespace
