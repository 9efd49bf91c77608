//===- ChatTemplate.cpp - conversations as text and ids -------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs the chat template on messages whose contents are marked, and turns the text into ids: what
// the template wrote can be control tokens, and what messages say cannot, however the template cut
// and joined it.
//
//===----------------------------------------------------------------------===//

#include "ChatTemplate.h"

#include "Tokenizer.h"
#include "Unicode.h"

#include <algorithm>
#include <ctime>

namespace llmc::tokenizer {

namespace {

/// The roles that templates know. A role can become part of a control token, and so is no text.
constexpr const char *roles[] = {"system", "user", "assistant", "tool", "developer"};

llmc_status checkMessage(const llmc_chat_message &message, size_t i) {
  if (!message.role || (!message.content && message.content_size > 0))
    return llmc_make_status(LLMC_INVALID_ARGUMENT, "message %zu has no role or no content", i);
  if (std::find(std::begin(roles), std::end(roles), std::string_view(message.role)) ==
      std::end(roles))
    return llmc_make_status(LLMC_INVALID_ARGUMENT,
                            "message %zu: expected the role 'system', 'user', 'assistant', 'tool' "
                            "or 'developer', found '%.40s'",
                            i, message.role);
  std::string_view content(message.content ? message.content : "", message.content_size);
  size_t invalid = findInvalidUtf8(content);
  if (invalid == content.size())
    return llmc_ok_status();
  return llmc_make_status(LLMC_INVALID_ARGUMENT,
                          "message %zu: expected text in UTF-8, found something else at byte %zu",
                          i, invalid);
}

jinja::Value makeMessages(const llmc_chat_message *messages, size_t count, jinja::Heap &heap) {
  std::vector<jinja::Value> list;
  for (size_t i = 0; i < count; ++i) {
    jinja::Value message = heap.dict();
    std::string_view content(messages[i].content ? messages[i].content : "",
                             messages[i].content_size);
    setKey(message.getDict(), heap.string("role"), heap.string(messages[i].role), heap);
    setKey(message.getDict(), heap.string("content"),
           heap.string(jinja::Text::fromMessage(content)), heap);
    list.push_back(message);
  }
  return heap.list(std::move(list));
}

} // namespace

void ChatTemplate::load(const TokenizerConfig &config) {
  tokens = config.templateTokens;
  if (config.chatTemplate)
    status = llmc_annotate_status(compiled.parse(*config.chatTemplate), "chat template");
}

llmc_status ChatTemplate::renderAll(const llmc_chat_message *messages, size_t count,
                                    bool opensAnswer, jinja::Text &text) const {
  return llmc_annotate_status(
      compiled.render(
          [&](jinja::Heap &heap) {
            jinja::Variables variables = {{"messages", makeMessages(messages, count, heap)},
                                          {"tools", {}},
                                          {"documents", {}},
                                          {"add_generation_prompt", opensAnswer}};
            for (const auto &token : tokens)
              variables.emplace_back(token.first, heap.string(token.second));
            return variables;
          },
          std::time(nullptr), text),
      "chat template");
}

llmc_status ChatTemplate::render(const llmc_chat_message *messages, size_t count, uint32_t flags,
                                 jinja::Text &text) const {
  if (flags & ~uint32_t(LLMC_CHAT_OPEN_ANSWER | LLMC_CHAT_CONTINUE))
    return llmc_make_status(LLMC_INVALID_ARGUMENT, "unknown flags for a conversation: %#x", flags);
  LLMC_RETURN_IF_ERROR(status);
  for (size_t i = 0; i < count; ++i)
    LLMC_RETURN_IF_ERROR(checkMessage(messages[i], i));
  bool opensAnswer = (flags & LLMC_CHAT_OPEN_ANSWER) != 0;
  if (!(flags & LLMC_CHAT_CONTINUE))
    return renderAll(messages, count, opensAnswer, text);

  // What follows the last answer is what a conversation with it has beyond the one that asked.
  size_t answer = count;
  while (answer > 0 && std::string_view(messages[answer - 1].role) != "assistant")
    --answer;
  if (answer == 0)
    return llmc_make_status(LLMC_INVALID_ARGUMENT,
                            "expected a message of the assistant to continue after");
  jinja::Text before, all;
  LLMC_RETURN_IF_ERROR(renderAll(messages, answer - 1, /*opensAnswer=*/true, before));
  before.append(std::string_view(messages[answer - 1].content ? messages[answer - 1].content : "",
                                 messages[answer - 1].content_size));
  LLMC_RETURN_IF_ERROR(renderAll(messages, count, opensAnswer, all));
  if (all.size() < before.size() || all.str().compare(0, before.size(), before.str()) != 0)
    return llmc_make_status(LLMC_FAILED_PRECONDITION,
                            "the chat template writes what came before otherwise when it goes on");
  text.append(all, before.size(), all.size());
  return llmc_ok_status();
}

/// The bytes of `text` without the marks of `runs`.
static std::vector<Span> findUnmarked(const jinja::Text &text) {
  std::vector<Span> result;
  size_t begin = 0;
  for (const jinja::Run &run : text.getMarks()) {
    if (begin < run.begin)
      result.push_back({begin, run.begin});
    begin = run.end;
  }
  if (begin < text.size())
    result.push_back({begin, text.size()});
  return result;
}

llmc_status Tokenizer::encodeMarked(const jinja::Text &text, Scratch &scratch,
                                    std::vector<int32_t> &ids) const {
  const std::string &bytes = text.str();
  if (bytes.size() > maximumTextSize)
    return llmc_make_status(LLMC_UNSUPPORTED, "expected a text of at most %zu bytes, found %zu",
                            maximumTextSize, bytes.size());
  std::vector<Segment> controls;
  LLMC_RETURN_IF_ERROR(findControls(text, scratch, controls));
  // What lies between two of them is encoded as a whole, as it would be without messages in it.
  size_t position = 0;
  auto encodeTo = [&](size_t end) {
    if (position >= end)
      return llmc_ok_status();
    bool hasMarks = text.slice(position, end).hasMarks();
    return encodeText(std::string_view(bytes).substr(position, end - position),
                      /*beginsInput=*/position == 0, /*plainText=*/hasMarks, scratch, ids);
  };
  for (const Segment &control : controls) {
    // A token that takes in spaces does so in messages, too.
    const AddedToken &token = *addedTokens.find(control.id);
    size_t end = control.span.begin;
    while (token.leftStrip && end > position && isWhitespace(previousCharacter(bytes, end))) {
      do
        --end;
      while ((static_cast<unsigned char>(bytes[end]) & 0xc0) == 0x80);
    }
    LLMC_RETURN_IF_ERROR(encodeTo(end));
    ids.push_back(control.id);
    position = control.span.end;
    for (size_t next = position; token.rightStrip && next < bytes.size(); position = next)
      if (!isWhitespace(nextCharacter(bytes, next)))
        break;
  }
  return encodeTo(bytes.size());
}

llmc_status Tokenizer::findControls(const jinja::Text &text, Scratch &scratch,
                                    std::vector<Segment> &controls) const {
  // They are looked for in each stretch of the template's own text by itself. Those of the second
  // stage stand in normalized text, where marks are lost: they are found by how they are written.
  std::vector<Segment> found;
  for (auto stage : {AddedTokens::Stage::BeforeNormalizer, AddedTokens::Stage::AfterNormalizer}) {
    const std::vector<Segment> earlier = controls;
    if (stage == AddedTokens::Stage::AfterNormalizer && !text.hasMarks())
      break;
    for (const Span &span : findUnmarked(text)) {
      std::string_view stretch = std::string_view(text.str()).substr(span.begin, span.size());
      LLMC_RETURN_IF_ERROR(
          addedTokens.split(stretch, stage, /*plainText=*/false, scratch.split.regex, found));
      for (const Segment &segment : found) {
        if (segment.id < 0 || !addedTokens.find(segment.id)->isControl())
          continue;
        Span place = {segment.span.begin + span.begin, segment.span.end + span.begin};
        auto next = std::upper_bound(
            earlier.begin(), earlier.end(), place.begin,
            [](size_t begin, const Segment &other) { return begin < other.span.end; });
        if (next == earlier.end() || next->span.begin >= place.end)
          controls.push_back({place, segment.id});
      }
    }
    std::sort(controls.begin(), controls.end(), [](const Segment &left, const Segment &right) {
      return left.span.begin < right.span.begin;
    });
  }
  return llmc_ok_status();
}

llmc_status Tokenizer::encodeChat(const llmc_chat_message *messages, size_t count, uint32_t flags,
                                  std::vector<int32_t> &ids) const {
  jinja::Text text;
  LLMC_RETURN_IF_ERROR(chatTemplate.render(messages, count, flags, text));
  BorrowedScratch borrowed(*this);
  return encodeMarked(text, *borrowed, ids);
}

void Tokenizer::addAnswerEnd(std::vector<int32_t> &ids) const {
  // What the template writes after an answer, which is the last that is marked.
  llmc_chat_message messages[] = {{"user", "a", 1}, {"assistant", "b", 1}};
  jinja::Text text;
  llmc_status status = chatTemplate.render(messages, 2, 0, text);
  if (!llmc_status_ok(&status) || !text.hasMarks())
    return;
  size_t end = text.getMarks().back().end;
  for (size_t next = end; next < text.size(); end = next)
    if (!isWhitespace(nextCharacter(text.str(), next)))
      break;
  std::vector<int32_t> after;
  BorrowedScratch borrowed(*this);
  status = encodeMarked(text.slice(end, text.size()), *borrowed, after);
  if (!llmc_status_ok(&status) || after.empty() || !isSpecial(after.front()))
    return;
  if (std::find(ids.begin(), ids.end(), after.front()) == ids.end())
    ids.push_back(after.front());
}

} // namespace llmc::tokenizer
