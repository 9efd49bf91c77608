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
  if (!tokenizer)
    return missing("tokenizer");
  *tokenizer = nullptr;
  if (!json)
    return missing("json");
  if (!config && configSize > 0)
    return missing("config");
  return guarded([&] {
    auto result = std::make_unique<llmc_tokenizer>();
    LLMC_RETURN_IF_ERROR(
        result->tokenizer.load({json, jsonSize}, {config ? config : "", configSize}));
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
    std::string prefix = std::string(folder) + "/", json, config;
    LLMC_RETURN_IF_ERROR(readFile(prefix + "tokenizer.json", json));
    llmc_status status = readFile(prefix + "tokenizer_config.json", config);
    if (!llmc_status_ok(&status) && status.code != LLMC_NOT_FOUND)
      return status;
    return llmc_annotate_status(
        llmc_tokenizer_create(json.data(), json.size(), config.data(), config.size(), tokenizer),
        folder);
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
