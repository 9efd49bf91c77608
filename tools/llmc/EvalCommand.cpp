//===- EvalCommand.cpp - perplexity of a text, and distance from a reference ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"
#include "Evaluation.h"

#include <cstdio>
#include <optional>

namespace llmc::driver {

namespace {

struct EvalOptions {
  ModelOptions model;
  TextOptions text;
  std::string reference;
  bool json = false;
};

void runEval(const EvalOptions &options) {
  Model model(options.model);
  std::optional<Model> reference;
  if (!options.reference.empty()) {
    ModelOptions referenceOptions = options.model;
    referenceOptions.path = options.reference;
    reference.emplace(referenceOptions);
  }
  Evaluation evaluation = evaluateText(model, reference ? &*reference : nullptr, options.text);
  nlohmann::ordered_json result = evaluation.model;
  if (reference)
    result.update(evaluation.comparison);
  result["weight_bytes"] = model.getInfo().weights_bytes;
  result["variant"] = model.getInfo().variant;
  if (options.json) {
    std::printf("%s\n", result.dump(2).c_str());
    return;
  }
  for (const auto &[key, value] : result.items())
    std::printf("%-16s %s\n", key.c_str(), value.dump().c_str());
}

} // namespace

void addEvalCommand(CLI::App &app) {
  auto options = std::make_shared<EvalOptions>();
  CLI::App *command = app.add_subcommand("eval", "Measure perplexity on a text");
  options->model.declare(*command);
  options->text.declare(*command)->required();
  command->add_option("--reference", options->reference,
                      "Artifact to compare with: mean and 99th percentile of the KL divergence "
                      "from it, and how often the most likely tokens agree");
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options] { runEval(*options); });
}

} // namespace llmc::driver
