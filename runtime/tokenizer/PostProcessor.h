//===- PostProcessor.h - the special tokens around a text -----------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares the `post_processor` section of tokenizer.json.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_POSTPROCESSOR_H
#define LLMC_RUNTIME_TOKENIZER_POSTPROCESSOR_H

#include "Json.h"

#include <functional>
#include <vector>

namespace llmc::tokenizer {

/// What stands around the ids of a single text; pairs of texts are not made.
class PostProcessor {
public:
  /// Reads a post-processor; null leaves the ids as they are. `isToken` says which ids exist.
  llmc_status parse(const JsonView &json, const std::function<bool(int32_t)> &isToken);

  /// Appends what becomes of a text's ids.
  void apply(const std::vector<int32_t> &text, bool addSpecial, std::vector<int32_t> &result) const;

private:
  /// The text, or special tokens.
  struct Piece {
    bool isText;
    std::vector<int32_t> ids;
  };

  llmc_status parseTemplate(const JsonView &json, const std::function<bool(int32_t)> &isToken);
  llmc_status parsePieces(const JsonView &list, const JsonView &tokens, bool isPair,
                          const std::function<bool(int32_t)> &isToken, std::vector<Piece> &result);
  llmc_status parseClassifier(const JsonView &json, const std::function<bool(int32_t)> &isToken);

  /// Empty stands for the text alone.
  std::vector<Piece> pieces;
  bool isIdentity = true;
};

} // namespace llmc::tokenizer

#endif // LLMC_RUNTIME_TOKENIZER_POSTPROCESSOR_H
