//===- llmc-tokenize.cpp - the tokenizer on the command line --------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Turns many texts into ids, or ids into texts, for looking at a tokenizer and for comparing it.
//
//===----------------------------------------------------------------------===//

#include "llmc/tokenizer.h"

#include <nlohmann/json.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

namespace {

constexpr const char *usage =
    R"(usage: llmc-tokenize TOKENIZER.json [--config=FILE] [options]

Reads texts from the standard input, each as its length in bytes in decimal, a line break and
the text, and writes a line with a JSON array of ids for each.

  --config=FILE    also reads this tokenizer_config.json
  --add-special    adds the special tokens of the post-processor
  --plain-text     takes text that spells a control token as plain text
  --chat           reads lines with a JSON array of {"role": …, "content": …}, writes ids of the
                   conversation in the chat template, open for the assistant's answer
  --decode         reads lines with a JSON array of ids, writes a line with a JSON string for each
  --stream         with --decode: hands the ids on one by one
  --skip-special   with --decode: leaves out special tokens
)";

struct Options {
  std::string tokenizer;
  std::string config;
  uint32_t encodeFlags = 0;
  uint32_t decodeFlags = 0;
  bool chat = false;
  bool decode = false;
  bool stream = false;
};

int fail(const std::string &message) {
  std::cerr << "llmc-tokenize: error: " << message << '\n';
  return 1;
}

bool parseOptions(int argc, char **argv, Options &options, std::string &error) {
  for (int i = 1; i < argc; ++i) {
    std::string argument = argv[i];
    if (argument == "--add-special")
      options.encodeFlags |= LLMC_ENCODE_ADD_SPECIAL;
    else if (argument == "--plain-text")
      options.encodeFlags |= LLMC_ENCODE_PLAIN_TEXT;
    else if (argument == "--skip-special")
      options.decodeFlags |= LLMC_DECODE_SKIP_SPECIAL;
    else if (argument == "--chat")
      options.chat = true;
    else if (argument == "--decode")
      options.decode = true;
    else if (argument == "--stream")
      options.stream = true;
    else if (argument.rfind("--config=", 0) == 0)
      options.config = argument.substr(9);
    else if (argument.rfind('-', 0) == 0 || !options.tokenizer.empty())
      error = "unknown argument '" + argument + "'";
    else
      options.tokenizer = argument;
  }
  if (error.empty() && options.tokenizer.empty())
    error = "expected the path of a tokenizer.json";
  if (error.empty() && options.chat && options.decode)
    error = "'--chat' and '--decode' exclude each other";
  if (error.empty() && (options.chat || options.decode) && options.encodeFlags)
    error = "'--add-special' and '--plain-text' are for texts";
  if (error.empty() && !options.decode && (options.stream || options.decodeFlags))
    error = "'--stream' and '--skip-special' need '--decode'";
  return error.empty();
}

bool readFile(const std::string &path, std::string &content, std::string &error) {
  std::ifstream file(path, std::ios::binary);
  if (file)
    content.assign(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  if (!file.good() && !file.eof()) {
    error = path + ": " + std::strerror(errno);
    return false;
  }
  return true;
}

/// Reads a text with its length before it. Returns false at the end or, with an error, in between.
bool readText(std::string &text, std::string &error) {
  std::string line;
  if (!std::getline(std::cin, line))
    return false;
  size_t size = 0;
  if (line.empty() || line.size() > 10 ||
      line.find_first_not_of("0123456789") != std::string::npos) {
    error = "standard input: expected a length, found '" + line.substr(0, 40) + "'";
    return false;
  }
  size = std::stoull(line);
  text.resize(size);
  std::cin.read(text.data(), static_cast<std::streamsize>(size));
  if (static_cast<size_t>(std::cin.gcount()) != size) {
    error =
        "standard input: expected " + line + " bytes, found " + std::to_string(std::cin.gcount());
    return false;
  }
  return true;
}

void writeIds(const std::vector<int32_t> &ids, std::string &output) {
  output = "[";
  for (size_t i = 0; i < ids.size(); ++i)
    output += (i ? "," : "") + std::to_string(ids[i]);
  output += "]\n";
  std::fwrite(output.data(), 1, output.size(), stdout);
}

/// Calls `produce(data, capacity, &size)` until the room is enough.
template <typename Container, typename Producer>
llmc_status produceInto(Container &result, size_t room, Producer produce) {
  for (;;) {
    result.resize(room);
    size_t size = 0;
    llmc_status status = produce(result.data(), result.size(), &size);
    if (status.code == LLMC_OUT_OF_MEMORY && size > room) {
      room = size;
      continue;
    }
    result.resize(status.code == LLMC_OK ? size : 0);
    return status;
  }
}

int encodeTexts(const llmc_tokenizer *tokenizer, const Options &options) {
  std::string text, error, output;
  std::vector<int32_t> ids;
  while (readText(text, error)) {
    llmc_status status =
        produceInto(ids, text.size() + 16, [&](int32_t *data, size_t capacity, size_t *size) {
          return llmc_tokenizer_encode(tokenizer, text.data(), text.size(), options.encodeFlags,
                                       data, capacity, size);
        });
    if (!llmc_status_ok(&status))
      return fail(status.message);
    writeIds(ids, output);
  }
  return error.empty() ? 0 : fail(error);
}

int encodeChats(const llmc_tokenizer *tokenizer) {
  std::string line, output;
  std::vector<int32_t> ids;
  while (std::getline(std::cin, line)) {
    auto json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    std::vector<llmc_chat_message> messages;
    bool valid = json.is_array();
    for (size_t i = 0; valid && i < json.size(); ++i) {
      auto &element = json[i];
      valid = element.is_object() && element.contains("role") && element["role"].is_string() &&
              element.contains("content") && element["content"].is_string();
      if (!valid)
        break;
      auto &content = element["content"].get_ref<std::string &>();
      messages.push_back(
          {element["role"].get_ref<std::string &>().c_str(), content.data(), content.size()});
    }
    if (!valid)
      return fail("standard input: expected an array of messages with role and content");
    llmc_status status =
        produceInto(ids, line.size() + 64, [&](int32_t *data, size_t capacity, size_t *size) {
          return llmc_tokenizer_encode_chat(tokenizer, messages.data(), messages.size(),
                                            LLMC_CHAT_OPEN_ANSWER, data, capacity, size);
        });
    if (!llmc_status_ok(&status))
      return fail(status.message);
    writeIds(ids, output);
  }
  return 0;
}

llmc_status decodeStreamed(llmc_token_stream *stream, const std::vector<int32_t> &ids,
                           std::string &text) {
  const char *part;
  size_t size;
  for (int32_t id : ids) {
    LLMC_RETURN_IF_ERROR(llmc_token_stream_push(stream, id, &part, &size));
    text.append(part, size);
  }
  LLMC_RETURN_IF_ERROR(llmc_token_stream_finish(stream, &part, &size));
  text.append(part, size);
  return llmc_ok_status();
}

int decodeIds(llmc_tokenizer *tokenizer, const Options &options) {
  llmc_token_stream *stream = nullptr;
  llmc_status status = llmc_token_stream_create(tokenizer, options.decodeFlags, &stream);
  if (!llmc_status_ok(&status))
    return fail(status.message);
  std::string line;
  std::string error;
  while (error.empty() && std::getline(std::cin, line)) {
    auto json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    std::vector<int32_t> ids;
    for (const auto &element : json.is_array() ? json : nlohmann::json::array())
      if (element.is_number_integer())
        ids.push_back(element.get<int32_t>());
    if (!json.is_array() || ids.size() != json.size()) {
      error = "standard input: expected an array of ids";
      break;
    }
    std::string text;
    if (options.stream)
      status = decodeStreamed(stream, ids, text);
    else
      status =
          produceInto(text, 16 * ids.size() + 16, [&](char *data, size_t capacity, size_t *size) {
            return llmc_tokenizer_decode(tokenizer, ids.data(), ids.size(), options.decodeFlags,
                                         data, capacity, size);
          });
    if (!llmc_status_ok(&status))
      error = status.message;
    else
      std::cout << nlohmann::json(text).dump() << '\n';
  }
  llmc_token_stream_release(stream);
  return error.empty() ? 0 : fail(error);
}

} // namespace

int main(int argc, char **argv) {
  if (argc == 2 && std::string(argv[1]) == "--help") {
    std::cout << usage;
    return 0;
  }
  std::ios::sync_with_stdio(false);
  Options options;
  std::string error, json, config;
  if (!parseOptions(argc, argv, options, error))
    return fail(error + "; see --help");
  if (!readFile(options.tokenizer, json, error) ||
      (!options.config.empty() && !readFile(options.config, config, error)))
    return fail(error);
  llmc_tokenizer *tokenizer = nullptr;
  llmc_status status =
      llmc_tokenizer_create(json.data(), json.size(), config.data(), config.size(), &tokenizer);
  if (!llmc_status_ok(&status))
    return fail(options.tokenizer + ": " + status.message);
  int result = options.decode ? decodeIds(tokenizer, options)
               : options.chat ? encodeChats(tokenizer)
                              : encodeTexts(tokenizer, options);
  llmc_tokenizer_release(tokenizer);
  std::cout.flush();
  if (std::fflush(stdout) != 0 || !std::cout)
    return fail(std::string("standard output: ") + std::strerror(errno));
  return result;
}
