//===- TokenizerConfig.h - what tokenizer_config.json adds ----------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares the roles of tokens and the chat template that stand beside tokenizer.json.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_TOKENIZERCONFIG_H
#define LLMC_RUNTIME_TOKENIZER_TOKENIZERCONFIG_H

#include "llmc/status.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace llmc::tokenizer {

struct TokenizerConfig {
  static constexpr size_t roleCount = 4;
  /// The names of the members, in the order of the roles in llmc/tokenizer.h.
  static const std::array<const char *, roleCount> roleNames;

  /// The token of each role, by name.
  std::array<std::optional<std::string>, roleCount> roles;
  /// The default chat template, in Jinja.
  std::optional<std::string> chatTemplate;

  llmc_status parse(std::string_view json);
};

} // namespace llmc::tokenizer

#endif // LLMC_RUNTIME_TOKENIZER_TOKENIZERCONFIG_H
