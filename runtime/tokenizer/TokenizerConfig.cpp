//===- TokenizerConfig.cpp - what tokenizer_config.json adds --------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads the members of tokenizer_config.json that are of use without the Python library.
//
//===----------------------------------------------------------------------===//

#include "TokenizerConfig.h"

#include "Json.h"

namespace llmc::tokenizer {

const std::array<const char *, TokenizerConfig::roleCount> TokenizerConfig::roleNames = {
    "bos_token", "eos_token", "pad_token", "unk_token"};

namespace {

/// Reads a token: its name, or an object with its name as "content".
llmc_status readToken(const JsonView &json, std::optional<std::string> &token) {
  if (json.isNull())
    return llmc_ok_status();
  token.emplace();
  return json.isObject() ? json.member("content").readString(*token) : json.readString(*token);
}

/// Reads a template, or a list of named ones, of which "default" is taken.
llmc_status readTemplate(const JsonView &json, std::optional<std::string> &text) {
  if (json.isNull())
    return llmc_ok_status();
  if (!json.isArray()) {
    text.emplace();
    return json.readString(*text);
  }
  for (size_t i = 0; i < json.size(); ++i) {
    std::string name;
    LLMC_RETURN_IF_ERROR(json.element(i).member("name").readString(name));
    if (name != "default")
      continue;
    text.emplace();
    return json.element(i).member("template").readString(*text);
  }
  return json.unsupported("expected a template with the name 'default'");
}

} // namespace

llmc_status TokenizerConfig::parse(std::string_view json) {
  nlohmann::json tree;
  LLMC_RETURN_IF_ERROR(parseJson(json, tree));
  JsonView root(tree, "");
  LLMC_RETURN_IF_ERROR(root.expectObject());
  for (size_t role = 0; role < roleCount; ++role)
    LLMC_RETURN_IF_ERROR(readToken(root.member(roleNames[role]), roles[role]));
  return readTemplate(root.member("chat_template"), chatTemplate);
}

} // namespace llmc::tokenizer
