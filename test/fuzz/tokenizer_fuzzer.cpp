//===- tokenizer_fuzzer.cpp - hostile tokenizer files ---------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loads bytes as a tokenizer.json, and a part of them as text where they load.
//
//===----------------------------------------------------------------------===//

#include "llmc/tokenizer.h"

#include <cstdlib>
#include <string>
#include <vector>

static void require(bool condition) {
  if (!condition)
    std::abort();
}

static std::string streamText(llmc_tokenizer *tokenizer, const std::vector<int32_t> &ids,
                              bool &succeeded) {
  llmc_token_stream *stream = nullptr;
  llmc_status status = llmc_token_stream_create(tokenizer, 0, &stream);
  require(status.code == LLMC_OK);
  std::string result;
  const char *text;
  size_t size;
  succeeded = true;
  for (int32_t id : ids) {
    status = llmc_token_stream_push(stream, id, &text, &size);
    succeeded &= status.code == LLMC_OK;
    result.append(text, size);
  }
  status = llmc_token_stream_finish(stream, &text, &size);
  succeeded &= status.code == LLMC_OK;
  result.append(text, size);
  llmc_token_stream_release(stream);
  return result;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  // What follows the first NUL is the text; without one, a little that is in most vocabularies.
  std::string input(reinterpret_cast<const char *>(data), size);
  size_t end = input.find('\0');
  std::string json = input.substr(0, end);
  std::string text = end == std::string::npos ? "ab \u00e9<s> 12\n" : input.substr(end + 1);

  llmc_tokenizer *tokenizer = nullptr;
  llmc_status status = llmc_tokenizer_create(json.data(), json.size(), nullptr, 0, &tokenizer);
  require((status.code == LLMC_OK) == (tokenizer != nullptr));
  require(status.code != LLMC_INTERNAL);
  if (!tokenizer)
    return 0;
  size_t count = 0;
  status = llmc_tokenizer_encode(tokenizer, text.data(), text.size(), LLMC_ENCODE_ADD_SPECIAL,
                                 nullptr, 0, &count);
  require(status.code != LLMC_INTERNAL);
  size_t plainCount = 0;
  llmc_status plain = llmc_tokenizer_encode(tokenizer, text.data(), text.size(),
                                            LLMC_ENCODE_PLAIN_TEXT, nullptr, 0, &plainCount);
  require(plain.code != LLMC_INTERNAL);
  std::vector<int32_t> ids(count);
  if (status.code == LLMC_OK && count > 0) {
    status = llmc_tokenizer_encode(tokenizer, text.data(), text.size(), LLMC_ENCODE_ADD_SPECIAL,
                                   ids.data(), ids.size(), &count);
    require(status.code == LLMC_OK && count == ids.size());
    size_t decodedSize = 0;
    status = llmc_tokenizer_decode(tokenizer, ids.data(), ids.size(), 0, nullptr, 0, &decodedSize);
    std::string decoded(decodedSize, '\0');
    if (status.code == LLMC_OK && decodedSize > 0) {
      status = llmc_tokenizer_decode(tokenizer, ids.data(), ids.size(), 0, decoded.data(),
                                     decoded.size(), &decodedSize);
      require(status.code == LLMC_OK);
    }
    bool streamed = false;
    std::string whole = streamText(tokenizer, ids, streamed);
    // Where bytes had to be replaced the two may differ.
    if (status.code == LLMC_OK && streamed && decoded.find("\ufffd") == std::string::npos)
      require(whole == decoded);
  }
  llmc_tokenizer_release(tokenizer);
  return 0;
}
