//===- Evaluation.cpp - how well programs predict a text ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluation.h"
#include "Files.h"
#include "Numbers.h"
#include "Progress.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <stdexcept>
#include <thread>

namespace llmc::driver {

namespace {

/// log Σ exp(logits), in double.
double logSumExp(std::span<const float> logits) {
  float maximum = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (float logit : logits)
    sum += std::exp(logit - maximum);
  return maximum + std::log(sum);
}

/// What one prediction was worth.
struct Prediction {
  double loss = 0, referenceLoss = 0; ///< −log p of the token that came, in nats
  double divergence = 0;              ///< KL(reference ‖ model), in nats
  bool sameTop = false;               ///< whether the most likely token is the reference's
};

/// `reference` is empty where there is nothing to compare with.
Prediction judge(std::span<const float> logits, std::span<const float> reference, int32_t next) {
  double normalizer = logSumExp(logits);
  Prediction result{.loss = normalizer - logits[next]};
  if (reference.empty())
    return result;
  double referenceNormalizer = logSumExp(reference);
  result.referenceLoss = referenceNormalizer - reference[next];
  for (size_t i = 0; i < logits.size(); ++i) {
    double logProbability = reference[i] - referenceNormalizer;
    result.divergence +=
        std::exp(static_cast<float>(logProbability)) * (logProbability - (logits[i] - normalizer));
  }
  result.sameTop = std::max_element(logits.begin(), logits.end()) - logits.begin() ==
                   std::max_element(reference.begin(), reference.end()) - reference.begin();
  return result;
}

/// What is gathered over all predicted tokens.
struct Totals {
  double negativeLogLikelihood = 0, ofReference = 0;
  size_t tokens = 0, windows = 0, bytes = 0;
  bool hasBeginTokens = false;
  std::vector<double> divergences; ///< of every prediction that was compared
  size_t sameTop = 0;

  void add(const Prediction &prediction, bool compared) {
    negativeLogLikelihood += prediction.loss;
    ++tokens;
    if (!compared)
      return;
    ofReference += prediction.referenceLoss;
    divergences.push_back(std::max(prediction.divergence, 0.0));
    sameTop += prediction.sameTop;
  }

  nlohmann::ordered_json summarize(double loss) const {
    double perToken = loss / static_cast<double>(tokens);
    return {{"perplexity", std::exp(perToken)},
            {"nll_per_token", perToken},
            {"bits_per_byte", loss / std::log(2.0) / static_cast<double>(bytes)},
            {"tokens", tokens},
            {"windows", windows},
            {"bos", hasBeginTokens}};
  }

  nlohmann::ordered_json compare() const {
    std::vector<double> sorted = divergences;
    std::sort(sorted.begin(), sorted.end());
    double sum = 0;
    for (double divergence : sorted)
      sum += divergence;
    return {{"kl_mean", sum / static_cast<double>(sorted.size())},
            {"kl_p99", sorted[std::min(sorted.size() - 1, sorted.size() * 99 / 100)]},
            {"top1_agreement", static_cast<double>(sameTop) / static_cast<double>(sorted.size())}};
  }
};

/// Calls `work` for 0 … count − 1, on some threads.
template <typename Work>
void forEach(size_t count, size_t threads, const Work &work) {
  std::vector<std::jthread> others;
  auto everyNth = [&](size_t first) {
    for (size_t i = first; i < count; i += threads)
      work(i);
  };
  for (size_t thread = 1; thread < threads; ++thread)
    others.emplace_back(everyNth, thread);
  everyNth(0);
}

/// Runs one window, the first tokens of which are given, through the model, and the reference if
/// there is one.
void evaluateWindow(std::span<const int32_t> window, size_t given, Session &session,
                    Session *reference, const llmc_model_info &info, Totals &totals) {
  session.rewind(0);
  if (reference)
    reference->rewind(0);
  // Logits of a few rows at a time: those of a whole window would take hundreds of megabytes.
  constexpr size_t rows = 128;
  const size_t vocabulary = info.vocabulary;
  std::vector<float> logits(rows * vocabulary), expected(reference ? rows * vocabulary : 0);
  std::vector<Prediction> predictions(rows);
  for (size_t begin = 0; begin + 1 < window.size(); begin += rows) {
    size_t count = std::min(rows, window.size() - 1 - begin);
    session.evaluate(window.subspan(begin, count), logits.data());
    if (reference)
      reference->evaluate(window.subspan(begin, count), expected.data());
    forEach(count, info.threads, [&](size_t row) {
      auto ofRow = [&](const std::vector<float> &values) {
        return std::span(values).subspan(values.empty() ? 0 : row * vocabulary,
                                         values.empty() ? 0 : vocabulary);
      };
      predictions[row] = judge(ofRow(logits), ofRow(expected), window[begin + row + 1]);
    });
    // In order, so that sums do not depend on threads.
    for (size_t row = 0; row < count; ++row)
      if (begin + row + 1 >= given)
        totals.add(predictions[row], reference != nullptr);
  }
  ++totals.windows;
}

size_t getContext(const Model &model, const TextOptions &options) {
  constexpr size_t usual = 1024;
  return options.context ? options.context : std::min<size_t>(usual, model.getInfo().context);
}

void checkContext(const Model &model, size_t context) {
  size_t limit = model.getInfo().context;
  if (context < 2 || context > limit)
    throw std::runtime_error("expected --context between 2 and the model's " +
                             std::to_string(limit) + ", found " + std::to_string(context));
}

/// The tokens that each window begins with.
std::vector<int32_t> getBeginTokens(const Tokenizer &tokenizer, const std::string &bos) {
  if (bos == "off")
    return {};
  std::vector<int32_t> tokens = tokenizer.getBeginTokens();
  if (bos == "auto" || !tokens.empty())
    return tokens;
  if (std::optional<int32_t> token = tokenizer.findBeginToken())
    return {*token};
  throw std::runtime_error("--bos=on: expected a tokenizer with a bos_token, found none");
}

} // namespace

CLI::Option *TextOptions::declare(CLI::App &command) {
  addCount(command, "--context", context,
           "Tokens of a window; default: 1024, or the model's context if that is less");
  addCount(command, "--windows", windows, "Windows to read at most; 0 reads all");
  command
      .add_option(
          "--bos", bos,
          "Whether each window begins with the token that texts begin with; auto: where the "
          "tokenizer adds one")
      ->check(CLI::IsMember({"auto", "on", "off"}))
      ->capture_default_str();
  return command.add_option("--text", path, "Text file (UTF-8)");
}

Evaluation evaluateText(const Model &model, const Model *reference, const TextOptions &options) {
  Tokenizer tokenizer = model.getTokenizer();
  std::vector<int32_t> tokens = tokenizer.encode(readFile(options.path), /*addSpecial=*/false);
  const std::vector<int32_t> beginTokens = getBeginTokens(tokenizer, options.bos);
  // The first of a window is given, not predicted.
  const size_t given = std::max<size_t>(beginTokens.size(), 1),
               missing = given - beginTokens.size();
  if (tokens.size() < missing + 1)
    throw std::runtime_error("'" + options.path + "': expected a text of at least " +
                             std::to_string(missing + 1) + " tokens, found " +
                             std::to_string(tokens.size()));
  size_t vocabulary = model.getInfo().vocabulary;
  const size_t context = getContext(model, options);
  checkContext(model, context);
  if (context <= given)
    throw std::runtime_error("expected --context of more than the " + std::to_string(given) +
                             " tokens that begin each window, found " + std::to_string(context));
  for (int32_t token : beginTokens)
    if (static_cast<size_t>(token) >= vocabulary)
      throw std::runtime_error(
          "expected a token that begins texts below the model's vocabulary of " +
          std::to_string(vocabulary) + ", found " + std::to_string(token));
  Session session(model);
  std::optional<Session> referenceSession;
  if (reference) {
    if (reference->getInfo().vocabulary != vocabulary)
      throw std::runtime_error("expected a reference with a vocabulary of " +
                               std::to_string(vocabulary) + ", found " +
                               std::to_string(reference->getInfo().vocabulary));
    checkContext(*reference, context);
    referenceSession.emplace(*reference);
  }

  const size_t length = context - beginTokens.size();
  size_t available = (tokens.size() + length - 1) / length;
  size_t windows = options.windows == 0 ? available : std::min(options.windows, available);
  Totals totals;
  totals.hasBeginTokens = !beginTokens.empty();
  std::vector<int32_t> window;
  Progress progress("eval", windows);
  size_t read = 0;
  for (size_t index = 0; index < windows; ++index) {
    auto text = std::span(tokens).subspan(read, std::min(length, tokens.size() - read));
    read += text.size();
    window = beginTokens;
    window.insert(window.end(), text.begin(), text.end());
    if (window.size() <= given)
      break;
    evaluateWindow(window, given, session, referenceSession ? &*referenceSession : nullptr,
                   model.getInfo(), totals);
    totals.bytes += tokenizer.decode(std::span(window).subspan(given)).size();
    progress.update(index + 1);
  }
  Evaluation evaluation;
  evaluation.model = totals.summarize(totals.negativeLogLikelihood);
  if (reference) {
    evaluation.reference = totals.summarize(totals.ofReference);
    evaluation.comparison = totals.compare();
  }
  return evaluation;
}

} // namespace llmc::driver
