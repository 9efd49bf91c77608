//===- ChatML.cpp - conversations as ids ----------------------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes a conversation in ChatML. Only the marks that are written here become special tokens: a
// message cannot end its own turn by spelling one.
//
//===----------------------------------------------------------------------===//

#include "Tokenizer.h"

#include "Unicode.h"

#include <algorithm>

namespace llmc::tokenizer {

namespace {

constexpr const char *beginMark = "<|im_start|>";
constexpr const char *endMark = "<|im_end|>";
constexpr const char *roles[] = {"system", "user", "assistant"};

} // namespace

llmc_status Tokenizer::findChatMarks(const AddedToken *&begin, const AddedToken *&end) const {
  if (config.chatTemplate && (config.chatTemplate->find(beginMark) == std::string::npos ||
                              config.chatTemplate->find(endMark) == std::string::npos))
    return llmc_make_status(LLMC_UNSUPPORTED,
                            "the tokenizer's chat template is not ChatML: it has no %s or no %s",
                            beginMark, endMark);
  begin = addedTokens.find(std::string_view(beginMark));
  end = addedTokens.find(std::string_view(endMark));
  if (!begin || !end)
    return llmc_make_status(LLMC_UNSUPPORTED,
                            "the tokenizer has no chat format that is known: expected an added "
                            "token %s",
                            begin ? endMark : beginMark);
  return llmc_ok_status();
}

llmc_status Tokenizer::encodeChat(const llmc_chat_message *messages, size_t count, uint32_t flags,
                                  std::vector<int32_t> &ids) const {
  if (flags & ~uint32_t(LLMC_CHAT_OPEN_ANSWER | LLMC_CHAT_CONTINUE))
    return llmc_make_status(LLMC_INVALID_ARGUMENT, "unknown flags for a conversation: %#x", flags);
  const AddedToken *begin;
  const AddedToken *end;
  LLMC_RETURN_IF_ERROR(findChatMarks(begin, end));
  BorrowedScratch borrowed(*this);

  // Text between two marks; what follows or precedes a mark that takes in spaces loses them.
  auto addText = [&](std::string_view text, const AddedToken *before, const AddedToken *after) {
    size_t position = 0;
    while (before && before->rightStrip && position < text.size()) {
      size_t next = position;
      if (!isWhitespace(nextCharacter(text, next)))
        break;
      position = next;
    }
    text.remove_prefix(position);
    while (after && after->leftStrip && !text.empty()) {
      char32_t last = previousCharacter(text, text.size());
      if (!isWhitespace(last))
        break;
      std::string bytes;
      appendCharacter(bytes, last);
      text.remove_suffix(bytes.size());
    }
    return encodeText(text, /*beginsInput=*/false, /*plainText=*/true, *borrowed, ids);
  };

  if (flags & LLMC_CHAT_CONTINUE)
    LLMC_RETURN_IF_ERROR(addText("\n", end, begin));
  std::string turn;
  for (size_t i = 0; i < count; ++i) {
    const llmc_chat_message &message = messages[i];
    if (!message.role || (!message.content && message.content_size > 0))
      return llmc_make_status(LLMC_INVALID_ARGUMENT, "message %zu has no role or no content", i);
    std::string_view role = message.role;
    if (std::find(std::begin(roles), std::end(roles), role) == std::end(roles))
      return llmc_make_status(LLMC_INVALID_ARGUMENT,
                              "message %zu: expected the role 'system', 'user' or 'assistant', "
                              "found '%.40s'",
                              i, message.role);
    std::string_view content(message.content ? message.content : "", message.content_size);
    size_t invalid = findInvalidUtf8(content);
    if (invalid != content.size())
      return llmc_make_status(LLMC_INVALID_ARGUMENT,
                              "message %zu: expected text in UTF-8, found something else at byte "
                              "%zu",
                              i, invalid);
    turn.assign(role);
    turn += '\n';
    turn += content;
    ids.push_back(begin->id);
    LLMC_RETURN_IF_ERROR(addText(turn, begin, end));
    ids.push_back(end->id);
    bool isLast = i + 1 == count && !(flags & LLMC_CHAT_OPEN_ANSWER);
    LLMC_RETURN_IF_ERROR(addText("\n", end, isLast ? nullptr : begin));
  }
  if (!(flags & LLMC_CHAT_OPEN_ANSWER))
    return llmc_ok_status();
  ids.push_back(begin->id);
  return addText("assistant\n", begin, nullptr);
}

} // namespace llmc::tokenizer
