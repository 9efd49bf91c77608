//===- UnigramModel.cpp - text as its most likely tokens -----------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads a Unigram model (Kudo, arXiv:1804.10959) and finds the best path through a text.
//
//===----------------------------------------------------------------------===//

#include "UnigramModel.h"

#include "ByteTokens.h"
#include "Unicode.h"

#include <algorithm>

namespace llmc::tokenizer {

/// How much less than the least likely token an unknown character scores.
static constexpr double unknownPenalty = 10.0;

llmc_status UnigramModel::read(const JsonView &json, TokenizerDocument &document) {
  LLMC_RETURN_IF_ERROR(json.expectMembers({"type", "unk_id", "vocab", "byte_fallback"}));
  if (!document.hasScores)
    return json.member("vocab").corrupt("expected an array of tokens and scores");
  LLMC_RETURN_IF_ERROR(json.readOptionalBool("byte_fallback", byteFallback));
  std::vector<ScoredEntry> &entries = document.scores;
  JsonView unknown = json.member("unk_id");
  if (!unknown.isNull()) {
    uint32_t id;
    LLMC_RETURN_IF_ERROR(unknown.readUnsigned(id, maximumTokenId));
    if (id >= entries.size())
      return unknown.corrupt("expected an id below " + std::to_string(entries.size()) +
                             ", the size of the vocabulary, found " + std::to_string(id));
    unknownId = static_cast<int32_t>(id);
  }
  double least = 0;
  scores.reserve(entries.size());
  for (const ScoredEntry &entry : entries) {
    least = scores.empty() ? entry.score : std::min(least, entry.score);
    scores.push_back(entry.score);
  }
  unknownScore = least - unknownPenalty;
  vocabulary.build(entries);
  std::vector<PrefixTree::Entry> pieces;
  pieces.reserve(vocabulary.size());
  vocabulary.forEach([&](std::string_view token, int32_t id) { pieces.push_back({token, id}); });
  tree.build(std::move(pieces));
  byteIds = findByteTokens(vocabulary);
  return llmc_ok_status();
}

llmc_status UnigramModel::missingUnknown() const {
  return llmc_make_status(LLMC_CORRUPT, "model.unk_id: expected an id, found nothing, and text "
                                        "needs it");
}

/// Finds the best path from left to right. Whatever no token reaches across is done with as soon as
/// it is passed, so that a long text takes no more memory than its longest run of overlapping
/// tokens.
class UnigramModel::Search {
public:
  Search(const UnigramModel &model, std::string_view text, bool plainText, ModelScratch &scratch,
         std::vector<int32_t> &ids)
      : model(model), text(text), plainText(plainText), path(scratch.path), pieces(scratch.pieces),
        ids(ids) {}

  llmc_status run() {
    path.assign(1, {0, 0, -1});
    for (size_t begin = 0; begin < text.size();) {
      if (begin == reach && begin > base)
        LLMC_RETURN_IF_ERROR(takePath());
      size_t characterEnd = begin + characterSize(text, begin);
      double score = path[begin - base].score;
      bool isCharacterToken = false;
      model.tree.forEachPrefix(text, begin, [&](size_t end, int32_t id) {
        if (plainText && model.isControl(id))
          return;
        offer(begin, end, score + model.scores[static_cast<size_t>(id)], id);
        isCharacterToken |= end == characterEnd;
      });
      if (!isCharacterToken) {
        if (model.unknownId < 0)
          return model.missingUnknown();
        offer(begin, characterEnd, score + model.unknownScore, model.unknownId);
      }
      begin = characterEnd;
    }
    LLMC_RETURN_IF_ERROR(takePath());
    return endUnknown(text.size());
  }

private:
  void offer(size_t begin, size_t end, double score, int32_t id) {
    if (path.size() <= end - base)
      path.resize(end - base + 1, {0, 0, -1});
    reach = std::max(reach, end);
    ModelScratch::PathNode &node = path[end - base];
    // Of equal paths the first is kept.
    if (node.id < 0 || score > node.score)
      node = {score, static_cast<uint32_t>(begin - base), id};
  }

  /// Hands out the tokens from `base` to `reach`, and goes on from there.
  llmc_status takePath() {
    pieces.clear();
    for (size_t end = reach; end > base;) {
      const ModelScratch::PathNode &node = path[end - base];
      pieces.push_back({base + node.begin, end, node.id});
      end = base + node.begin;
    }
    std::reverse(pieces.begin(), pieces.end());
    for (const ModelScratch::Piece &piece : pieces)
      LLMC_RETURN_IF_ERROR(takePiece(piece));
    // The score goes on: begun anew, its rounding would be another.
    double score = path[reach - base].score;
    base = reach;
    path.assign(1, {score, 0, -1});
    return llmc_ok_status();
  }

  /// Unknown characters that follow each other are one.
  llmc_status takePiece(const ModelScratch::Piece &piece) {
    if (piece.id == model.unknownId) {
      if (!hasUnknown)
        unknownBegin = piece.begin;
      hasUnknown = true;
      return llmc_ok_status();
    }
    LLMC_RETURN_IF_ERROR(endUnknown(piece.begin));
    return model.addPiece(text.substr(piece.begin, piece.end - piece.begin), plainText, ids);
  }

  llmc_status endUnknown(size_t end) {
    if (!hasUnknown)
      return llmc_ok_status();
    hasUnknown = false;
    return model.addPiece(text.substr(unknownBegin, end - unknownBegin), plainText, ids);
  }

  const UnigramModel &model;
  std::string_view text;
  bool plainText;
  /// The best ways to the places from `base` on.
  std::vector<ModelScratch::PathNode> &path;
  std::vector<ModelScratch::Piece> &pieces;
  std::vector<int32_t> &ids;
  size_t base = 0;
  /// The furthest place that a token from before ends at.
  size_t reach = 0;
  bool hasUnknown = false;
  size_t unknownBegin = 0;
};

llmc_status UnigramModel::addPiece(std::string_view piece, bool plainText,
                                   std::vector<int32_t> &ids) const {
  int32_t id = findFor(piece, plainText);
  if (id < 0 && byteFallback &&
      std::all_of(
          piece.begin(), piece.end(),
          [&](char byte) { return byteIds[static_cast<unsigned char>(byte)] >= 0; })) {
    for (char byte : piece)
      ids.push_back(byteIds[static_cast<unsigned char>(byte)]);
    return llmc_ok_status();
  }
  if (id < 0)
    id = unknownId;
  if (id < 0)
    return missingUnknown();
  ids.push_back(id);
  return llmc_ok_status();
}

llmc_status UnigramModel::encode(std::string_view word, bool plainText, ModelScratch &scratch,
                                 std::vector<int32_t> &ids) const {
  WordCache &cache = scratch.caches[plainText];
  if (cache.find(word, ids))
    return llmc_ok_status();
  size_t first = ids.size();
  LLMC_RETURN_IF_ERROR(Search(*this, word, plainText, scratch, ids).run());
  cache.insert(word, ids.data() + first, ids.size() - first);
  return llmc_ok_status();
}

} // namespace llmc::tokenizer
