//===- ChatTemplate.h - conversations as text -----------------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares how a model's chat template writes a conversation.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_CHATTEMPLATE_H
#define LLMC_RUNTIME_TOKENIZER_CHATTEMPLATE_H

#include "TokenizerConfig.h"
#include "jinja/Template.h"

#include "llmc/tokenizer.h"

namespace llmc::tokenizer {

/// A template with what it is given besides messages. A tokenizer is of use without one, so what is
/// wrong with it is said when it is needed.
class ChatTemplate {
public:
  /// Reads the configuration's template.
  void load(const TokenizerConfig &config);

  /// Says why there is no template that can be run; LLMC_OK if there is one.
  const llmc_status &getStatus() const { return status; }

  /// Appends a conversation; what came from messages' contents is marked in it. `flags` are those
  /// of llmc_tokenizer_encode_chat.
  llmc_status render(const llmc_chat_message *messages, size_t count, uint32_t flags,
                     jinja::Text &text) const;

private:
  llmc_status renderAll(const llmc_chat_message *messages, size_t count, bool opensAnswer,
                        jinja::Text &text) const;

  jinja::Template compiled;
  std::vector<std::pair<std::string, std::string>> tokens;
  llmc_status status = llmc_make_status(LLMC_UNSUPPORTED, "the tokenizer has no chat template");
};

} // namespace llmc::tokenizer

#endif // LLMC_RUNTIME_TOKENIZER_CHATTEMPLATE_H
