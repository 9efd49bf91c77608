//===- EvalCommand.cpp - perplexity of a text, and distance from a reference ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// `llmc eval`: the text is cut into windows of N tokens that do not overlap; every token of a
// window but the first is predicted from those before it in the window.
//
//===----------------------------------------------------------------------===//

#include "Commands.h"
#include "Model.h"
#include "Progress.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <stdexcept>

namespace llmc::driver {

namespace {

struct EvalOptions {
  ModelOptions model;
  std::string text, reference;
  size_t context = 1024;
  size_t windows = 0;
  bool json = false;
};

/// log Σ exp(logits), in double.
double logSumExp(std::span<const float> logits) {
  float maximum = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (float logit : logits)
    sum += std::exp(logit - maximum);
  return maximum + std::log(sum);
}

/// What is gathered over all predicted tokens.
struct Totals {
  double negativeLogLikelihood = 0;
  size_t tokens = 0, windows = 0, bytes = 0;
  std::vector<double> divergences; ///< KL(reference ‖ model) of every prediction, in nats
  size_t sameTop = 0;              ///< predictions whose most likely token is the reference's

  void addPrediction(std::span<const float> logits, int32_t next) {
    negativeLogLikelihood += logSumExp(logits) - logits[next];
    ++tokens;
  }

  void addComparison(std::span<const float> logits, std::span<const float> reference) {
    double normalizer = logSumExp(logits), referenceNormalizer = logSumExp(reference);
    double divergence = 0;
    for (size_t i = 0; i < logits.size(); ++i) {
      double logProbability = reference[i] - referenceNormalizer;
      divergence += std::exp(static_cast<float>(logProbability)) *
                    (logProbability - (logits[i] - normalizer));
    }
    divergences.push_back(std::max(divergence, 0.0));
    sameTop += std::max_element(logits.begin(), logits.end()) - logits.begin() ==
               std::max_element(reference.begin(), reference.end()) - reference.begin();
  }
};

std::string readFile(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw std::runtime_error("cannot read '" + path + "'");
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// Runs one window through the model, and the reference if there is one.
void evaluateWindow(std::span<const int32_t> window, Session &session, Session *reference,
                    size_t vocabulary, Totals &totals) {
  session.rewind(0);
  if (reference)
    reference->rewind(0);
  // Logits of a few rows at a time: those of a whole window would take hundreds of megabytes.
  constexpr size_t rows = 128;
  std::vector<float> logits(rows * vocabulary), expected(reference ? rows * vocabulary : 0);
  for (size_t begin = 0; begin + 1 < window.size(); begin += rows) {
    size_t count = std::min(rows, window.size() - 1 - begin);
    session.evaluate(window.subspan(begin, count), logits.data());
    if (reference)
      reference->evaluate(window.subspan(begin, count), expected.data());
    for (size_t row = 0; row < count; ++row) {
      std::span<const float> found(logits.data() + row * vocabulary, vocabulary);
      totals.addPrediction(found, window[begin + row + 1]);
      if (reference)
        totals.addComparison(found, {expected.data() + row * vocabulary, vocabulary});
    }
  }
  ++totals.windows;
}

nlohmann::ordered_json summarize(Totals &totals, bool compared) {
  double perToken = totals.negativeLogLikelihood / static_cast<double>(totals.tokens);
  nlohmann::ordered_json result;
  result["perplexity"] = std::exp(perToken);
  result["nll_per_token"] = perToken;
  result["bits_per_byte"] = totals.negativeLogLikelihood / std::log(2.0) / totals.bytes;
  result["tokens"] = totals.tokens;
  result["windows"] = totals.windows;
  if (compared) {
    std::vector<double> &sorted = totals.divergences;
    std::sort(sorted.begin(), sorted.end());
    double sum = 0;
    for (double divergence : sorted)
      sum += divergence;
    result["kl_mean"] = sum / sorted.size();
    result["kl_p99"] = sorted[std::min(sorted.size() - 1, sorted.size() * 99 / 100)];
    result["top1_agreement"] = static_cast<double>(totals.sameTop) / sorted.size();
  }
  return result;
}

void runEval(const EvalOptions &options) {
  Model model(options.model);
  Tokenizer tokenizer = model.getTokenizer();
  std::string text = readFile(options.text);
  std::vector<int32_t> tokens = tokenizer.encode(text, /*addSpecial=*/false);
  if (tokens.size() < 2)
    throw std::runtime_error("'" + options.text +
                             "': expected a text of at least 2 tokens, found " +
                             std::to_string(tokens.size()));
  llmc_model_info info = model.getInfo();
  if (options.context < 2 || options.context > info.context)
    throw std::runtime_error("expected --context between 2 and the model's " +
                             std::to_string(info.context) + ", found " +
                             std::to_string(options.context));
  Session session(model);
  std::optional<Model> referenceModel;
  std::optional<Session> reference;
  if (!options.reference.empty()) {
    ModelOptions referenceOptions = options.model;
    referenceOptions.path = options.reference;
    referenceModel.emplace(referenceOptions);
    if (referenceModel->getInfo().vocabulary != info.vocabulary)
      throw std::runtime_error("expected a reference with a vocabulary of " +
                               std::to_string(info.vocabulary) + ", found " +
                               std::to_string(referenceModel->getInfo().vocabulary));
    reference.emplace(*referenceModel);
  }

  size_t available = (tokens.size() + options.context - 1) / options.context;
  size_t windows = options.windows == 0 ? available : std::min(options.windows, available);
  Totals totals;
  Progress progress("eval", windows);
  size_t read = 0;
  for (size_t index = 0; index < windows; ++index) {
    std::span<const int32_t> window(tokens.data() + read,
                                    std::min(options.context, tokens.size() - read));
    read += window.size();
    if (window.size() < 2)
      break;
    evaluateWindow(window, session, reference ? &*reference : nullptr, info.vocabulary, totals);
    // Bytes are those of the predicted tokens: the first of a window is given, not predicted.
    totals.bytes += tokenizer.decode(window.subspan(1)).size();
    progress.update(index + 1);
  }
  nlohmann::ordered_json result = summarize(totals, reference.has_value());
  result["weight_bytes"] = info.weights_bytes;
  result["variant"] = info.variant;
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
  command->add_option("--text", options->text, "Text file (UTF-8)")->required();
  command->add_option("--context", options->context, "Tokens of a window")->capture_default_str();
  command->add_option("--windows", options->windows, "Windows to read at most; 0 reads all");
  command->add_option("--reference", options->reference,
                      "Artifact to compare with: mean and 99th percentile of the KL divergence "
                      "from it, and how often the most likely tokens agree");
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options] { runEval(*options); });
}

} // namespace llmc::driver
