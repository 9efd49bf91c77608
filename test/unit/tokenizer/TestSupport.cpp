//===- TestSupport.cpp - small tokenizers for tests -----------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Builds tokenizer.json files and calls the C ABI.
//
//===----------------------------------------------------------------------===//

#include "TestSupport.h"

namespace llmc::test {

json makeFile(const std::vector<std::string> &tokens, const std::vector<std::string> &merges) {
  json file = {{"version", "1.0"}, {"added_tokens", json::array()}};
  json &model = file["model"];
  model = {{"type", "BPE"}, {"merges", merges}, {"vocab", json::object()}};
  for (size_t i = 0; i < tokens.size(); ++i)
    model["vocab"][tokens[i]] = i;
  return file;
}

json makeWordFile() {
  std::vector<std::string> tokens;
  for (int c = 0; c < 0x80; ++c) {
    tokens.emplace_back(1, static_cast<char>(c));
    tokens.push_back(tokens.back() + "|");
  }
  json file = makeFile(tokens);
  file["model"]["end_of_word_suffix"] = "|";
  return file;
}

/// Builds the table: a trie of 256 units, in which the root's children stand at their own bytes.
static std::string makePrecompiledTable() {
  std::string bytes(4 + 1024, '\0');
  auto set = [&](size_t position, uint32_t unit) {
    for (size_t i = 0; i < 4; ++i)
      bytes[position + i] = static_cast<char>(unit >> (8 * i));
  };
  set(0, 1024);
  // The unit of 'a' has a leaf, at 1; its value is the place of the text behind the trie.
  set(4 + 4 * 'a', 'a' | ('a' ^ 1u) << 10 | 0x100);
  set(4 + 4 * 1, 1u << 31);
  bytes += std::string("b\0", 2);
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string result;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t bits = 0;
    for (size_t k = 0; k < 3; ++k)
      bits = bits << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0);
    for (size_t k = 0; k < 4; ++k)
      result += i + k <= bytes.size() ? digits[bits >> (18 - 6 * k) & 63] : '=';
  }
  return result;
}

const std::string precompiledTable = makePrecompiledTable();

static std::string byteName(unsigned byte) {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> result;
    unsigned next = 0x100;
    for (unsigned b = 0; b < 256; ++b) {
      bool printable = (b >= 0x21 && b <= 0x7e) || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
      unsigned c = printable ? b : next++;
      result.push_back(c < 0x80 ? std::string(1, static_cast<char>(c))
                                : std::string{static_cast<char>(0xc0 | (c >> 6)),
                                              static_cast<char>(0x80 | (c & 0x3f))});
    }
    return result;
  }();
  return names[byte];
}

json makeByteFile() {
  std::vector<std::string> tokens;
  for (unsigned byte = 0; byte < 256; ++byte)
    tokens.push_back(byteName(byte));
  json file = makeFile(tokens);
  file["pre_tokenizer"] = {
      {"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
  file["decoder"] = {{"type", "ByteLevel"}};
  return file;
}

void addToken(json &file, const std::string &content, const json &options) {
  json token = {{"id", file["model"]["vocab"].size() + file["added_tokens"].size()},
                {"content", content},
                {"single_word", false},
                {"lstrip", false},
                {"rstrip", false},
                {"normalized", false},
                {"special", false}};
  if (options.is_object())
    token.update(options);
  file["added_tokens"].push_back(token);
}

TokenizerPointer load(const json &file, const std::string &config) {
  std::string text = file.dump();
  llmc_tokenizer *tokenizer = nullptr;
  llmc_status status =
      llmc_tokenizer_create(text.data(), text.size(), config.data(), config.size(), &tokenizer);
  EXPECT_EQ(status.code, LLMC_OK) << status.message;
  return TokenizerPointer(tokenizer);
}

std::string loadError(const std::string &text, int32_t code, const std::string &config) {
  llmc_tokenizer *tokenizer = nullptr;
  llmc_status status =
      llmc_tokenizer_create(text.data(), text.size(), config.data(), config.size(), &tokenizer);
  EXPECT_EQ(status.code, code) << status.message;
  EXPECT_EQ(tokenizer == nullptr, status.code != LLMC_OK);
  llmc_tokenizer_release(tokenizer);
  return status.message;
}

std::vector<int32_t> encode(const TokenizerPointer &tokenizer, const std::string &text,
                            uint32_t flags) {
  size_t count = 0;
  llmc_status status =
      llmc_tokenizer_encode(tokenizer.get(), text.data(), text.size(), flags, nullptr, 0, &count);
  EXPECT_EQ(status.code, LLMC_OK) << status.message;
  std::vector<int32_t> ids(count);
  status = llmc_tokenizer_encode(tokenizer.get(), text.data(), text.size(), flags, ids.data(),
                                 ids.size(), &count);
  EXPECT_EQ(status.code, LLMC_OK) << status.message;
  EXPECT_EQ(ids.size(), count);
  return ids;
}

std::string encodeNames(const TokenizerPointer &tokenizer, const std::string &text,
                        uint32_t flags) {
  std::string result;
  for (int32_t id : encode(tokenizer, text, flags)) {
    const char *name;
    size_t size;
    llmc_status status = llmc_tokenizer_token_name(tokenizer.get(), id, &name, &size);
    EXPECT_EQ(status.code, LLMC_OK) << status.message;
    result.append(name, size);
  }
  return result;
}

std::string encodeBytes(const TokenizerPointer &tokenizer, const std::string &text) {
  std::string result;
  for (int32_t id : encode(tokenizer, text))
    result.push_back(static_cast<char>(id));
  return result;
}

std::string decode(const TokenizerPointer &tokenizer, const std::vector<int32_t> &ids,
                   uint32_t flags) {
  size_t size = 0;
  llmc_status status =
      llmc_tokenizer_decode(tokenizer.get(), ids.data(), ids.size(), flags, nullptr, 0, &size);
  EXPECT_EQ(status.code, LLMC_OK) << status.message;
  std::string text(size, '\0');
  status = llmc_tokenizer_decode(tokenizer.get(), ids.data(), ids.size(), flags, text.data(),
                                 text.size(), &size);
  EXPECT_EQ(status.code, LLMC_OK) << status.message;
  return text;
}

std::vector<std::string> stream(const TokenizerPointer &tokenizer, const std::vector<int32_t> &ids,
                                uint32_t flags) {
  std::vector<std::string> result;
  llmc_token_stream *stream = nullptr;
  llmc_status status = llmc_token_stream_create(tokenizer.get(), flags, &stream);
  EXPECT_EQ(status.code, LLMC_OK) << status.message;
  const char *text;
  size_t size;
  for (int32_t id : ids) {
    status = llmc_token_stream_push(stream, id, &text, &size);
    EXPECT_EQ(status.code, LLMC_OK) << status.message;
    result.emplace_back(text, size);
  }
  status = llmc_token_stream_finish(stream, &text, &size);
  EXPECT_EQ(status.code, LLMC_OK) << status.message;
  result.emplace_back(text, size);
  llmc_token_stream_release(stream);
  return result;
}

std::string join(const std::vector<std::string> &parts) {
  std::string result;
  for (const std::string &part : parts)
    result += part;
  return result;
}

} // namespace llmc::test
