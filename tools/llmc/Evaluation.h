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

/// A text cut into windows of `context` tokens that do not overlap; every token of a window but the
/// first is predicted from those before it in the window.
struct TextOptions {
  std::string path;
  size_t context = 0; ///< 0: 1024, or the model's context where that is shorter
  size_t windows = 0; ///< at most so many; 0 reads all

  /// Declares --text, --context and --windows.
  CLI::Option *declare(CLI::App &command);
};

/// What evaluateText measures, as JSON objects.
struct Evaluation {
  nlohmann::ordered_json model;      ///< perplexity, nll_per_token, bits_per_byte, tokens, windows
  nlohmann::ordered_json reference;  ///< the same of the reference
  nlohmann::ordered_json comparison; ///< kl_mean, kl_p99, top1_agreement
};

/// Runs the text through `model` and, unless it is null, `reference`. Throws std::runtime_error.
Evaluation evaluateText(const Model &model, const Model *reference, const TextOptions &options);

} // namespace llmc::driver

#endif // LLMC_TOOLS_EVALUATION_H
