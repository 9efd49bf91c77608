//===- WordModelsTest.cpp - tests of WordPiece and WordLevel models ------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tests how words are cut and looked up.
//
//===----------------------------------------------------------------------===//

#include "TestSupport.h"

using namespace llmc::test;

namespace {

using Ids = std::vector<int32_t>;

json makeWordPiece(const std::vector<std::string> &tokens) {
  json file = makeFile(tokens);
  file["model"].erase("merges");
  file["model"].update({{"type", "WordPiece"},
                        {"unk_token", "[UNK]"},
                        {"continuing_subword_prefix", "##"},
                        {"max_input_chars_per_word", 6}});
  return file;
}

TEST(WordPieceModel, TakesTheLongestPieces) {
  TokenizerPointer tokenizer =
      load(makeWordPiece({"[UNK]", "a", "ab", "##c", "##cd", "##\u00e9", "abx", "##a"}));
  EXPECT_EQ(encode(tokenizer, "abcd"), (Ids{2, 4}));
  EXPECT_EQ(encode(tokenizer, "abc\u00e9a"), (Ids{2, 3, 5, 7}));
  EXPECT_EQ(encode(tokenizer, "abx"), (Ids{6}));
  // One unknown part makes the word unknown.
  EXPECT_EQ(encode(tokenizer, "abcx"), (Ids{0}));
  EXPECT_EQ(encode(tokenizer, "c"), (Ids{0}));
  // A word may spell a prefix.
  EXPECT_EQ(encode(tokenizer, "##c"), (Ids{3}));
}

TEST(WordPieceModel, LongWordsAreUnknown) {
  TokenizerPointer tokenizer = load(makeWordPiece({"[UNK]", "\u00e9", "##\u00e9"}));
  EXPECT_EQ(encode(tokenizer, "\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9"), (Ids{1, 2, 2, 2, 2, 2}));
  EXPECT_EQ(encode(tokenizer, "\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9"), (Ids{0}));
}

TEST(WordPieceModel, WithoutItsUnknownToken) {
  TokenizerPointer tokenizer = load(makeWordPiece({"a"}));
  EXPECT_EQ(encode(tokenizer, "a"), (Ids{0}));
  size_t count;
  llmc_status status = llmc_tokenizer_encode(tokenizer.get(), "b", 1, 0, nullptr, 0, &count);
  EXPECT_STREQ(status.message, "model.unk_token: '[UNK]' is not in model.vocab, and text needs it");
}

TEST(WordLevelModel, LooksWordsUp) {
  json file = makeFile({"<unk>", "a", "b c"});
  file["model"] = {
      {"type", "WordLevel"}, {"unk_token", "<unk>"}, {"vocab", file["model"]["vocab"]}};
  EXPECT_EQ(encode(load(file), "b c"), (Ids{2}));
  EXPECT_EQ(encode(load(file), "b"), (Ids{0}));
  file["pre_tokenizer"] = {{"type", "WhitespaceSplit"}};
  EXPECT_EQ(encode(load(file), "b a"), (Ids{0, 1}));
  file["model"]["unk_token"] = "none";
  TokenizerPointer tokenizer = load(file);
  size_t count;
  llmc_status status = llmc_tokenizer_encode(tokenizer.get(), "b", 1, 0, nullptr, 0, &count);
  EXPECT_STREQ(status.message, "model.unk_token: 'none' is not in model.vocab, and text needs it");
}

TEST(Models, KindsWithoutATypeAreToldByTheirMembers) {
  json file = makeWordPiece({"[UNK]", "a", "##b"});
  file["model"].erase("type");
  EXPECT_EQ(encode(load(file), "ab"), (Ids{1, 2}));
  file["model"] = {{"unk_token", "[UNK]"}, {"vocab", {{"[UNK]", 0}, {"ab", 1}}}};
  EXPECT_EQ(encode(load(file), "ab"), (Ids{1}));
  file["model"] = json::parse(R"({"unk_id": 0, "vocab": [["[UNK]", 0], ["a", 1]]})");
  EXPECT_EQ(encode(load(file), "ab"), (Ids{1, 0}));
}

} // namespace
