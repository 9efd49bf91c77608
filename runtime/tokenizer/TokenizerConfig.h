//===- TokenizerConfig.h - what tokenizer_config.json adds ----------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares what the files beside tokenizer.json say: the roles of tokens, which of them begin and
// end texts, and the chat template.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_TOKENIZERCONFIG_H
#define LLMC_RUNTIME_TOKENIZER_TOKENIZERCONFIG_H

#include "llmc/status.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace llmc::tokenizer {

struct TokenizerConfig {
  static constexpr size_t roleCount = 4;
  /// The names of the members, in the order of the roles in llmc/tokenizer.h.
  static const std::array<const char *, roleCount> roleNames;

  /// The token of each role, by name.
  std::array<std::optional<std::string>, roleCount> roles;
  /// What templates know tokens by ("bos_token", "sep_token" …), and their names.
  std::vector<std::pair<std::string, std::string>> templateTokens;
  /// The default chat template, in Jinja.
  std::optional<std::string> chatTemplate;
  /// Whether texts begin with the token that has this role, where the post-processor adds none.
  bool addsBeginToken = false;
  /// Ids that end a text, of generation_config.json and config.json, each once.
  std::vector<int32_t> endTokens;

  /// Reads tokenizer_config.json.
  llmc_status parse(std::string_view json);
  /// Adds the end tokens of generation_config.json or config.json.
  llmc_status parseEndTokens(std::string_view json);
  /// Takes a chat template: in Jinja, or JSON with a member "chat_template".
  llmc_status parseTemplate(std::string_view text);
};

} // namespace llmc::tokenizer

#endif // LLMC_RUNTIME_TOKENIZER_TOKENIZERCONFIG_H
