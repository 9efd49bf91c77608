//===- LogitsCommand.cpp - logits of given tokens, for checking against anything ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"
#include "Model.h"
#include "Npy.h"
#include "Numbers.h"
#include "Progress.h"

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <utility>

namespace llmc::driver {

namespace {

struct LogitsOptions {
  ModelOptions model;
  std::string tokens, output;
  size_t prefill = 0;
};

/// Refuses to write over what the logits are computed from.
void checkOutput(const LogitsOptions &options) {
  for (const auto &[path, what] :
       {std::pair(options.model.path, "the model"), std::pair(options.tokens, "the tokens")}) {
    std::error_code missing;
    if (std::filesystem::equivalent(options.output, path, missing))
      throw std::runtime_error("expected another output than '" + options.output + "', which has " +
                               what);
  }
}

void runLogits(const LogitsOptions &options) {
  checkOutput(options);
  Model model(options.model);
  std::vector<int32_t> tokens = readTokens(options.tokens);
  if (tokens.empty())
    throw std::runtime_error("'" + options.tokens + "': expected at least one token");
  size_t prefill = options.prefill == 0 ? tokens.size() : options.prefill;
  if (prefill > tokens.size())
    throw std::runtime_error("expected --prefill of at most " + std::to_string(tokens.size()) +
                             " tokens, found " + std::to_string(prefill));
  llmc_model_info info = model.getInfo();
  if (tokens.size() > info.context)
    throw std::runtime_error("expected at most " + std::to_string(info.context) +
                             " tokens (the model's context), found " +
                             std::to_string(tokens.size()));
  Session session(model);
  NpyWriter writer(options.output, tokens.size(), info.vocabulary);
  std::span<const int32_t> all(tokens);
  Progress progress("logits", tokens.size());
  // In pieces of a step each: the logits of a long prefill would take hundreds of megabytes.
  std::vector<float> logits(std::min<size_t>(prefill, info.max_rows) * info.vocabulary);
  for (size_t done = 0; done < tokens.size();) {
    size_t count = done < prefill ? std::min<size_t>(prefill - done, info.max_rows) : 1;
    session.evaluate(all.subspan(done, count), logits.data());
    writer.write(logits.data(), count * info.vocabulary);
    done += count;
    progress.update(done);
  }
  writer.finish();
}

} // namespace

void addLogitsCommand(CLI::App &app) {
  auto options = std::make_shared<LogitsOptions>();
  CLI::App *command =
      app.add_subcommand("logits", "Write the logits of all positions as fp32 .npy");
  options->model.declare(*command);
  command->add_option("--tokens", options->tokens, "Token ids, .npy of int32 or int64")->required();
  command->add_option("-o,--output", options->output, "Output, .npy [tokens, vocabulary]")
      ->required();
  addCount(*command, "--prefill", options->prefill,
           "Evaluate the first P tokens at once and the rest one by one; without it all at once");
  command->callback([options] { runLogits(*options); });
}

} // namespace llmc::driver
