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

#include <cstdint>
#include <functional>
#include <vector>

namespace llmc::tokenizer {

/// What stands around the ids of a single text; pairs of texts are not made.
class PostProcessor {
public:
  PostProcessor();

  /// Reads a post-processor; null leaves the ids as they are. `isToken` says which ids exist.
  llmc_status parse(const JsonView &json, const std::function<bool(int32_t)> &isToken);

  /// Appends what becomes of a text's ids.
  void apply(const std::vector<int32_t> &text, bool addSpecial, std::vector<int32_t> &result) const;

  /// Calls `take` for each token that may be put around a text.
  void forEachToken(const std::function<void(int32_t)> &take) const;

private:
  /// The text, or special tokens.
  struct Piece {
    bool isText;
    std::vector<int32_t> ids;
  };
  /// A sequence of ids, as pieces that follow each other.
  using Sequence = std::vector<Piece>;
  /// Which pieces a template has: a sequence that it is given (0 or 1), or (-1) special tokens.
  struct TemplatePiece {
    int sequence;
    std::vector<int32_t> ids;
  };

  llmc_status addTemplate(const JsonView &json, const std::function<bool(int32_t)> &isToken);
  llmc_status readTemplate(const JsonView &list, const JsonView &tokens, bool isPair,
                           const std::function<bool(int32_t)> &isToken,
                           std::vector<TemplatePiece> &result) const;
  llmc_status addClassifier(const JsonView &json, bool isRoberta,
                            const std::function<bool(int32_t)> &isToken);

  /// What the processors that were read make of a text with and without special tokens. A template
  /// makes several sequences of one, which a processor after it is given.
  std::vector<Sequence> withSpecial;
  std::vector<Sequence> withoutSpecial;
};

} // namespace llmc::tokenizer

#endif // LLMC_RUNTIME_TOKENIZER_POSTPROCESSOR_H
