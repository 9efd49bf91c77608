//===- ControlTokens.cpp - tokens that text must never become ------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finds the control tokens of a tokenizer.
//
//===----------------------------------------------------------------------===//

#include "ControlTokens.h"

#include "Normalizer.h"

namespace llmc::tokenizer {

namespace {

bool isMarkCharacter(char c) { return static_cast<unsigned char>(c) > ' ' && c != '<' && c != '>'; }

/// Finds the end of the mark that begins at `begin`: <…> without spaces, or [NAME] or [/NAME] in
/// capitals. Gives `begin` if there is none.
size_t findMarkEnd(std::string_view text, size_t begin) {
  size_t end = begin + 1;
  if (text[begin] == '<') {
    while (end < text.size() && isMarkCharacter(text[end]))
      ++end;
    return end < text.size() && text[end] == '>' && end > begin + 1 ? end + 1 : begin;
  }
  if (text[begin] != '[')
    return begin;
  if (end < text.size() && text[end] == '/')
    ++end;
  size_t name = end;
  while (end < text.size() && ((text[end] >= 'A' && text[end] <= 'Z') || text[end] == '_'))
    ++end;
  return end < text.size() && text[end] == ']' && end > name ? end + 1 : begin;
}

/// A token as a vocabulary of byte characters has it.
std::string writeInBytes(std::string_view token) {
  std::string result;
  for (char byte : token)
    appendByteCharacter(result, static_cast<unsigned char>(byte));
  return result;
}

} // namespace

void withholdControlTokens(const AddedTokens &addedTokens, const PostProcessor &postProcessor,
                           const TokenizerConfig &config, Model &model) {
  const Vocabulary &vocabulary = model.getVocabulary();
  // An added token that is text stays text wherever else it is named.
  auto withhold = [&](int32_t id) {
    const AddedToken *added = addedTokens.find(id);
    if (id >= 0 && (!added || added->isControl()))
      model.addControlToken(id);
  };
  auto withholdName = [&](std::string_view name) {
    withhold(vocabulary.find(name));
    withhold(vocabulary.find(writeInBytes(name)));
  };
  for (const AddedToken &token : addedTokens.all()) {
    withhold(token.id);
    if (token.isControl())
      withholdName(token.content);
  }
  postProcessor.forEachToken(withhold);
  for (const auto &role : config.roles)
    if (role)
      withholdName(*role);
  if (config.chatTemplate)
    for (size_t begin = 0; begin < config.chatTemplate->size(); ++begin)
      if (size_t end = findMarkEnd(*config.chatTemplate, begin); end > begin)
        withholdName(std::string_view(*config.chatTemplate).substr(begin, end - begin));
  vocabulary.forEach([&](std::string_view token, int32_t id) {
    if (token.size() > 4 && token.substr(0, 2) == "<|" && token.substr(token.size() - 2) == "|>")
      withhold(id);
  });
}

} // namespace llmc::tokenizer
