//===- UnigramModelTest.cpp - tests of Unigram models --------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tests which path through a text is found, and what becomes of unknown characters.
//
//===----------------------------------------------------------------------===//

#include "TestSupport.h"

using namespace llmc::test;

namespace {

using Ids = std::vector<int32_t>;

using Scores = std::vector<std::pair<std::string, double>>;

json makeUnigram(const Scores &vocabulary, const json &unknown = 0, bool byteFallback = false) {
  json file = makeFile({});
  file["model"] = {{"type", "Unigram"},
                   {"unk_id", unknown},
                   {"vocab", vocabulary},
                   {"byte_fallback", byteFallback}};
  return file;
}

TEST(UnigramModel, TakesTheBestPath) {
  TokenizerPointer tokenizer = load(makeUnigram({{"<unk>", 0.0},
                                                 {"a", 0.0},
                                                 {"b", 0.0},
                                                 {"c", 0.0},
                                                 {"d", 0.0},
                                                 {"cd", 1.0},
                                                 {"ab", 2.0},
                                                 {"abc", 5.0},
                                                 {"abcd", 10.0}}));
  EXPECT_EQ(encode(tokenizer, "abcd"), (Ids{8}));
  EXPECT_EQ(encode(tokenizer, "abcdacdxx"), (Ids{8, 1, 5, 0}));
  EXPECT_EQ(encode(tokenizer, "abab"), (Ids{6, 6}));
  EXPECT_EQ(encode(tokenizer, ""), Ids());
}

TEST(UnigramModel, KeepsTheFirstOfEqualPaths) {
  // "ab" and "c", or "a" and "bc": the same sum.
  TokenizerPointer tokenizer =
      load(makeUnigram({{"<unk>", -9}, {"a", -1}, {"bc", -2}, {"ab", -2}, {"c", -1}, {"b", -3}}));
  EXPECT_EQ(encode(tokenizer, "abc"), (Ids{1, 2}));
}

/// Takes "ab" apart with these scores, as they are written, of the tokens "b" (2) and "ab" (3).
Ids encodeScored(const std::string &ofB, const std::string &ofAb) {
  std::string text = makeUnigram({{"<unk>", -20}, {"mark", 0}}).dump();
  const std::string mark = "[\"mark\",0.0]";
  text.replace(text.find(mark), mark.size(), "[\"a\",0],[\"b\"," + ofB + "],[\"ab\"," + ofAb + "]");
  llmc_tokenizer *tokenizer = nullptr;
  llmc_status status = llmc_tokenizer_create(text.data(), text.size(), nullptr, 0, &tokenizer);
  EXPECT_EQ(status.code, LLMC_OK) << status.message;
  return encode(TokenizerPointer(tokenizer), "ab");
}

TEST(UnigramModel, RoundsScoresAsTheReference) {
  // The first is larger by its last bit, unless that is rounded away: of equal ways "ab" is first.
  EXPECT_EQ(encodeScored("-9.5074362599853", "-9.507436259985301"), (Ids{3}));
  EXPECT_EQ(encodeScored("-9.507436259985", "-9.507436259985301"), (Ids{1, 2}));
}

TEST(UnigramModel, ReadsScoresInEveryNotation) {
  EXPECT_EQ(encodeScored("1", "0.1e1"), (Ids{3}));
  EXPECT_EQ(encodeScored("1.5E+1", "14"), (Ids{1, 2}));
  EXPECT_EQ(encodeScored("1500e-2", "15.5"), (Ids{3}));
  EXPECT_EQ(encodeScored("1.5e-320", "0"), (Ids{1, 2}));
  EXPECT_EQ(encodeScored("1e-99999999999999999999", "0"), (Ids{3}));
  EXPECT_EQ(encodeScored("0e99999999999999999999", "0"), (Ids{3}));
  EXPECT_EQ(encodeScored("123456789012345678901234567890.5", "123456789012345e15"), (Ids{1, 2}));
  EXPECT_EQ(encodeScored("1.2345678901234567890123456789", "1.23456789012345"), (Ids{1, 2}));
  EXPECT_EQ(encodeScored("1e308", "-1e308"), (Ids{1, 2}));
}

TEST(UnigramModel, UnknownCharactersAreOneToken) {
  TokenizerPointer tokenizer = load(makeUnigram({{"<unk>", 0}, {"a", -1}, {"\u4e00\u4e8c", -90}}));
  EXPECT_EQ(encode(tokenizer, "a\u4e09xya\u4e09"), (Ids{1, 0, 1, 0}));
  // Two unknown ones are likelier than their token, which they then become all the same.
  EXPECT_EQ(encode(tokenizer, "a\u4e00\u4e8ca"), (Ids{1, 2, 1}));
}

TEST(UnigramModel, WithoutAnUnknownToken) {
  TokenizerPointer tokenizer = load(makeUnigram({{"a", -1}}, nullptr));
  EXPECT_EQ(encode(tokenizer, "aa"), (Ids{0, 0}));
  size_t count;
  llmc_status status = llmc_tokenizer_encode(tokenizer.get(), "b", 1, 0, nullptr, 0, &count);
  EXPECT_EQ(status.code, LLMC_CORRUPT);
  EXPECT_STREQ(status.message, "model.unk_id: expected an id, found nothing, and text needs it");
}

TEST(UnigramModel, FallsBackToBytes) {
  const Scores vocabulary = {{"<unk>", 0}, {"a", -1}, {"<0xC3>", 0}, {"<0xA9>", 0}};
  EXPECT_EQ(encode(load(makeUnigram(vocabulary, 0, true)), "a\u00e9\u00e8"), (Ids{1, 0}));
  EXPECT_EQ(encode(load(makeUnigram(vocabulary, 0, true)), "a\u00e9a"), (Ids{1, 2, 3, 1}));
  EXPECT_EQ(encode(load(makeUnigram(vocabulary, 0, false)), "a\u00e9"), (Ids{1, 0}));
}

TEST(UnigramModel, OfATokenThatComesTwiceTheLastCounts) {
  TokenizerPointer tokenizer = load(makeUnigram({{"<unk>", 0}, {"a", -1}, {"aa", -4}, {"a", -3}}));
  EXPECT_EQ(encode(tokenizer, "a"), (Ids{3}));
  EXPECT_EQ(encode(tokenizer, "aa"), (Ids{2}));
  EXPECT_EQ(decode(tokenizer, {1, 3}), "a a");
}

TEST(UnigramModel, LongTextsTakeLinearTime) {
  // Every token overlaps the next, so that no place is certain before the end.
  TokenizerPointer tokenizer = load(makeUnigram({{"<unk>", 0}, {"a", -2}, {"aaa", -3}}));
  EXPECT_EQ(encode(tokenizer, std::string(3000000, 'a')), Ids(1000000, 2));
}

} // namespace
