//===- Evaluation.h - how well programs predict a text ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TOOLS_EVALUATION_H
#define LLMC_TOOLS_EVALUATION_H

#include "Model.h"

#include <nlohmann/json.hpp>
#include <string>

namespace llmc::driver {

/// A text cut into windows of at most `context` tokens that do not overlap. Where the model's texts
/// begin with tokens of their own, each window begins with these, and every token of the text is
/// predicted from those before it in its window; else every one but the first.
struct TextOptions {
  std::string path;
  size_t context = 0; ///< 0: 1024, or the model's context where that is shorter
  size_t windows = 0; ///< at most so many; 0 reads all
  /// Whether windows begin with such tokens: "auto" (where the tokenizer adds them), "on" or "off".
  std::string bos = "auto";

  /// Declares --text, --context, --windows and --bos.
  CLI::Option *declare(CLI::App &command);
};

/// What evaluateText measures, as JSON objects.
struct Evaluation {
  nlohmann::ordered_json model; ///< perplexity, nll_per_token, bits_per_byte, tokens, windows, bos
  nlohmann::ordered_json reference;  ///< the same of the reference
  nlohmann::ordered_json comparison; ///< kl_mean, kl_p99, top1_agreement
};

/// Runs the text through `model` and, unless it is null, `reference`. Throws std::runtime_error.
Evaluation evaluateText(const Model &model, const Model *reference, const TextOptions &options);

} // namespace llmc::driver

#endif // LLMC_TOOLS_EVALUATION_H
