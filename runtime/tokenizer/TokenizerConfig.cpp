//===- TokenizerConfig.cpp - what tokenizer_config.json adds --------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads the members of these files that are of use without the Python library.
//
//===----------------------------------------------------------------------===//

#include "TokenizerConfig.h"

#include "Json.h"

#include <algorithm>

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
  return llmc_ok_status();
}

/// Adds an id, or a list of them.
llmc_status readIds(const JsonView &json, std::vector<int32_t> &ids) {
  if (json.isNull())
    return llmc_ok_status();
  for (size_t i = 0; i < (json.isArray() ? json.size() : 1); ++i) {
    uint32_t id;
    LLMC_RETURN_IF_ERROR(
        (json.isArray() ? json.element(i) : json).readUnsigned(id, maximumTokenId));
    if (std::find(ids.begin(), ids.end(), static_cast<int32_t>(id)) == ids.end())
      ids.push_back(static_cast<int32_t>(id));
  }
  return llmc_ok_status();
}

} // namespace

llmc_status TokenizerConfig::parse(std::string_view json) {
  nlohmann::json tree;
  LLMC_RETURN_IF_ERROR(parseJson(json, tree));
  JsonView root(tree, "");
  LLMC_RETURN_IF_ERROR(root.expectObject());
  for (size_t role = 0; role < roleCount; ++role)
    LLMC_RETURN_IF_ERROR(readToken(root.member(roleNames[role]), roles[role]));
  for (const char *name : {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token",
                           "cls_token", "mask_token"}) {
    std::optional<std::string> token;
    LLMC_RETURN_IF_ERROR(readToken(root.member(name), token));
    if (token)
      templateTokens.emplace_back(name, *token);
  }
  if (!root.member("add_bos_token").isNull())
    LLMC_RETURN_IF_ERROR(root.member("add_bos_token").readBool(addsBeginToken));
  return readTemplate(root.member("chat_template"), chatTemplate);
}

llmc_status TokenizerConfig::parseEndTokens(std::string_view json) {
  nlohmann::json tree;
  LLMC_RETURN_IF_ERROR(parseJson(json, tree));
  JsonView root(tree, "");
  LLMC_RETURN_IF_ERROR(root.expectObject());
  // A model of several parts keeps the language's under a name of its own.
  LLMC_RETURN_IF_ERROR(readIds(root.member("text_config").member("eos_token_id"), endTokens));
  return readIds(root.member("eos_token_id"), endTokens);
}

llmc_status TokenizerConfig::parseTemplate(std::string_view text) {
  nlohmann::json tree;
  llmc_status status = parseJson(text, tree);
  if (llmc_status_ok(&status) && tree.is_object())
    return JsonView(tree, "").member("chat_template").readString(chatTemplate.emplace());
  chatTemplate = text;
  return llmc_ok_status();
}

} // namespace llmc::tokenizer
