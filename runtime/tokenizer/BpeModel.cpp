//===- BpeModel.cpp - byte pair encoding of one word ----------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads a BPE model and merges the characters of words with it.
//
//===----------------------------------------------------------------------===//

#include "BpeModel.h"

#include "ByteTokens.h"
#include "Unicode.h"

#include <algorithm>

namespace llmc::tokenizer {

namespace {

/// Reads a string that may be null or missing.
llmc_status readText(const JsonView &json, std::string &text, bool &present) {
  present = !json.isNull();
  return present ? json.readString(text) : llmc_ok_status();
}

/// Reads a boolean that may be null or missing.
llmc_status readFlag(const JsonView &json, bool &flag) {
  return json.isNull() ? llmc_ok_status() : json.readBool(flag);
}

} // namespace

llmc_status BpeModel::read(const JsonView &json, TokenizerDocument &document) {
  LLMC_RETURN_IF_ERROR(json.expectMembers(
      {"type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix",
       "fuse_unk", "byte_fallback", "ignore_merges", "vocab", "merges"}));
  LLMC_RETURN_IF_ERROR(readOptions(json));
  LLMC_RETURN_IF_ERROR(readVocabulary(json, document));
  if (!document.hasMerges)
    return json.member("merges").corrupt("expected an array");
  byteIds = findByteTokens(vocabulary);
  // Missing, it is an error only where text needs it.
  unknownId = hasUnknownToken ? vocabulary.find(unknownToken) : -1;
  return buildMerges(document.merges);
}

llmc_status BpeModel::readOptions(const JsonView &json) {
  // The chance that training leaves a merge out; a text that is read has all of them.
  double dropout;
  if (!json.member("dropout").isNull())
    LLMC_RETURN_IF_ERROR(json.member("dropout").readNumber(dropout, 0, 1));
  bool hasAffix;
  LLMC_RETURN_IF_ERROR(readText(json.member("unk_token"), unknownToken, hasUnknownToken));
  LLMC_RETURN_IF_ERROR(readText(json.member("continuing_subword_prefix"), prefix, hasAffix));
  LLMC_RETURN_IF_ERROR(readText(json.member("end_of_word_suffix"), suffix, hasAffix));
  LLMC_RETURN_IF_ERROR(readFlag(json.member("fuse_unk"), fuseUnknown));
  LLMC_RETURN_IF_ERROR(readFlag(json.member("byte_fallback"), byteFallback));
  return readFlag(json.member("ignore_merges"), ignoreMerges);
}

llmc_status BpeModel::buildMerges(const std::vector<MergeEntry> &merges) {
  mergeTable.reserve(merges.size());
  joinedCharacters.reserve(merges.size());
  std::string merged;
  for (size_t rank = 0; rank < merges.size(); ++rank) {
    const MergeEntry &entry = merges[rank];
    auto fail = [&](const char *what, const std::string &token) {
      return llmc_make_status(LLMC_CORRUPT, "model.merges[%zu]: %s '%.100s' %s", rank, what,
                              token.c_str(), "is not in model.vocab");
    };
    int32_t left = vocabulary.find(entry.left);
    if (left < 0)
      return fail("token", entry.left);
    int32_t right = vocabulary.find(entry.right);
    if (right < 0)
      return fail("token", entry.right);
    if (entry.right.size() < prefix.size())
      return llmc_make_status(LLMC_CORRUPT,
                              "model.merges[%zu]: token '%.100s' is shorter than "
                              "'continuing_subword_prefix'",
                              rank, entry.right.c_str());
    merged = entry.left;
    merged.append(entry.right, prefix.size());
    int32_t id = vocabulary.find(merged);
    if (id < 0)
      return fail("merged token", merged);
    mergeTable.insert(left, right, {static_cast<uint32_t>(rank), id});
    if (entry.left.empty() || entry.right.empty())
      return llmc_make_status(LLMC_CORRUPT, "model.merges[%zu]: a token with no text", rank);
    size_t position = 0;
    joinedCharacters.insert(static_cast<int32_t>(previousCharacter(entry.left, entry.left.size())),
                            static_cast<int32_t>(nextCharacter(entry.right, position)), {0, 0});
  }
  return llmc_ok_status();
}

const Merge *BpeModel::findMerge(int32_t left, int32_t right, bool plainText) const {
  const Merge *merge = mergeTable.find(left, right);
  return merge && plainText && isControl(merge->id) ? nullptr : merge;
}

llmc_status BpeModel::splitCharacters(std::string_view word, bool plainText,
                                      ModelScratch &scratch) const {
  std::vector<ModelScratch::Symbol> &symbols = scratch.symbols;
  symbols.clear();
  auto add = [&](int32_t id) {
    auto index = static_cast<int32_t>(symbols.size());
    symbols.push_back({id, index - 1, index + 1});
  };
  bool pendingUnknown = false;
  for (size_t begin = 0; begin < word.size();) {
    size_t end = begin + characterSize(word, begin);
    std::string_view text = word.substr(begin, end - begin);
    bool hasPrefix = begin > 0 && !prefix.empty();
    bool hasSuffix = end == word.size() && !suffix.empty();
    if (hasPrefix || hasSuffix) {
      scratch.character.assign(hasPrefix ? prefix : "");
      scratch.character += text;
      scratch.character += hasSuffix ? suffix : "";
      text = scratch.character;
    }
    begin = end;

    int32_t id = findFor(text, plainText);
    if (id >= 0) {
      if (pendingUnknown)
        add(unknownId);
      pendingUnknown = false;
      add(id);
      continue;
    }
    if (byteFallback && std::all_of(text.begin(), text.end(), [&](char byte) {
          return byteIds[static_cast<unsigned char>(byte)] >= 0;
        })) {
      // An unknown token that waits stays behind these, as in the reference.
      for (char byte : text)
        add(byteIds[static_cast<unsigned char>(byte)]);
      continue;
    }
    if (!hasUnknownToken)
      continue; // The reference drops such characters, too.
    if (unknownId < 0)
      return llmc_make_status(LLMC_CORRUPT,
                              "model.unk_token: '%.100s' is not in model.vocab, and text needs it",
                              unknownToken.c_str());
    if (pendingUnknown && !fuseUnknown)
      add(unknownId);
    pendingUnknown = true;
  }
  if (pendingUnknown)
    add(unknownId);
  if (!symbols.empty())
    symbols.back().next = -1;
  return llmc_ok_status();
}

void BpeModel::mergeSymbols(bool plainText, ModelScratch &scratch) const {
  std::vector<ModelScratch::Symbol> &symbols = scratch.symbols;
  std::vector<ModelScratch::Candidate> &heap = scratch.candidates;
  // The lowest rank comes first, and of equal ones the leftmost.
  auto isLater = [](const ModelScratch::Candidate &a, const ModelScratch::Candidate &b) {
    return a.rank != b.rank ? a.rank > b.rank : a.position > b.position;
  };
  auto symbol = [&](int32_t position) -> ModelScratch::Symbol & {
    return symbols[static_cast<size_t>(position)];
  };
  heap.clear();
  for (size_t i = 0; i + 1 < symbols.size(); ++i)
    if (const Merge *merge = findMerge(symbols[i].id, symbols[i + 1].id, plainText))
      heap.push_back({merge->rank, static_cast<int32_t>(i), merge->id});
  std::make_heap(heap.begin(), heap.end(), isLater);
  auto push = [&](int32_t left, int32_t right) {
    if (const Merge *merge = findMerge(symbol(left).id, symbol(right).id, plainText)) {
      heap.push_back({merge->rank, left, merge->id});
      std::push_heap(heap.begin(), heap.end(), isLater);
    }
  };

  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), isLater);
    ModelScratch::Candidate top = heap.back();
    heap.pop_back();
    ModelScratch::Symbol &left = symbol(top.position);
    if (left.id < 0 || left.next < 0)
      continue;
    ModelScratch::Symbol &right = symbol(left.next);
    // Both may have changed since; what counts is that they still become the same token.
    const Merge *merge = findMerge(left.id, right.id, plainText);
    if (!merge || merge->id != top.id)
      continue;
    left.id = top.id;
    left.next = right.next;
    right.id = -1;
    if (left.next >= 0)
      symbol(left.next).previous = top.position;
    if (left.previous >= 0)
      push(left.previous, top.position);
    if (left.next >= 0)
      push(top.position, left.next);
  }
}

/// Finds the end of the part of a word that begins at `begin` and can be encoded on its own:
/// between two characters that are tokens, and that no merge ever brings together. Any token across
/// that place would have been made by such a merge.
size_t BpeModel::findCut(std::string_view word, size_t begin, bool plainText) const {
  char32_t previous = 0;
  bool previousIsToken = false;
  for (size_t position = begin; position < word.size();) {
    size_t at = position;
    char32_t character = nextCharacter(word, position);
    bool isToken = findFor(word.substr(at, position - at), plainText) >= 0;
    if (at > begin && isToken && previousIsToken &&
        !joinedCharacters.find(static_cast<int32_t>(previous), static_cast<int32_t>(character)))
      return at;
    previous = character;
    previousIsToken = isToken;
  }
  return word.size();
}

llmc_status BpeModel::encode(std::string_view word, bool plainText, ModelScratch &scratch,
                             std::vector<int32_t> &result) const {
  if (ignoreMerges) {
    int32_t id = findFor(word, plainText);
    if (id >= 0) {
      result.push_back(id);
      return llmc_ok_status();
    }
  }
  // Some models have no pre-tokenizer, and their words are whole texts.
  if (word.size() <= WordCache::maximumWord || !prefix.empty() || !suffix.empty())
    return encodePart(word, plainText, scratch, result);
  for (size_t begin = 0; begin < word.size();) {
    size_t end = findCut(word, begin, plainText);
    LLMC_RETURN_IF_ERROR(encodePart(word.substr(begin, end - begin), plainText, scratch, result));
    begin = end;
  }
  return llmc_ok_status();
}

llmc_status BpeModel::encodePart(std::string_view word, bool plainText, ModelScratch &scratch,
                                 std::vector<int32_t> &result) const {
  WordCache &cache = scratch.caches[plainText];
  if (cache.find(word, result))
    return llmc_ok_status();
  LLMC_RETURN_IF_ERROR(splitCharacters(word, plainText, scratch));
  mergeSymbols(plainText, scratch);
  size_t begin = result.size();
  for (const ModelScratch::Symbol &symbol : scratch.symbols)
    if (symbol.id >= 0)
      result.push_back(symbol.id);
  cache.insert(word, result.data() + begin, result.size() - begin);
  return llmc_ok_status();
}

} // namespace llmc::tokenizer
