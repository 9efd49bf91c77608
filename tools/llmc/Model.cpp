//===- Model.cpp - the runtime's C ABI with C++ ownership and exceptions ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Model.h"
#include "Interrupt.h"
#include "Numbers.h"

#include <algorithm>
#include <stdexcept>

namespace llmc::driver {

void check(const llmc_status &status) {
  if (!llmc_status_ok(&status))
    throw std::runtime_error(status.message);
}

void ModelOptions::declare(CLI::App &command) {
  command.add_option("MODEL", path, "Artifact that `llmc compile` wrote")->required();
  declareRunning(command);
}

void ModelOptions::declareRunning(CLI::App &command) {
  addCount(
      command, "--threads", threads,
      "Threads; 0: all that the process may use. On a GPU blocks of threads, 0: all that it has "
      "room for");
  command.add_option("--variant", variant,
                     "Instruction-set variant; default: the best this CPU "
                     "can run, or LLMC_VARIANT of the environment");
  command.add_flag("--verify", verify, "Check first that the weights are undamaged");
  command.add_option("--device", device,
                     "cpu (default), or cuda or cuda:NUMBER: an NVIDIA GPU, for models that "
                     "--target=cuda was compiled for");
  addCount(command, "--step-timeout", stepTimeout,
           "On a GPU: milliseconds after which a step is ended; 0: steps may take any time");
}

Tokenizer::Tokenizer(const llmc_tokenizer_files &files) {
  llmc_tokenizer *tokenizer = nullptr;
  check(llmc_tokenizer_create_from_files(&files, &tokenizer));
  handle.reset(tokenizer);
}

/// Calls `encode(ids, capacity, &count)` once to count and once to fill.
template <typename Encode>
static std::vector<int32_t> collect(Encode encode) {
  size_t count = 0;
  check(encode(nullptr, 0, &count));
  std::vector<int32_t> ids(count);
  if (count > 0)
    check(encode(ids.data(), ids.size(), &count));
  return ids;
}

std::vector<int32_t> Tokenizer::encode(std::string_view text, bool addSpecial) const {
  return collect([&](int32_t *ids, size_t capacity, size_t *count) {
    return llmc_tokenizer_encode(get(), text.data(), text.size(),
                                 addSpecial ? LLMC_ENCODE_ADD_SPECIAL : 0, ids, capacity, count);
  });
}

std::optional<std::vector<int32_t>>
Tokenizer::encodeChat(const std::vector<llmc_chat_message> &messages, uint32_t flags) const {
  bool isOther = false;
  std::vector<int32_t> ids = collect([&](int32_t *data, size_t capacity, size_t *count) {
    llmc_status status = llmc_tokenizer_encode_chat(get(), messages.data(), messages.size(), flags,
                                                    data, capacity, count);
    isOther = status.code == LLMC_FAILED_PRECONDITION;
    return isOther ? llmc_ok_status() : status;
  });
  return isOther ? std::nullopt : std::optional(std::move(ids));
}

std::vector<int32_t> Tokenizer::getMissingTokens(size_t vocabulary) const {
  std::vector<int32_t> tokens;
  for (size_t id = 0; id < vocabulary; ++id) {
    const char *name = nullptr;
    size_t size = 0;
    auto token = static_cast<int32_t>(id);
    llmc_status status = llmc_tokenizer_token_name(get(), token, &name, &size);
    if (!llmc_status_ok(&status))
      tokens.push_back(token);
  }
  return tokens;
}

std::string Tokenizer::decode(std::span<const int32_t> tokens) const {
  size_t size = 0;
  check(llmc_tokenizer_decode(get(), tokens.data(), tokens.size(), 0, nullptr, 0, &size));
  std::string text(size, '\0');
  if (size > 0)
    check(llmc_tokenizer_decode(get(), tokens.data(), tokens.size(), 0, text.data(), size, &size));
  return text;
}

std::vector<int32_t> Tokenizer::getBeginTokens() const {
  return collect([&](int32_t *ids, size_t capacity, size_t *count) {
    return llmc_tokenizer_begin_tokens(get(), ids, capacity, count);
  });
}

std::optional<int32_t> Tokenizer::findBeginToken() const {
  int32_t token = 0;
  llmc_status status = llmc_tokenizer_role_token(get(), LLMC_TOKEN_BEGIN_OF_TEXT, &token);
  if (status.code == LLMC_NOT_FOUND)
    return std::nullopt;
  check(status);
  return token;
}

std::vector<int32_t> Tokenizer::getEndTokens() const {
  return collect([&](int32_t *ids, size_t capacity, size_t *count) {
    return llmc_tokenizer_end_tokens(get(), ids, capacity, count);
  });
}

TokenStream::TokenStream(const Tokenizer &tokenizer) {
  llmc_token_stream *stream = nullptr;
  check(llmc_token_stream_create(tokenizer.get(), LLMC_DECODE_SKIP_SPECIAL, &stream));
  handle.reset(stream);
}

std::string_view TokenStream::push(int32_t token) {
  const char *text = nullptr;
  size_t size = 0;
  check(llmc_token_stream_push(handle.get(), token, &text, &size));
  return {text, size};
}

std::string_view TokenStream::finish() {
  const char *text = nullptr;
  size_t size = 0;
  check(llmc_token_stream_finish(handle.get(), &text, &size));
  return {text, size};
}

Model::Model(const ModelOptions &options) : path(options.path) {
  llmc_model_options given = llmc_model_default_options();
  given.threads = options.threads;
  given.device = options.device.empty() ? nullptr : options.device.c_str();
  given.step_timeout_ms = options.stepTimeout;
  given.variant = options.variant.empty() ? nullptr : options.variant.c_str();
  given.verify_weights = options.verify ? LLMC_VERIFY_ALWAYS : LLMC_VERIFY_DEFAULT;
  llmc_model *model = nullptr;
  check(llmc_model_load(options.path.c_str(), &given, &model));
  handle.reset(model);
}

llmc_model_info Model::getInfo() const {
  llmc_model_info info{};
  llmc_model_get_info(get(), &info);
  return info;
}

std::string_view Model::getFile(const char *name) const {
  const char *data = nullptr;
  size_t size = 0;
  llmc_status status = llmc_model_get_file(get(), name, &data, &size);
  if (status.code == LLMC_NOT_FOUND)
    return {};
  check(status);
  return {data, size};
}

Tokenizer Model::getTokenizer(std::string_view chatTemplate) const {
  std::string_view json = getFile("tokenizer.json");
  if (json.empty())
    throw std::runtime_error("'" + path +
                             "': the model carries no tokenizer.json: compile it with one beside "
                             "the model, or name it with --tokenizer");
  auto take = [&](const char *name) {
    std::string_view file = getFile(name);
    return llmc_tokenizer_file{file.data(), file.size()};
  };
  llmc_tokenizer_files files = {};
  files.tokenizer = {json.data(), json.size()};
  files.tokenizer_config = take("tokenizer_config.json");
  files.generation_config = take("generation_config.json");
  files.model_config = take("config.json");
  files.chat_template = {chatTemplate.data(), chatTemplate.size()};
  if (chatTemplate.empty())
    files.chat_template = take("chat_template");
  return Tokenizer(files);
}

Session::Session(const Model &model)
    : maxRows(model.getInfo().max_rows), vocabulary(model.getInfo().vocabulary) {
  llmc_session *session = nullptr;
  check(llmc_session_create(model.get(), &session));
  handle.reset(session);
}

void Session::evaluate(std::span<const int32_t> tokens, float *logits) {
  // Step by step, between which an interrupt stops.
  do {
    checkInterrupts();
    size_t count = std::min(tokens.size(), maxRows);
    llmc_batch_entry entry{};
    entry.session = handle.get();
    entry.tokens = tokens.data();
    entry.count = count;
    entry.logits = logits;
    entry.skip_logits = count < tokens.size();
    check(llmc_evaluate_batch(nullptr, &entry, 1));
    tokens = tokens.subspan(count);
    logits = logits ? logits + count * vocabulary : nullptr;
  } while (!tokens.empty());
}

int32_t Session::sample(const llmc_sampling &sampling) {
  int32_t token = 0;
  check(llmc_session_sample(handle.get(), &sampling, &token));
  return token;
}

} // namespace llmc::driver
