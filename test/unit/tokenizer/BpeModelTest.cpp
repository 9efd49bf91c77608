//===- BpeModelTest.cpp - tests of the model section ----------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tests merging and what becomes of characters outside the vocabulary.
//
//===----------------------------------------------------------------------===//

#include "TestSupport.h"

using namespace llmc::test;

namespace {

using Ids = std::vector<int32_t>;

TEST(BpeModel, MergesByRankAndThenFromTheLeft) {
  json file = makeFile({"a", "b", "c", "ab", "bc", "aa", "aab"}, {"b c", "a a", "a b", "aa b"});
  TokenizerPointer tokenizer = load(file);
  EXPECT_EQ(encode(tokenizer, "abc"), (Ids{0, 4}));
  EXPECT_EQ(encode(tokenizer, "ab"), (Ids{3}));
  EXPECT_EQ(encode(tokenizer, "aaab"), (Ids{5, 3}));
  EXPECT_EQ(encode(tokenizer, "aab"), (Ids{6}));
  EXPECT_EQ(encode(tokenizer, ""), Ids());
}

TEST(BpeModel, MergesAsPairs) {
  json file = makeFile({"a", " ", "a "});
  file["model"]["merges"] = json::array({json::array({"a", " "})});
  EXPECT_EQ(encode(load(file), "a a "), (Ids{2, 2}));
}

TEST(BpeModel, TheSameWordAgainHasTheSameIds) {
  json file = makeFile({"a", "b", "ab"}, {"a b"});
  TokenizerPointer tokenizer = load(file);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(encode(tokenizer, "aabab"), (Ids{0, 2, 2}));
}

TEST(BpeModel, CacheForgetsAndGoesOn) {
  json file = makeFile({"a", "b", "c", "ab"}, {"a b"});
  file["pre_tokenizer"] = {{"type", "WhitespaceSplit"}};
  TokenizerPointer tokenizer = load(file);
  // More different words than the cache holds.
  std::string text;
  Ids expected;
  for (uint32_t i = 0; i < 50000; ++i) {
    for (int bit = 16; bit >= 0; --bit) {
      bool isSet = (i >> bit) & 1;
      text += isSet ? 'a' : 'c';
      expected.push_back(isSet ? 0 : 2);
    }
    text += "ab ";
    expected.push_back(3);
  }
  EXPECT_EQ(encode(tokenizer, text), expected);
  EXPECT_EQ(encode(tokenizer, text), expected);
}

TEST(BpeModel, LongWordsAreCutOnlyWhereNothingMerges) {
  json file = makeFile({"a", "b", "c", "ab", "abab", "ca"}, {"a b", "ab ab", "c a"});
  TokenizerPointer tokenizer = load(file);
  std::string text;
  Ids expected;
  for (int i = 0; i < 1000; ++i) {
    text += "ababcb";
    expected.insert(expected.end(), {4, 2, 1});
  }
  EXPECT_EQ(encode(tokenizer, text), expected);
}

TEST(BpeModel, LongRunsMergeAsAWhole) {
  json file = makeFile({"a", "aa", "aaaa"}, {"a a", "aa aa"});
  EXPECT_EQ(encode(load(file), std::string(4001, 'a')).size(), 1001u);
}

TEST(BpeModel, IgnoreMergesTakesWholeWords) {
  json file = makeFile({"a", "b", "ab"});
  EXPECT_EQ(encode(load(file), "ab"), (Ids{0, 1}));
  file["model"]["ignore_merges"] = true;
  EXPECT_EQ(encode(load(file), "ab"), (Ids{2}));
}

TEST(BpeModel, Affixes) {
  json file = makeFile({"a", "b", "##b", "##b</w>", "a</w>", "ab</w>"}, {"a ##b</w>"});
  file["model"]["continuing_subword_prefix"] = "##";
  file["model"]["end_of_word_suffix"] = "</w>";
  TokenizerPointer tokenizer = load(file);
  EXPECT_EQ(encode(tokenizer, "ab"), (Ids{5}));
  EXPECT_EQ(encode(tokenizer, "a"), (Ids{4}));
  EXPECT_EQ(encode(tokenizer, "abb"), (Ids{0, 2, 3}));
}

TEST(BpeModel, UnknownCharacters) {
  json file = makeFile({"<unk>", "a"});
  EXPECT_EQ(encode(load(file), "axya"), (Ids{1, 1})) << "with no unknown token they vanish";
  file["model"]["unk_token"] = "<unk>";
  EXPECT_EQ(encode(load(file), "axya"), (Ids{1, 0, 0, 1}));
  file["model"]["fuse_unk"] = true;
  EXPECT_EQ(encode(load(file), "axya"), (Ids{1, 0, 1}));
}

TEST(BpeModel, UnknownTokenMayBeMissingUntilItIsNeeded) {
  json file = makeFile({"a"});
  file["model"]["unk_token"] = "<unk>";
  TokenizerPointer tokenizer = load(file);
  EXPECT_EQ(encode(tokenizer, "a"), (Ids{0}));
  size_t count;
  llmc_status status = llmc_tokenizer_encode(tokenizer.get(), "b", 1, 0, nullptr, 0, &count);
  EXPECT_EQ(status.code, LLMC_CORRUPT);
  EXPECT_STREQ(status.message, "model.unk_token: '<unk>' is not in model.vocab, and text needs it");
}

TEST(BpeModel, ByteFallback) {
  json file = makeFile({"<unk>", "a", "<0xC3>", "<0xA9>", "<0x21>"});
  file["model"]["unk_token"] = "<unk>";
  file["model"]["byte_fallback"] = true;
  EXPECT_EQ(encode(load(file), "a\u00e9!"), (Ids{1, 2, 3, 4}));
  // All bytes of a character must have a token.
  EXPECT_EQ(encode(load(file), "a\u00e8!"), (Ids{1, 4, 0}))
      << "the unknown token waits behind the bytes, as in the reference";
}

TEST(BpeModel, IdsMayHaveGaps) {
  json file = makeFile({"a"});
  file["model"]["vocab"]["b"] = 7;
  TokenizerPointer tokenizer = load(file);
  EXPECT_EQ(encode(tokenizer, "ab"), (Ids{0, 7}));
  EXPECT_EQ(llmc_tokenizer_vocabulary_size(tokenizer.get()), 8u);
  const char *name;
  size_t size;
  EXPECT_EQ(llmc_tokenizer_token_name(tokenizer.get(), 3, &name, &size).code, LLMC_OUT_OF_RANGE);
}

} // namespace
