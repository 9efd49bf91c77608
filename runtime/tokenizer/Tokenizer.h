//===- Tokenizer.h - the parts of a tokenizer put together ----------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares the tokenizer behind the C ABI.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_TOKENIZER_H
#define LLMC_RUNTIME_TOKENIZER_TOKENIZER_H

#include "AddedTokens.h"
#include "ChatTemplate.h"
#include "Decoder.h"
#include "Model.h"
#include "Normalizer.h"
#include "PostProcessor.h"
#include "PreTokenizer.h"
#include "TokenizerConfig.h"

#include "llmc/tokenizer.h"

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace llmc::tokenizer {

/// Never changes after `load`; encoding takes what it needs to write to from a pool, so that any
/// number of threads can encode.
class Tokenizer {
public:
  llmc_status load(const llmc_tokenizer_files &files);

  /// Gives the ids of `text`; `flags` are those of llmc_tokenizer_encode.
  llmc_status encode(std::string_view text, uint32_t flags, std::vector<int32_t> &ids) const;

  /// Gives a conversation as text; `flags` are those of llmc_tokenizer_encode_chat.
  llmc_status renderChat(const llmc_chat_message *messages, size_t count, uint32_t flags,
                         jinja::Text &text) const {
    return chatTemplate.render(messages, count, flags, text);
  }
  /// Whether there is a chat template that can be run.
  const llmc_status &checkChat() const { return chatTemplate.getStatus(); }
  /// Gives the ids of a conversation; `flags` are those of llmc_tokenizer_encode_chat.
  llmc_status encodeChat(const llmc_chat_message *messages, size_t count, uint32_t flags,
                         std::vector<int32_t> &ids) const;

  /// Gives the tokens that stand before a text.
  std::vector<int32_t> beginTokens() const;
  /// Gives the tokens that end a text.
  std::vector<int32_t> endTokens() const;

  /// Starts decoding a sequence.
  std::unique_ptr<DecodeChain> startDecoding(bool isStream) const {
    return decoder.makeChain(isStream);
  }
  /// Hands a token to `chain`, unless it is to be left out.
  llmc_status decode(int32_t id, uint32_t flags, DecodeChain &chain) const;

  /// Gives -1 if there is no such token.
  int32_t find(std::string_view name) const;
  /// Gives null if there is no such token.
  const std::string *name(int32_t id) const;
  bool isSpecial(int32_t id) const;
  llmc_status roleToken(int role, int32_t &id) const;
  size_t vocabularySize() const;

private:
  struct Scratch {
    SplitScratch split;
    ModelScratch model;
    SplitText splitText;
    std::vector<Segment> segments;
    std::vector<Segment> innerSegments;
    std::vector<int32_t> ids;
  };
  /// A Scratch taken from the pool, and given back at the end.
  class BorrowedScratch {
  public:
    explicit BorrowedScratch(const Tokenizer &owner);
    ~BorrowedScratch();
    BorrowedScratch(const BorrowedScratch &) = delete;
    BorrowedScratch &operator=(const BorrowedScratch &) = delete;
    Scratch &operator*() { return *scratch; }

  private:
    const Tokenizer &owner;
    std::unique_ptr<Scratch> scratch;
  };

  llmc_status loadParts(const JsonView &root, TokenizerDocument &document);
  /// Appends the ids of a piece of the input that has no added tokens of the first stage in it.
  llmc_status encodePiece(std::string_view piece, bool beginsInput, bool plainText,
                          Scratch &scratch, std::vector<int32_t> &ids) const;
  llmc_status encodeText(std::string_view text, bool beginsInput, bool plainText, Scratch &scratch,
                         std::vector<int32_t> &ids) const;
  /// Appends the ids of text in which only what is not marked can spell control tokens.
  llmc_status encodeMarked(const jinja::Text &text, Scratch &scratch,
                           std::vector<int32_t> &ids) const;
  /// Finds the control tokens in what is not marked, in order.
  llmc_status findControls(const jinja::Text &text, Scratch &scratch,
                           std::vector<Segment> &controls) const;
  /// Adds the token that the chat template writes after an answer, if it is a special one.
  void addAnswerEnd(std::vector<int32_t> &ids) const;

  std::unique_ptr<Normalizer> normalizer;
  std::unique_ptr<PreTokenizer> preTokenizer;
  std::unique_ptr<Model> model;
  AddedTokens addedTokens;
  PostProcessor postProcessor;
  Decoder decoder;
  TokenizerConfig config;
  ChatTemplate chatTemplate;

  mutable std::mutex poolMutex;
  mutable std::vector<std::unique_ptr<Scratch>> pool;
};

} // namespace llmc::tokenizer

#endif // LLMC_RUNTIME_TOKENIZER_TOKENIZER_H
