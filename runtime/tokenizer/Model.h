//===- Model.h - how words become ids ------------------------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares the `model` section of tokenizer.json: what all kinds of models have in common.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_MODEL_H
#define LLMC_RUNTIME_TOKENIZER_MODEL_H

#include "Json.h"
#include "Vocabulary.h"
#include "WordCache.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace llmc::tokenizer {

/// What encoding a word needs to write to: one for each thread.
struct ModelScratch {
  /// A token of the word under way; those that were merged into their left neighbour have id -1.
  struct Symbol {
    int32_t id;
    int32_t previous;
    int32_t next;
  };
  /// A merge to try: of the symbol at `position` with the next one.
  struct Candidate {
    uint32_t rank;
    int32_t position;
    int32_t id;
  };
  /// The best way to a place in a text: its last token, where that begins, and the score.
  struct PathNode {
    double score;
    uint32_t begin;
    int32_t id;
  };
  /// A token of a path.
  struct Piece {
    size_t begin;
    size_t end;
    int32_t id;
  };

  std::vector<Symbol> symbols;
  std::vector<Candidate> candidates;
  std::vector<PathNode> path;
  std::vector<Piece> pieces;
  std::string character;
  /// For words of text that may become control tokens (0), and for those of plain text (1).
  WordCache caches[2];
};

/// Never changes after it is loaded.
class Model {
public:
  virtual ~Model() = default;

  /// Reads the model; its tables are in `document`.
  static llmc_status parse(const JsonView &json, TokenizerDocument &document,
                           std::unique_ptr<Model> &model);

  /// Appends the ids of a word, which is not empty. In plain text no control token is found: the
  /// word is encoded as if the vocabulary had none.
  virtual llmc_status encode(std::string_view word, bool plainText, ModelScratch &scratch,
                             std::vector<int32_t> &ids) const = 0;

  const Vocabulary &getVocabulary() const { return vocabulary; }

  /// Names a token of the vocabulary that plain text must never become.
  void addControlToken(int32_t id);

protected:
  /// Reads the members that are the kind's own.
  virtual llmc_status read(const JsonView &json, TokenizerDocument &document) = 0;
  /// Reads the vocabulary that is an object of ids.
  llmc_status readVocabulary(const JsonView &json, TokenizerDocument &document);
  /// Looks a token up for text.
  int32_t findFor(std::string_view token, bool plainText) const {
    int32_t id = vocabulary.find(token);
    return plainText && id >= 0 && isControl(id) ? -1 : id;
  }
  bool isControl(int32_t id) const {
    return static_cast<size_t>(id) < control.size() && control[static_cast<size_t>(id)];
  }

  Vocabulary vocabulary;

private:
  std::vector<bool> control;
};

} // namespace llmc::tokenizer

#endif // LLMC_RUNTIME_TOKENIZER_MODEL_H
