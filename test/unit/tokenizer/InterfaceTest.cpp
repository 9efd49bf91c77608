//===- InterfaceTest.cpp - tests of the C ABI -----------------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tests files, arguments, room, look-up, roles and use by many threads.
//
//===----------------------------------------------------------------------===//

#include "TestSupport.h"

#include <filesystem>
#include <fstream>
#include <thread>

using namespace llmc::test;

namespace {

TEST(Interface, RoomForIds) {
  TokenizerPointer tokenizer = load(makeByteFile());
  int32_t ids[4] = {-1, -1, -1, -1};
  size_t count = 0;
  llmc_status status = llmc_tokenizer_encode(tokenizer.get(), "abc", 3, 0, ids, 2, &count);
  EXPECT_EQ(status.code, LLMC_OUT_OF_MEMORY);
  EXPECT_STREQ(status.message, "expected room for 3 ids, found room for 2");
  EXPECT_EQ(count, 3u);
  EXPECT_EQ(ids[0], -1);
  status = llmc_tokenizer_encode(tokenizer.get(), "abc", 3, 0, ids, 3, &count);
  EXPECT_EQ(status.code, LLMC_OK);
  EXPECT_EQ(ids[2], 'c');
  EXPECT_EQ(ids[3], -1);
}

TEST(Interface, NullArguments) {
  size_t count;
  int32_t id;
  llmc_tokenizer *tokenizer = nullptr;
  EXPECT_EQ(llmc_tokenizer_create(nullptr, 0, nullptr, 0, &tokenizer).code, LLMC_INVALID_ARGUMENT);
  EXPECT_EQ(llmc_tokenizer_create("{}", 2, nullptr, 0, nullptr).code, LLMC_INVALID_ARGUMENT);
  EXPECT_EQ(llmc_tokenizer_load(nullptr, &tokenizer).code, LLMC_INVALID_ARGUMENT);
  EXPECT_EQ(llmc_tokenizer_load(".", nullptr).code, LLMC_INVALID_ARGUMENT);
  EXPECT_EQ(llmc_tokenizer_encode(nullptr, "", 0, 0, nullptr, 0, &count).code,
            LLMC_INVALID_ARGUMENT);
  EXPECT_EQ(llmc_tokenizer_role_token(nullptr, 0, &id).code, LLMC_INVALID_ARGUMENT);
  llmc_tokenizer_release(nullptr);
  llmc_token_stream_release(nullptr);
  EXPECT_EQ(llmc_tokenizer_vocabulary_size(nullptr), 0u);
}

TEST(Interface, LoadsFromAFolder) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::path(::testing::TempDir()) / "tokenizer";
  fs::remove_all(folder);
  fs::create_directory(folder);
  auto tryLoad = [&] {
    llmc_tokenizer *tokenizer = nullptr;
    llmc_status status = llmc_tokenizer_load(folder.c_str(), &tokenizer);
    EXPECT_EQ(tokenizer != nullptr, status.code == LLMC_OK);
    return std::pair(TokenizerPointer(tokenizer), status);
  };
  auto write = [&](const char *name, const std::string &text) {
    std::ofstream(folder / name, std::ios::binary) << text;
  };
  auto [none, status] = tryLoad();
  EXPECT_EQ(status.code, LLMC_NOT_FOUND);
  EXPECT_EQ(status.message, "cannot open '" + (folder / "tokenizer.json").string() +
                                "': No such file or directory");
  write("tokenizer.json", makeFile({"a", "</s>"}).dump());
  auto [bare, bareStatus] = tryLoad();
  ASSERT_EQ(bareStatus.code, LLMC_OK) << bareStatus.message;
  EXPECT_EQ(encode(bare, "a"), std::vector<int32_t>{0});
  write("tokenizer_config.json", R"({"eos_token": "</s>"})");
  auto [whole, wholeStatus] = tryLoad();
  ASSERT_EQ(wholeStatus.code, LLMC_OK) << wholeStatus.message;
  int32_t end;
  EXPECT_EQ(llmc_tokenizer_role_token(whole.get(), LLMC_TOKEN_END_OF_TEXT, &end).code, LLMC_OK);
  EXPECT_EQ(end, 1);
  write("tokenizer_config.json", "{");
  auto [damaged, damagedStatus] = tryLoad();
  EXPECT_EQ(damagedStatus.code, LLMC_CORRUPT);
  EXPECT_EQ(damagedStatus.message,
            folder.string() + ": tokenizer_config.json: not valid JSON at byte 2");
  fs::remove(folder / "tokenizer_config.json");
  fs::create_directory(folder / "tokenizer_config.json");
  auto [odd, oddStatus] = tryLoad();
  EXPECT_EQ(oddStatus.code, LLMC_IO_ERROR);
  EXPECT_EQ(oddStatus.message,
            "cannot read '" + (folder / "tokenizer_config.json").string() + "': Is a directory");
  fs::remove_all(folder);
}

TEST(Interface, UnknownFlags) {
  TokenizerPointer tokenizer = load(makeByteFile());
  size_t count;
  llmc_token_stream *stream;
  llmc_status status = llmc_tokenizer_encode(tokenizer.get(), "", 0, 4, nullptr, 0, &count);
  EXPECT_EQ(status.code, LLMC_INVALID_ARGUMENT);
  EXPECT_STREQ(status.message, "unknown flags for encoding: 0x4");
  status = llmc_tokenizer_decode(tokenizer.get(), nullptr, 0, 2, nullptr, 0, &count);
  EXPECT_EQ(status.code, LLMC_INVALID_ARGUMENT);
  EXPECT_STREQ(status.message, "unknown flags for decoding: 0x2");
  EXPECT_EQ(llmc_token_stream_create(tokenizer.get(), 2, &stream).code, LLMC_INVALID_ARGUMENT);
}

TEST(Interface, TextMustBeUtf8) {
  TokenizerPointer tokenizer = load(makeByteFile());
  size_t count;
  for (const std::string text : {"ab\xff", "ab\xc3", "ab\xed\xa0\x80", "ab\xc0\x80"}) {
    llmc_status status =
        llmc_tokenizer_encode(tokenizer.get(), text.data(), text.size(), 0, nullptr, 0, &count);
    EXPECT_EQ(status.code, LLMC_INVALID_ARGUMENT);
    EXPECT_STREQ(status.message, "expected text in UTF-8, found something else at byte 2");
  }
  EXPECT_EQ(encode(tokenizer, std::string("a\0b", 3)), (std::vector<int32_t>{'a', 0, 'b'}));
}

TEST(Interface, Look) {
  TokenizerPointer tokenizer = load(makeFile({"a", "b"}));
  int32_t id;
  EXPECT_EQ(llmc_tokenizer_find_token(tokenizer.get(), "b", 1, &id).code, LLMC_OK);
  EXPECT_EQ(id, 1);
  llmc_status status = llmc_tokenizer_find_token(tokenizer.get(), "cd", 2, &id);
  EXPECT_EQ(status.code, LLMC_NOT_FOUND);
  EXPECT_STREQ(status.message, "the vocabulary has no token 'cd'");
  EXPECT_EQ(id, -1);
  EXPECT_EQ(llmc_tokenizer_vocabulary_size(tokenizer.get()), 2u);
}

TEST(Interface, Roles) {
  TokenizerPointer tokenizer =
      load(makeFile({"a", "<s>", "</s>"}), R"({"bos_token": "<s>", "eos_token": {"content": "</s>"},
                                               "unk_token": "<unk>", "pad_token": null, "x": 1})");
  int32_t id;
  EXPECT_EQ(llmc_tokenizer_role_token(tokenizer.get(), LLMC_TOKEN_BEGIN_OF_TEXT, &id).code,
            LLMC_OK);
  EXPECT_EQ(id, 1);
  EXPECT_EQ(llmc_tokenizer_role_token(tokenizer.get(), LLMC_TOKEN_END_OF_TEXT, &id).code, LLMC_OK);
  EXPECT_EQ(id, 2);
  llmc_status status = llmc_tokenizer_role_token(tokenizer.get(), LLMC_TOKEN_PADDING, &id);
  EXPECT_EQ(status.code, LLMC_NOT_FOUND);
  EXPECT_STREQ(status.message, "the tokenizer's configuration has no 'pad_token'");
  status = llmc_tokenizer_role_token(tokenizer.get(), LLMC_TOKEN_UNKNOWN, &id);
  EXPECT_EQ(status.code, LLMC_NOT_FOUND);
  EXPECT_STREQ(status.message, "the vocabulary has no '<unk>', which is 'unk_token'");
  status = llmc_tokenizer_role_token(tokenizer.get(), 4, &id);
  EXPECT_EQ(status.code, LLMC_INVALID_ARGUMENT);
  EXPECT_STREQ(status.message, "unknown role of a token: 4");
}

TEST(Interface, ManyThreadsUseOneTokenizer) {
  json file = makeFile({"a", "b", "ab", "abab"}, {"a b", "ab ab"});
  file["pre_tokenizer"] = {{"type", "WhitespaceSplit"}};
  TokenizerPointer tokenizer = load(file);
  std::string text;
  for (int i = 0; i < 200; ++i)
    text += "abab aba b ";
  const std::vector<int32_t> expected = encode(tokenizer, text);
  std::vector<std::thread> threads;
  std::vector<int> equal(8, 0);
  for (size_t t = 0; t < equal.size(); ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i)
        equal[t] += encode(tokenizer, text) == expected;
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(equal, std::vector<int>(8, 50));
}

} // namespace
