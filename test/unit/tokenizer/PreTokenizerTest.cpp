//===- PreTokenizerTest.cpp - tests of the pre_tokenizer section ----------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tests how each pre-tokenizer splits text; '|' stands at the end of each word.
//
//===----------------------------------------------------------------------===//

#include "TestSupport.h"

using namespace llmc::test;

namespace {

std::string words(const json &preTokenizer, const std::string &text) {
  json file = makeWordFile();
  file["pre_tokenizer"] = preTokenizer;
  return encodeNames(load(file), text);
}

json split(const char *kind, const char *pattern, const char *behavior, bool invert = false) {
  return {{"type", "Split"},
          {"pattern", {{kind, pattern}}},
          {"behavior", behavior},
          {"invert", invert}};
}

TEST(PreTokenizer, None) { EXPECT_EQ(words(nullptr, "ab cd"), "ab cd|"); }

TEST(PreTokenizer, SplitBehaviors) {
  const char *text = "the-final--countdown";
  EXPECT_EQ(words(split("String", "-", "Removed"), text), "the|final|countdown|");
  EXPECT_EQ(words(split("String", "-", "Isolated"), text), "the|-|final|-|-|countdown|");
  EXPECT_EQ(words(split("String", "-", "MergedWithPrevious"), text), "the-|final-|-|countdown|");
  EXPECT_EQ(words(split("String", "-", "MergedWithNext"), text), "the|-final|-|-countdown|");
  EXPECT_EQ(words(split("String", "-", "Contiguous"), text), "the|-|final|--|countdown|");
}

TEST(PreTokenizer, SplitInverted) {
  EXPECT_EQ(words(split("Regex", "\\w+", "Removed", true), "ab, cd!"), "ab|cd|");
  EXPECT_EQ(words(split("Regex", "\\w+", "Removed"), "ab, cd!"), ", |!|");
}

TEST(PreTokenizer, SplitAtEmptyMatches) {
  EXPECT_EQ(words(split("Regex", "(?=b)", "Isolated"), "abab"), "a|ba|b|");
  EXPECT_EQ(words(split("Regex", "x*", "Isolated"), "abxx"), "a|b|xx|");
  EXPECT_EQ(words(split("String", "", "Isolated"), "abc"), "a|b|c|");
}

TEST(PreTokenizer, SplitPatternIsLiteral) {
  EXPECT_EQ(words(split("String", ".", "Isolated"), "a.b"), "a|.|b|");
}

/// Gives the words with a space before each.
std::string scripts(const std::string &text) {
  json file = makeByteFile();
  file["pre_tokenizer"] = {
      {"type", "Sequence"},
      {"pretokenizers",
       {{{"type", "UnicodeScripts"}},
        {{"type", "ByteLevel"}, {"add_prefix_space", true}, {"use_regex", false}}}}};
  TokenizerPointer tokenizer = load(file);
  return decode(tokenizer, encode(tokenizer, text));
}

TEST(PreTokenizer, UnicodeScripts) {
  EXPECT_EQ(scripts("ab1\u0431"), " ab 1 \u0431");
  // Hiragana, Katakana and the sign of a long vowel are Han.
  EXPECT_EQ(scripts("\u4e00\u3042\u30a2\u30fc\u3002a"), " \u4e00\u3042\u30a2\u30fc \u3002 a");
  EXPECT_EQ(scripts("\u30fca"), " \u30fc a");
  // Spaces go with what comes before, and at the begin with nothing.
  EXPECT_EQ(scripts("  a b\u0431 "), " a b \u0431 ");
  EXPECT_EQ(scripts("  "), "");
  // So does what came to Unicode after version 9, such as the second face.
  EXPECT_EQ(scripts("a\U0001f600b"), " a \U0001f600 b");
  EXPECT_EQ(scripts("a\U0001f970b"), " a\U0001f970b");
  EXPECT_EQ(scripts("\U0001f970b"), " b");
  // Some characters have changed their script since: from Devanagari and from none of its own.
  EXPECT_EQ(scripts("\u0915\u0953\u0954\u0915"), " \u0915\u0953\u0954\u0915");
  EXPECT_EQ(scripts("\u0300\u0953"), " \u0300 \u0953");
  EXPECT_EQ(scripts("\u0531\u0589!"), " \u0531 \u0589!");
  EXPECT_EQ(scripts("\u0627\u061c!"), " \u0627 \u061c!");
}

TEST(PreTokenizer, ByteLevel) {
  json file = makeByteFile();
  file["model"]["vocab"]["\u0120a"] = 256;
  file["model"]["merges"] = {"\u0120 a"};
  file["pre_tokenizer"] = {{"type", "ByteLevel"}, {"add_prefix_space", true}};
  TokenizerPointer tokenizer = load(file);
  // A space is put before the text unless it has one, and splits keep it with the word.
  EXPECT_EQ(encode(tokenizer, "a a"), (std::vector<int32_t>{256, 256}));
  EXPECT_EQ(encode(tokenizer, " a"), (std::vector<int32_t>{256}));
  EXPECT_EQ(encode(tokenizer, "a  a"), (std::vector<int32_t>{256, ' ', 256}));
  EXPECT_EQ(encode(tokenizer, "\u00e9"), (std::vector<int32_t>{' ', 0xc3, 0xa9}));
  file["pre_tokenizer"]["add_prefix_space"] = false;
  EXPECT_EQ(encode(load(file), "a a"), (std::vector<int32_t>{'a', 256}));
}

TEST(PreTokenizer, Metaspace) {
  auto pieces = [](const char *scheme, bool doSplit, const std::string &text) {
    json file = makeWordFile();
    file["model"]["vocab"]["_"] = 'z' * 4;
    file["pre_tokenizer"] = {{"type", "Metaspace"},
                             {"replacement", "_"},
                             {"prepend_scheme", scheme},
                             {"split", doSplit}};
    addToken(file, "<s>");
    return encodeNames(load(file), text);
  };
  EXPECT_EQ(pieces("always", true, "a b<s>c"), "_a|_b|<s>_c|");
  EXPECT_EQ(pieces("first", true, "a b<s>c"), "_a|_b|<s>c|");
  EXPECT_EQ(pieces("first", true, "<s>c"), "<s>c|");
  EXPECT_EQ(pieces("never", true, "a b<s>c"), "a|_b|<s>c|");
  EXPECT_EQ(pieces("always", true, " a  b"), "_a|_|_b|");
  EXPECT_EQ(pieces("always", false, "a b"), "_a_b|");
}

TEST(PreTokenizer, MetaspaceFirstFollowsTheNormalizer) {
  json file = makeWordFile();
  file["normalizer"] = {{"type", "Strip"}, {"strip_left", true}, {"strip_right", false}};
  file["pre_tokenizer"] = {
      {"type", "Metaspace"}, {"replacement", "_"}, {"prepend_scheme", "first"}};
  // What the normalizer strips is no longer at the begin of the input.
  EXPECT_EQ(encodeNames(load(file), "a"), "_a|");
  EXPECT_EQ(encodeNames(load(file), " a"), "a|");
}

TEST(PreTokenizer, Characters) {
  EXPECT_EQ(words({{"type", "Digits"}, {"individual_digits", true}}, "a12b"), "a|1|2|b|");
  EXPECT_EQ(words({{"type", "Digits"}, {"individual_digits", false}}, "a12b"), "a|12|b|");
  EXPECT_EQ(words({{"type", "Punctuation"}}, "a, b..c$"), "a|,| b|.|.|c|$|");
  EXPECT_EQ(words({{"type", "Punctuation"}, {"behavior", "Contiguous"}}, "a..b"), "a|..|b|");
  EXPECT_EQ(words({{"type", "WhitespaceSplit"}}, " a,\t b "), "a,|b|");
  EXPECT_EQ(words({{"type", "Whitespace"}}, "ab_1, ..c"), "ab_1|,|..|c|");
  EXPECT_EQ(words({{"type", "BertPreTokenizer"}}, "ab, ..c"), "ab|,|.|.|c|");
  EXPECT_EQ(words({{"type", "CharDelimiterSplit"}, {"delimiter", "x"}}, "axxb"), "a|b|");
  EXPECT_EQ(words({{"type", "FixedLength"}, {"length", 2}}, "abcde"), "ab|cd|e|");
}

TEST(PreTokenizer, Sequence) {
  json both = {
      {"type", "Sequence"},
      {"pretokenizers",
       {{{"type", "WhitespaceSplit"}}, {{"type", "Digits"}, {"individual_digits", true}}}}};
  EXPECT_EQ(words(both, "a1 22"), "a|1|2|2|");
  EXPECT_EQ(words({{"type", "Sequence"}, {"pretokenizers", json::array()}}, "a b"), "a b|");
}

} // namespace
