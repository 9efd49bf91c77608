//===- Tokenizer.cpp - the parts of a tokenizer put together --------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loads a tokenizer and runs text through its parts.
//
//===----------------------------------------------------------------------===//

#include "Tokenizer.h"

#include "ControlTokens.h"
#include "Unicode.h"

#include <algorithm>

namespace llmc::tokenizer {

Tokenizer::BorrowedScratch::BorrowedScratch(const Tokenizer &owner) : owner(owner) {
  {
    std::lock_guard<std::mutex> lock(owner.poolMutex);
    if (!owner.pool.empty()) {
      scratch = std::move(owner.pool.back());
      owner.pool.pop_back();
    }
  }
  if (!scratch)
    scratch = std::make_unique<Scratch>();
}

Tokenizer::BorrowedScratch::~BorrowedScratch() {
  std::lock_guard<std::mutex> lock(owner.poolMutex);
  // Never allocates here; where there is no room, losing the scratch costs only time.
  if (owner.pool.size() < owner.pool.capacity())
    owner.pool.push_back(std::move(scratch));
}

static std::string_view view(const llmc_tokenizer_file &file) {
  return {file.data ? file.data : "", file.size};
}

llmc_status Tokenizer::load(const llmc_tokenizer_files &files) {
  // As many as there may be threads worth keeping a word cache for.
  pool.reserve(64);
  TokenizerDocument document;
  LLMC_RETURN_IF_ERROR(llmc_annotate_status(parseTokenizerDocument(view(files.tokenizer), document),
                                            "tokenizer.json"));
  LLMC_RETURN_IF_ERROR(
      llmc_annotate_status(loadParts(JsonView(document.tree, ""), document), "tokenizer.json"));
  if (files.tokenizer_config.size > 0)
    LLMC_RETURN_IF_ERROR(
        llmc_annotate_status(config.parse(view(files.tokenizer_config)), "tokenizer_config.json"));
  if (files.generation_config.size > 0)
    LLMC_RETURN_IF_ERROR(llmc_annotate_status(config.parseEndTokens(view(files.generation_config)),
                                              "generation_config.json"));
  if (files.model_config.size > 0)
    LLMC_RETURN_IF_ERROR(
        llmc_annotate_status(config.parseEndTokens(view(files.model_config)), "config.json"));
  if (files.chat_template.size > 0)
    LLMC_RETURN_IF_ERROR(
        llmc_annotate_status(config.parseTemplate(view(files.chat_template)), "chat template"));
  withholdControlTokens(addedTokens, postProcessor, config, *model);
  chatTemplate.load(config);
  return llmc_ok_status();
}

llmc_status Tokenizer::loadParts(const JsonView &root, TokenizerDocument &document) {
  LLMC_RETURN_IF_ERROR(
      root.expectMembers({"version", "truncation", "padding", "added_tokens", "normalizer",
                          "pre_tokenizer", "post_processor", "decoder", "model"}));
  if (root.has("version")) {
    std::string version;
    LLMC_RETURN_IF_ERROR(root.member("version").readString(version));
    if (version != "1.0")
      return root.member("version").unsupportedKind("file", version);
  }
  // Both are about texts in batches: a single one stays as it is.
  for (const char *name : {"truncation", "padding"})
    if (!root.member(name).isNull())
      LLMC_RETURN_IF_ERROR(root.member(name).expectObject());
  LLMC_RETURN_IF_ERROR(Model::parse(root.member("model"), document, model));
  LLMC_RETURN_IF_ERROR(Normalizer::parse(root.member("normalizer"), normalizer));
  LLMC_RETURN_IF_ERROR(PreTokenizer::parse(root.member("pre_tokenizer"), preTokenizer));
  RegexScratch scratch;
  LLMC_RETURN_IF_ERROR(
      addedTokens.parse(root.member("added_tokens"), *model, normalizer.get(), scratch));
  LLMC_RETURN_IF_ERROR(postProcessor.parse(root.member("post_processor"),
                                           [this](int32_t id) { return name(id) != nullptr; }));
  return decoder.parse(root.member("decoder"));
}

llmc_status Tokenizer::encodePiece(std::string_view piece, bool beginsInput, bool plainText,
                                   Scratch &scratch, std::vector<int32_t> &ids) const {
  TrackedText text = TrackedText::begin(piece, beginsInput);
  if (normalizer)
    LLMC_RETURN_IF_ERROR(normalizer->apply(text, scratch.split.regex));
  std::vector<Segment> &segments = scratch.innerSegments;
  LLMC_RETURN_IF_ERROR(addedTokens.split(text.text, AddedTokens::Stage::AfterNormalizer, plainText,
                                         scratch.split.regex, segments));
  for (const Segment &segment : segments) {
    if (segment.id >= 0) {
      ids.push_back(segment.id);
      continue;
    }
    SplitText &split = scratch.splitText;
    const Span &span = segment.span;
    split.text.text.assign(text.text, span.begin, span.size());
    split.text.limit = text.limit;
    split.text.tracked =
        text.tracked > span.begin ? std::min(text.tracked - span.begin, span.size()) : 0;
    split.words.assign(1, {0, span.size()});
    if (preTokenizer)
      LLMC_RETURN_IF_ERROR(preTokenizer->apply(split, scratch.split));
    for (const Span &word : split.words)
      LLMC_RETURN_IF_ERROR(model->encode(split.word(word), plainText, scratch.model, ids));
  }
  return llmc_ok_status();
}

llmc_status Tokenizer::encodeText(std::string_view text, bool beginsInput, bool plainText,
                                  Scratch &scratch, std::vector<int32_t> &ids) const {
  if (text.size() > maximumTextSize)
    return llmc_make_status(LLMC_UNSUPPORTED, "expected a text of at most %zu bytes, found %zu",
                            maximumTextSize, text.size());
  size_t invalid = findInvalidUtf8(text);
  if (invalid != text.size())
    return llmc_make_status(LLMC_INVALID_ARGUMENT,
                            "expected text in UTF-8, found something else at byte %zu", invalid);
  LLMC_RETURN_IF_ERROR(addedTokens.split(text, AddedTokens::Stage::BeforeNormalizer, plainText,
                                         scratch.split.regex, scratch.segments));
  for (const Segment &segment : scratch.segments) {
    if (segment.id >= 0) {
      ids.push_back(segment.id);
      continue;
    }
    LLMC_RETURN_IF_ERROR(encodePiece(text.substr(segment.span.begin, segment.span.size()),
                                     beginsInput && segment.span.begin == 0, plainText, scratch,
                                     ids));
  }
  return llmc_ok_status();
}

llmc_status Tokenizer::encode(std::string_view text, uint32_t flags,
                              std::vector<int32_t> &ids) const {
  if (flags & ~uint32_t(LLMC_ENCODE_ADD_SPECIAL | LLMC_ENCODE_PLAIN_TEXT))
    return llmc_make_status(LLMC_INVALID_ARGUMENT, "unknown flags for encoding: %#x", flags);
  BorrowedScratch borrowed(*this);
  Scratch &scratch = *borrowed;
  scratch.ids.clear();
  LLMC_RETURN_IF_ERROR(
      encodeText(text, true, (flags & LLMC_ENCODE_PLAIN_TEXT) != 0, scratch, scratch.ids));
  postProcessor.apply(scratch.ids, (flags & LLMC_ENCODE_ADD_SPECIAL) != 0, ids);
  if (!(flags & LLMC_ENCODE_ADD_SPECIAL))
    return llmc_ok_status();
  // The configuration may ask for a token that the post-processor does not add.
  std::vector<int32_t> begin = beginTokens();
  if (ids.size() < begin.size() || !std::equal(begin.begin(), begin.end(), ids.begin()))
    ids.insert(ids.begin(), begin.begin(), begin.end());
  return llmc_ok_status();
}

std::vector<int32_t> Tokenizer::beginTokens() const {
  // What the post-processor puts before something that is no token.
  constexpr int32_t text = -1;
  std::vector<int32_t> ids;
  postProcessor.apply({text}, /*addSpecial=*/true, ids);
  ids.erase(std::find(ids.begin(), ids.end(), text), ids.end());
  int32_t begin;
  if (ids.empty() && config.addsBeginToken) {
    llmc_status status = roleToken(LLMC_TOKEN_BEGIN_OF_TEXT, begin);
    if (llmc_status_ok(&status))
      ids.push_back(begin);
  }
  return ids;
}

std::vector<int32_t> Tokenizer::endTokens() const {
  std::vector<int32_t> ids = config.endTokens;
  int32_t id;
  llmc_status status = roleToken(LLMC_TOKEN_END_OF_TEXT, id);
  if (llmc_status_ok(&status) && std::find(ids.begin(), ids.end(), id) == ids.end())
    ids.push_back(id);
  addAnswerEnd(ids);
  return ids;
}

llmc_status Tokenizer::decode(int32_t id, uint32_t flags, DecodeChain &chain) const {
  const AddedToken *added = addedTokens.find(id);
  const std::string *text = added ? &added->pattern : model->getVocabulary().name(id);
  if (!text)
    return llmc_make_status(LLMC_OUT_OF_RANGE, "the vocabulary has no token %d", id);
  if ((flags & LLMC_DECODE_SKIP_SPECIAL) && addedTokens.isSpecialContent(*text))
    return llmc_ok_status();
  return chain.token(*text);
}

int32_t Tokenizer::find(std::string_view name) const {
  const AddedToken *added = addedTokens.find(name);
  return added ? added->id : model->getVocabulary().find(name);
}

const std::string *Tokenizer::name(int32_t id) const {
  const AddedToken *added = addedTokens.find(id);
  return added ? &added->content : model->getVocabulary().name(id);
}

bool Tokenizer::isSpecial(int32_t id) const {
  const AddedToken *added = addedTokens.find(id);
  return added && added->special;
}

llmc_status Tokenizer::roleToken(int role, int32_t &id) const {
  if (role < 0 || static_cast<size_t>(role) >= TokenizerConfig::roleCount)
    return llmc_make_status(LLMC_INVALID_ARGUMENT, "unknown role of a token: %d", role);
  const char *roleName = TokenizerConfig::roleNames[static_cast<size_t>(role)];
  const std::optional<std::string> &token = config.roles[static_cast<size_t>(role)];
  if (!token)
    return llmc_make_status(LLMC_NOT_FOUND, "the tokenizer's configuration has no '%s'", roleName);
  id = find(*token);
  if (id < 0)
    return llmc_make_status(LLMC_NOT_FOUND, "the vocabulary has no '%.100s', which is '%s'",
                            token->c_str(), roleName);
  return llmc_ok_status();
}

size_t Tokenizer::vocabularySize() const {
  return std::max(model->getVocabulary().idLimit(), addedTokens.idLimit());
}

} // namespace llmc::tokenizer
