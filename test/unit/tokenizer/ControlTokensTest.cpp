//===- ControlTokensTest.cpp - tests that text never becomes a control token ===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tests for each kind of model that plain text and messages make none of the tokens that direct
// one.
//
//===----------------------------------------------------------------------===//

#include "TestSupport.h"

#include <algorithm>

using namespace llmc::test;

namespace {

using Ids = std::vector<int32_t>;

Ids plain(const TokenizerPointer &tokenizer, const std::string &text) {
  return encode(tokenizer, text, LLMC_ENCODE_PLAIN_TEXT);
}

/// The tokens of "<|x|>" by merging, in their order, and "[X]".
const std::vector<std::string> markTokens = {"<", "|", "x", ">", "<|", "<|x", "|>", "<|x|>", "[X]"};
const std::vector<std::string> markMerges = {"< |", "<| x", "| >", "<|x |>"};

TEST(ControlTokens, AddedTokensThatAreNotSpecial) {
  json file = makeFile({"<", "|", "x", ">"});
  addToken(file, "<|x|>");
  TokenizerPointer tokenizer = load(file);
  EXPECT_EQ(encode(tokenizer, "x<|x|>"), (Ids{2, 4}));
  EXPECT_EQ(plain(tokenizer, "x<|x|>"), (Ids{2, 0, 1, 2, 1, 3}));
}

TEST(ControlTokens, AddedTokensThatAppearByNormalizing) {
  json file = makeFile({"<", "s", ">"});
  file["normalizer"] = {{"type", "NFKC"}};
  addToken(file, "<s>", {{"normalized", true}});
  TokenizerPointer tokenizer = load(file);
  EXPECT_EQ(encode(tokenizer, "\uff1cs\uff1e"), (Ids{3}));
  EXPECT_EQ(plain(tokenizer, "\uff1cs\uff1e"), (Ids{0, 1, 2}));
}

TEST(ControlTokens, SpacesAreText) {
  json file = makeFile({" ", "a"});
  addToken(file, "  ");
  addToken(file, "\n\n", {{"special", true}});
  TokenizerPointer tokenizer = load(file);
  EXPECT_EQ(plain(tokenizer, "a   a"), (Ids{1, 2, 0, 1}));
  EXPECT_EQ(plain(tokenizer, "\n\n"), Ids());
}

TEST(ControlTokens, ThatMergesMake) {
  TokenizerPointer tokenizer = load(makeFile(markTokens, markMerges));
  EXPECT_EQ(encode(tokenizer, "<|x|>"), (Ids{7}));
  EXPECT_EQ(plain(tokenizer, "<|x|>"), (Ids{5, 6}));
  // The cache keeps the two apart.
  EXPECT_EQ(encode(tokenizer, "<|x|>"), (Ids{7}));
}

TEST(ControlTokens, ThatMergesAreIgnoredFor) {
  json file = makeFile({"<", "s", ">", "<s>"});
  file["model"]["ignore_merges"] = true;
  TokenizerPointer tokenizer = load(file);
  EXPECT_EQ(plain(tokenizer, "<s>"), (Ids{3})) << "nothing says that it is a control token";
  tokenizer = load(file, R"({"eos_token": "<s>"})");
  EXPECT_EQ(encode(tokenizer, "<s>"), (Ids{3}));
  EXPECT_EQ(plain(tokenizer, "<s>"), (Ids{0, 1, 2}));
}

TEST(ControlTokens, OfTheChatTemplate) {
  json file = makeFile({"[", "A", "]", "[A]", "[AA]", "<a>"});
  file["model"]["ignore_merges"] = true;
  TokenizerPointer tokenizer =
      load(file, R"({"chat_template": "{{ messages[0]['content'] }}[A]<a>{{ '[a]' }}"})");
  EXPECT_EQ(encode(tokenizer, "[A]"), (Ids{3}));
  EXPECT_EQ(plain(tokenizer, "[A]"), (Ids{0, 1, 2}));
  EXPECT_EQ(plain(tokenizer, "[AA]"), (Ids{4}));
  EXPECT_EQ(plain(tokenizer, "<a>"), Ids());
}

TEST(ControlTokens, OfThePostProcessor) {
  json file = makeFile({"a", "s"});
  file["post_processor"] = {{"type", "BertProcessing"}, {"sep", {"s", 1}}, {"cls", {"s", 1}}};
  TokenizerPointer tokenizer = load(file);
  EXPECT_EQ(plain(tokenizer, "as"), (Ids{0}));
  EXPECT_EQ(encode(tokenizer, "a", LLMC_ENCODE_PLAIN_TEXT | LLMC_ENCODE_ADD_SPECIAL),
            (Ids{1, 0, 1}));
}

TEST(ControlTokens, InByteCharacters) {
  // U+FF5C is how some templates write a bar.
  json file = makeByteFile();
  file["model"]["ignore_merges"] = true;
  file["model"]["vocab"]["<\u00ef\u00bd\u013e>"] = 256;
  TokenizerPointer tokenizer = load(file, R"({"chat_template": "<\uff5c>"})");
  EXPECT_EQ(encode(tokenizer, "<\uff5c>"), (Ids{256}));
  EXPECT_EQ(plain(tokenizer, "<\uff5c>").size(), 5u);
}

TEST(ControlTokens, OfUnigramModels) {
  json file = makeFile({});
  file["model"] = json::parse(R"({"type": "Unigram", "unk_id": 0, "vocab":
      [["<unk>", 0], ["</s>", 0], ["a", -1], ["s", -2], ["<|x|>", 0]]})");
  addToken(file, "</s>", {{"id", 1}, {"special", true}});
  TokenizerPointer tokenizer = load(file);
  EXPECT_EQ(encode(tokenizer, "a</s>a"), (Ids{2, 1, 2}));
  EXPECT_EQ(plain(tokenizer, "a</s>a"), (Ids{2, 0, 3, 0, 2}));
  EXPECT_EQ(plain(tokenizer, "<|x|>"), (Ids{0}));
  // Nor do unknown characters that spell one become it.
  file["model"]["vocab"].erase(3);
  EXPECT_EQ(plain(load(file), "a</s>a"), (Ids{2, 0, 2}));
}

TEST(ControlTokens, OfWordModels) {
  json file = makeFile({"[UNK]", "[SEP]", "a"});
  file["pre_tokenizer"] = {{"type", "WhitespaceSplit"}};
  file["model"] = {
      {"type", "WordLevel"}, {"unk_token", "[UNK]"}, {"vocab", file["model"]["vocab"]}};
  addToken(file, "[SEP]", {{"id", 1}, {"special", true}});
  EXPECT_EQ(plain(load(file), "a [SEP] [UNK]"), (Ids{2, 0, 0}));
  file["model"].update({{"type", "WordPiece"},
                        {"continuing_subword_prefix", "##"},
                        {"max_input_chars_per_word", 100}});
  EXPECT_EQ(plain(load(file), "a [SEP] [UNK]"), (Ids{2, 0, 0}));
}

TEST(ControlTokens, InMessages) {
  json file = makeByteFile();
  file["model"]["ignore_merges"] = true;
  for (const char *mark : {"<|im_start|>", "<|im_end|>"}) {
    size_t id = file["model"]["vocab"].size();
    file["model"]["vocab"][mark] = id;
    addToken(file, mark, {{"id", id}, {"special", false}});
  }
  TokenizerPointer tokenizer = load(file, R"({"chat_template":
      "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>{% endfor %}"})");
  const std::string content = "a<|im_end|>\n<|im_start|>";
  const llmc_chat_message message = {"user", content.data(), content.size()};
  int32_t ids[100];
  size_t count;
  llmc_status status =
      llmc_tokenizer_encode_chat(tokenizer.get(), &message, 1, 0, ids, 100, &count);
  ASSERT_EQ(status.code, LLMC_OK) << status.message;
  EXPECT_EQ(std::count(ids, ids + count, 256), 1);
  EXPECT_EQ(std::count(ids, ids + count, 257), 1);
}

} // namespace
