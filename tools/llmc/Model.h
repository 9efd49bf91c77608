//===- Model.h - the runtime's C ABI with C++ ownership and exceptions ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TOOLS_MODEL_H
#define LLMC_TOOLS_MODEL_H

#include "llmc/llmc.h"
#include "llmc/tokenizer.h"

#include <CLI/App.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace llmc::driver {

/// Throws std::runtime_error with the status's message unless it is LLMC_OK.
void check(const llmc_status &status);

/// What every command that runs a model takes.
struct ModelOptions {
  std::string path;
  uint32_t threads = 0;     ///< 0: all that the process may use
  std::string variant;      ///< empty: the best one that this CPU can run
  bool verify = false;      ///< check the weights' checksum
  std::string device;       ///< empty: the CPU
  uint32_t stepTimeout = 0; ///< in milliseconds; 0: steps may take any time

  /// Declares MODEL and what declareRunning declares.
  void declare(CLI::App &command);
  /// Declares --threads, --variant, --verify, --device and --step-timeout.
  void declareRunning(CLI::App &command);
};

/// Text to token ids and back.
class Tokenizer {
public:
  explicit Tokenizer(const llmc_tokenizer_files &files);

  /// The ids of `text`; special tokens in it are read as such.
  std::vector<int32_t> encode(std::string_view text, bool addSpecial) const;
  /// The ids of a conversation. With LLMC_CHAT_CONTINUE nothing where it can't be continued.
  std::optional<std::vector<int32_t>> encodeChat(const std::vector<llmc_chat_message> &messages,
                                                 uint32_t flags) const;
  /// Throws std::runtime_error where there is no chat template that can be run.
  void checkChat() const { check(llmc_tokenizer_check_chat(get())); }
  /// The text of `tokens`, special ones included.
  /// The tokens below `vocabulary` that the tokenizer does not have.
  std::vector<int32_t> getMissingTokens(size_t vocabulary) const;
  std::string decode(std::span<const int32_t> tokens) const;
  /// Tokens that begin every text; none for many models.
  std::vector<int32_t> getBeginTokens() const;
  /// The token that the configuration calls the beginning of a text, or nothing.
  std::optional<int32_t> findBeginToken() const;
  /// Tokens that end a text.
  std::vector<int32_t> getEndTokens() const;
  llmc_tokenizer *get() const { return handle.get(); }

private:
  struct Release {
    void operator()(llmc_tokenizer *tokenizer) const { llmc_tokenizer_release(tokenizer); }
  };
  std::unique_ptr<llmc_tokenizer, Release> handle;
};

/// Text of tokens as they come, special ones left out.
class TokenStream {
public:
  explicit TokenStream(const Tokenizer &tokenizer);

  /// The text that is certain after `token`; valid until the next call.
  std::string_view push(int32_t token);
  /// The text that was held back.
  std::string_view finish();

private:
  struct Release {
    void operator()(llmc_token_stream *stream) const { llmc_token_stream_release(stream); }
  };
  std::unique_ptr<llmc_token_stream, Release> handle;
};

/// A loaded artifact.
class Model {
public:
  explicit Model(const ModelOptions &options);

  llmc_model *get() const { return handle.get(); }
  llmc_model_info getInfo() const;
  /// The contents of a named file inside the artifact; empty where there is none.
  std::string_view getFile(const char *name) const;
  /// The tokenizer inside, with `chatTemplate` instead of its own unless that is empty; throws
  /// where there is none.
  Tokenizer getTokenizer(std::string_view chatTemplate = {}) const;

private:
  struct Release {
    void operator()(llmc_model *model) const { llmc_model_release(model); }
  };
  std::string path;
  std::unique_ptr<llmc_model, Release> handle;
};

/// One growing text of a model.
class Session {
public:
  explicit Session(const Model &model);

  /// Appends tokens; `logits`, unless null, receives those of every one. An interrupt is thrown
  /// where it comes, with some of the tokens appended.
  void evaluate(std::span<const int32_t> tokens, float *logits);
  int32_t sample(const llmc_sampling &sampling);
  /// Names tokens that are never drawn.
  void exclude(const std::vector<int32_t> &tokens) {
    check(llmc_session_exclude(handle.get(), tokens.data(), tokens.size()));
  }
  void setSeed(uint64_t seed) { llmc_session_set_seed(handle.get(), seed); }
  void rewind(size_t position) { check(llmc_session_rewind(handle.get(), position)); }
  size_t getPosition() const { return llmc_session_position(handle.get()); }

private:
  struct Release {
    void operator()(llmc_session *session) const { llmc_session_release(session); }
  };
  std::unique_ptr<llmc_session, Release> handle;
  size_t maxRows, vocabulary;
};

} // namespace llmc::driver

#endif // LLMC_TOOLS_MODEL_H
