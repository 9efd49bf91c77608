//===- TestSupport.h - small tokenizers for tests -------------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares how tests build a tokenizer.json and call the tokenizer.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TEST_UNIT_TOKENIZER_TESTSUPPORT_H
#define LLMC_TEST_UNIT_TOKENIZER_TESTSUPPORT_H

#include "llmc/tokenizer.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <string>
#include <vector>

namespace llmc::test {

using nlohmann::json;

struct TokenizerDeleter {
  void operator()(llmc_tokenizer *tokenizer) const { llmc_tokenizer_release(tokenizer); }
};
using TokenizerPointer = std::unique_ptr<llmc_tokenizer, TokenizerDeleter>;

/// Gives an empty file with this vocabulary, ids in order, and these merges ("a b").
json makeFile(const std::vector<std::string> &tokens, const std::vector<std::string> &merges = {});
/// Gives a file whose tokens are the characters of ASCII, and each of them with "|" at a word's
/// end.
json makeWordFile();
/// Gives a file whose tokens are the 256 byte characters.
json makeByteFile();

/// A table for a Precompiled normalizer that replaces "a" by "b", in base64.
extern const std::string precompiledTable;

/// Adds a token with the next id.
void addToken(json &file, const std::string &content, const json &options = {});

/// Loads a file; an error fails the test and gives null.
TokenizerPointer load(const json &file, const std::string &config = "");
/// Gives the message of what is wrong with a file; empty if nothing is. `code` is what is expected.
std::string loadError(const std::string &text, int32_t code, const std::string &config = "");
inline std::string loadError(const json &file, int32_t code) {
  return loadError(file.dump(), code);
}

std::vector<int32_t> encode(const TokenizerPointer &tokenizer, const std::string &text,
                            uint32_t flags = 0);
/// Gives the names of a text's tokens with nothing between.
std::string encodeNames(const TokenizerPointer &tokenizer, const std::string &text,
                        uint32_t flags = 0);
/// Gives the text that a byte-level tokenizer makes of a text before the model.
std::string encodeBytes(const TokenizerPointer &tokenizer, const std::string &text);
std::string decode(const TokenizerPointer &tokenizer, const std::vector<int32_t> &ids,
                   uint32_t flags = 0);
/// Gives what each push of a stream gives, and last what its finish gives.
std::vector<std::string> stream(const TokenizerPointer &tokenizer, const std::vector<int32_t> &ids,
                                uint32_t flags = 0);
std::string join(const std::vector<std::string> &parts);

} // namespace llmc::test

#endif // LLMC_TEST_UNIT_TOKENIZER_TESTSUPPORT_H
