//===- CApi.cpp - the tokenizer's C ABI -----------------------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Defines the functions of llmc/tokenizer.h: checks arguments, counts references and turns running
// out of memory into a status.
//
//===----------------------------------------------------------------------===//

#include "llmc/tokenizer.h"

#include "Tokenizer.h"

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>
#include <stdexcept>

using llmc::tokenizer::DecodeChain;
using llmc::tokenizer::Tokenizer;

struct llmc_tokenizer {
  std::atomic<int32_t> references{1};
  Tokenizer tokenizer;
};

struct llmc_token_stream {
  llmc_tokenizer *owner;
  uint32_t flags;
  std::unique_ptr<DecodeChain> chain;
  /// What the last call gave out.
  std::string given;
};

namespace {

/// Runs `body`; whatever memory it cannot get becomes a status.
template <typename Body>
llmc_status guarded(Body body) {
  try {
    return body();
  } catch (const std::bad_alloc &) {
    return llmc_make_status(LLMC_OUT_OF_MEMORY, "not enough memory");
  } catch (const std::length_error &) {
    return llmc_make_status(LLMC_OUT_OF_MEMORY, "not enough memory");
  }
}

llmc_status missing(const char *argument) {
  return llmc_make_status(LLMC_INVALID_ARGUMENT, "argument '%s' is null", argument);
}

llmc_status checkDecodeFlags(uint32_t flags) {
  if (flags & ~uint32_t(LLMC_DECODE_SKIP_SPECIAL))
    return llmc_make_status(LLMC_INVALID_ARGUMENT, "unknown flags for decoding: %#x", flags);
  return llmc_ok_status();
}

/// Copies a result to where the caller has room for it.
template <typename Element>
llmc_status copyOut(const Element *result, size_t size, const char *unit, Element *target,
                    size_t capacity, size_t *resultSize) {
  *resultSize = size;
  if (!target && capacity == 0)
    return llmc_ok_status();
  if (size > capacity)
    return llmc_make_status(LLMC_OUT_OF_MEMORY, "expected room for %zu %s, found room for %zu",
                            size, unit, capacity);
  if (size > 0)
    std::memcpy(target, result, size * sizeof(Element));
  return llmc_ok_status();
}

/// Appends the contents of a file to `contents`.
llmc_status readFile(const std::string &path, std::string &contents) {
  std::unique_ptr<std::FILE, int (*)(std::FILE *)> file(std::fopen(path.c_str(), "rb"),
                                                        std::fclose);
  if (!file)
    return llmc_make_status(errno == ENOENT ? LLMC_NOT_FOUND : LLMC_IO_ERROR,
                            "cannot open '%s': %s", path.c_str(), std::strerror(errno));
  char part[1 << 14];
  for (size_t size; (size = std::fread(part, 1, sizeof(part), file.get())) > 0;)
    contents.append(part, size);
  if (std::ferror(file.get()))
    return llmc_make_status(LLMC_IO_ERROR, "cannot read '%s': %s", path.c_str(),
                            std::strerror(errno));
  return llmc_ok_status();
}

} // namespace

llmc_status llmc_tokenizer_create(const char *json, size_t jsonSize, const char *config,
                                  size_t configSize, llmc_tokenizer **tokenizer) {
  llmc_tokenizer_files files = {};
  files.tokenizer = {json, jsonSize};
  files.tokenizer_config = {config, configSize};
  return llmc_tokenizer_create_from_files(&files, tokenizer);
}

llmc_status llmc_tokenizer_create_from_files(const llmc_tokenizer_files *files,
                                             llmc_tokenizer **tokenizer) {
  if (!tokenizer)
    return missing("tokenizer");
  *tokenizer = nullptr;
  if (!files)
    return missing("files");
  if (!files->tokenizer.data)
    return missing("tokenizer.json");
  for (const llmc_tokenizer_file &file : {files->tokenizer_config, files->chat_template,
                                          files->generation_config, files->model_config})
    if (!file.data && file.size > 0)
      return missing("a file's data");
  return guarded([&] {
    auto result = std::make_unique<llmc_tokenizer>();
    LLMC_RETURN_IF_ERROR(result->tokenizer.load(*files));
    *tokenizer = result.release();
    return llmc_ok_status();
  });
}

llmc_status llmc_tokenizer_load(const char *folder, llmc_tokenizer **tokenizer) {
  if (!tokenizer)
    return missing("tokenizer");
  *tokenizer = nullptr;
  if (!folder)
    return missing("folder");
  return guarded([&] {
    std::string prefix = std::string(folder) + "/", json;
    LLMC_RETURN_IF_ERROR(readFile(prefix + "tokenizer.json", json));
    std::string config, chatTemplate, generationConfig, modelConfig;
    for (const auto &[name, contents] :
         {std::pair<const char *, std::string *>{"tokenizer_config.json", &config},
          {"chat_template.jinja", &chatTemplate},
          {"chat_template.json", &chatTemplate},
          {"generation_config.json", &generationConfig},
          {"config.json", &modelConfig}}) {
      if (!contents->empty())
        continue;
      llmc_status status = readFile(prefix + name, *contents);
      if (!llmc_status_ok(&status) && status.code != LLMC_NOT_FOUND)
        return status;
    }
    llmc_tokenizer_files files = {};
    files.tokenizer = {json.data(), json.size()};
    files.tokenizer_config = {config.data(), config.size()};
    files.chat_template = {chatTemplate.data(), chatTemplate.size()};
    files.generation_config = {generationConfig.data(), generationConfig.size()};
    files.model_config = {modelConfig.data(), modelConfig.size()};
    return llmc_annotate_status(llmc_tokenizer_create_from_files(&files, tokenizer), folder);
  });
}

void llmc_tokenizer_retain(llmc_tokenizer *tokenizer) {
  tokenizer->references.fetch_add(1, std::memory_order_relaxed);
}

void llmc_tokenizer_release(llmc_tokenizer *tokenizer) {
  if (tokenizer && tokenizer->references.fetch_sub(1, std::memory_order_acq_rel) == 1)
    delete tokenizer;
}

llmc_status llmc_tokenizer_encode(const llmc_tokenizer *tokenizer, const char *text,
                                  size_t textSize, uint32_t flags, int32_t *ids, size_t capacity,
                                  size_t *count) {
  if (!tokenizer || !count)
    return missing(tokenizer ? "count" : "tokenizer");
  *count = 0;
  if ((!text && textSize > 0) || (!ids && capacity > 0))
    return missing(ids ? "text" : "ids");
  return guarded([&] {
    std::vector<int32_t> result;
    LLMC_RETURN_IF_ERROR(tokenizer->tokenizer.encode({text ? text : "", textSize}, flags, result));
    return copyOut(result.data(), result.size(), "ids", ids, capacity, count);
  });
}

llmc_status llmc_tokenizer_encode_chat(const llmc_tokenizer *tokenizer,
                                       const llmc_chat_message *messages, size_t messageCount,
                                       uint32_t flags, int32_t *ids, size_t capacity,
                                       size_t *count) {
  if (!tokenizer || !count)
    return missing(tokenizer ? "count" : "tokenizer");
  *count = 0;
  if ((!messages && messageCount > 0) || (!ids && capacity > 0))
    return missing(ids ? "messages" : "ids");
  return guarded([&] {
    std::vector<int32_t> result;
    LLMC_RETURN_IF_ERROR(tokenizer->tokenizer.encodeChat(messages, messageCount, flags, result));
    return copyOut(result.data(), result.size(), "ids", ids, capacity, count);
  });
}

llmc_status llmc_tokenizer_render_chat(const llmc_tokenizer *tokenizer,
                                       const llmc_chat_message *messages, size_t messageCount,
                                       uint32_t flags, char *text, size_t capacity, size_t *size) {
  if (!tokenizer || !size)
    return missing(tokenizer ? "size" : "tokenizer");
  *size = 0;
  if ((!messages && messageCount > 0) || (!text && capacity > 0))
    return missing(messages ? "text" : "messages");
  return guarded([&] {
    llmc::tokenizer::jinja::Text result;
    LLMC_RETURN_IF_ERROR(tokenizer->tokenizer.renderChat(messages, messageCount, flags, result));
    return copyOut(result.str().data(), result.size(), "bytes", text, capacity, size);
  });
}

llmc_status llmc_tokenizer_check_chat(const llmc_tokenizer *tokenizer) {
  return tokenizer ? tokenizer->tokenizer.checkChat() : missing("tokenizer");
}

/// Gives ids that a tokenizer has found.
template <typename Find>
static llmc_status giveIds(const llmc_tokenizer *tokenizer, int32_t *ids, size_t capacity,
                           size_t *count, Find find) {
  if (!tokenizer || !count)
    return missing(tokenizer ? "count" : "tokenizer");
  *count = 0;
  if (!ids && capacity > 0)
    return missing("ids");
  return guarded([&] {
    std::vector<int32_t> result = find(tokenizer->tokenizer);
    return copyOut(result.data(), result.size(), "ids", ids, capacity, count);
  });
}

llmc_status llmc_tokenizer_begin_tokens(const llmc_tokenizer *tokenizer, int32_t *ids,
                                        size_t capacity, size_t *count) {
  return giveIds(tokenizer, ids, capacity, count,
                 [](const Tokenizer &owner) { return owner.beginTokens(); });
}

llmc_status llmc_tokenizer_end_tokens(const llmc_tokenizer *tokenizer, int32_t *ids,
                                      size_t capacity, size_t *count) {
  return giveIds(tokenizer, ids, capacity, count,
                 [](const Tokenizer &owner) { return owner.endTokens(); });
}

llmc_status llmc_tokenizer_decode(const llmc_tokenizer *tokenizer, const int32_t *ids, size_t count,
                                  uint32_t flags, char *text, size_t capacity, size_t *size) {
  if (!tokenizer || !size)
    return missing(tokenizer ? "size" : "tokenizer");
  *size = 0;
  if ((!ids && count > 0) || (!text && capacity > 0))
    return missing(text ? "ids" : "text");
  LLMC_RETURN_IF_ERROR(checkDecodeFlags(flags));
  return guarded([&] {
    std::unique_ptr<DecodeChain> chain = tokenizer->tokenizer.startDecoding(/*isStream=*/false);
    for (size_t i = 0; i < count; ++i)
      LLMC_RETURN_IF_ERROR(tokenizer->tokenizer.decode(ids[i], flags, *chain));
    LLMC_RETURN_IF_ERROR(chain->finish());
    return copyOut(chain->output.data(), chain->output.size(), "bytes", text, capacity, size);
  });
}

llmc_status llmc_token_stream_create(llmc_tokenizer *tokenizer, uint32_t flags,
                                     llmc_token_stream **stream) {
  if (!stream)
    return missing("stream");
  *stream = nullptr;
  if (!tokenizer)
    return missing("tokenizer");
  LLMC_RETURN_IF_ERROR(checkDecodeFlags(flags));
  return guarded([&] {
    *stream = new llmc_token_stream{
        tokenizer, flags, tokenizer->tokenizer.startDecoding(/*isStream=*/true), std::string()};
    llmc_tokenizer_retain(tokenizer);
    return llmc_ok_status();
  });
}

void llmc_token_stream_release(llmc_token_stream *stream) {
  if (!stream)
    return;
  llmc_tokenizer *owner = stream->owner;
  delete stream;
  llmc_tokenizer_release(owner);
}

/// Hands out what the chain has made since the last call.
static llmc_status giveOutput(llmc_token_stream *stream, const char **text, size_t *size) {
  stream->given.swap(stream->chain->output);
  stream->chain->output.clear();
  *text = stream->given.data();
  *size = stream->given.size();
  return llmc_ok_status();
}

llmc_status llmc_token_stream_push(llmc_token_stream *stream, int32_t id, const char **text,
                                   size_t *size) {
  if (!stream || !text || !size)
    return missing(!stream ? "stream" : !text ? "text" : "size");
  *text = "";
  *size = 0;
  return guarded([&] {
    LLMC_RETURN_IF_ERROR(stream->owner->tokenizer.decode(id, stream->flags, *stream->chain));
    return giveOutput(stream, text, size);
  });
}

llmc_status llmc_token_stream_finish(llmc_token_stream *stream, const char **text, size_t *size) {
  if (!stream || !text || !size)
    return missing(!stream ? "stream" : !text ? "text" : "size");
  *text = "";
  *size = 0;
  return guarded([&] {
    LLMC_RETURN_IF_ERROR(stream->chain->finish());
    LLMC_RETURN_IF_ERROR(giveOutput(stream, text, size));
    stream->chain = stream->owner->tokenizer.startDecoding(/*isStream=*/true);
    return llmc_ok_status();
  });
}

size_t llmc_tokenizer_vocabulary_size(const llmc_tokenizer *tokenizer) {
  return tokenizer ? tokenizer->tokenizer.vocabularySize() : 0;
}

llmc_status llmc_tokenizer_find_token(const llmc_tokenizer *tokenizer, const char *name,
                                      size_t nameSize, int32_t *id) {
  if (!tokenizer || !name || !id)
    return missing(!tokenizer ? "tokenizer" : !name ? "name" : "id");
  *id = -1;
  return guarded([&] {
    *id = tokenizer->tokenizer.find({name, nameSize});
    return *id >= 0 ? llmc_ok_status()
                    : llmc_make_status(LLMC_NOT_FOUND, "the vocabulary has no token '%.*s'",
                                       static_cast<int>(nameSize < 100 ? nameSize : 100), name);
  });
}

llmc_status llmc_tokenizer_token_name(const llmc_tokenizer *tokenizer, int32_t id,
                                      const char **name, size_t *nameSize) {
  if (!tokenizer || !name || !nameSize)
    return missing(!tokenizer ? "tokenizer" : !name ? "name" : "name_size");
  const std::string *found = tokenizer->tokenizer.name(id);
  *name = found ? found->data() : "";
  *nameSize = found ? found->size() : 0;
  return found ? llmc_ok_status()
               : llmc_make_status(LLMC_OUT_OF_RANGE, "the vocabulary has no token %d", id);
}

int llmc_tokenizer_is_special(const llmc_tokenizer *tokenizer, int32_t id) {
  return tokenizer && tokenizer->tokenizer.isSpecial(id);
}

llmc_status llmc_tokenizer_role_token(const llmc_tokenizer *tokenizer, int role, int32_t *id) {
  if (!tokenizer || !id)
    return missing(tokenizer ? "id" : "tokenizer");
  *id = -1;
  return guarded([&] { return tokenizer->tokenizer.roleToken(role, *id); });
}
