//===- BenchCommand.cpp - speed and memory of a program ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// `llmc bench`: tokens per second when reading a prompt and when generating, at a given depth of
// the cache; medians over repetitions.
//
//===----------------------------------------------------------------------===//

#include "Commands.h"
#include "Model.h"
#include "Progress.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <sys/resource.h>

namespace llmc::driver {

namespace {

struct BenchOptions {
  ModelOptions model;
  size_t promptTokens = 128, generateTokens = 64, depth = 0, repeat = 5;
  bool json = false;
};

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  size_t middle = values.size() / 2;
  return values.size() % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

/// Tokens that cost what any others do: spread over the vocabulary, the same on every run.
std::vector<int32_t> makeTokens(size_t count, uint32_t vocabulary) {
  std::vector<int32_t> tokens(count);
  for (size_t i = 0; i < count; ++i)
    tokens[i] = static_cast<int32_t>((i * 2654435761u + 12345u) % vocabulary);
  return tokens;
}

/// Peak resident memory of this process in bytes.
size_t getPeakMemory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<size_t>(usage.ru_maxrss) * 1024;
}

void runBench(const BenchOptions &options) {
  Clock::time_point start = Clock::now();
  Model model(options.model);
  double loadSeconds = secondsSince(start);
  llmc_model_info info = model.getInfo();
  size_t needed = options.depth + std::max(options.promptTokens, options.generateTokens);
  if (options.repeat == 0 || options.promptTokens == 0 || options.generateTokens == 0)
    throw std::runtime_error("expected --repeat, --prompt-tokens and --generate-tokens of at "
                             "least 1");
  if (needed > info.context)
    throw std::runtime_error("expected at most " + std::to_string(info.context) +
                             " tokens (the model's context), found " + std::to_string(needed));
  Session session(model);
  std::vector<int32_t> tokens = makeTokens(needed, info.vocabulary);
  std::span<const int32_t> all(tokens);
  if (options.depth > 0)
    session.evaluate(all.first(options.depth), nullptr);

  std::vector<double> prefill, decode;
  Progress progress("bench", options.repeat);
  // The first repetition warms caches and clocks and is not counted.
  for (size_t repetition = 0; repetition <= options.repeat; ++repetition) {
    session.rewind(options.depth);
    start = Clock::now();
    session.evaluate(all.subspan(options.depth, options.promptTokens), nullptr);
    double prefillSeconds = secondsSince(start);
    session.rewind(options.depth);
    start = Clock::now();
    for (size_t i = 0; i < options.generateTokens; ++i)
      session.evaluate(all.subspan(options.depth + i, 1), nullptr);
    double decodeSeconds = secondsSince(start);
    if (repetition > 0) {
      prefill.push_back(static_cast<double>(options.promptTokens) / prefillSeconds);
      decode.push_back(static_cast<double>(options.generateTokens) / decodeSeconds);
    }
    progress.update(repetition);
  }

  nlohmann::ordered_json result;
  result["prefill_tokens_per_second"] = median(prefill);
  result["decode_tokens_per_second"] = median(decode);
  result["load_seconds"] = loadSeconds;
  result["peak_rss_bytes"] = getPeakMemory();
  result["weight_bytes"] = info.weights_bytes;
  result["weight_gigabytes_per_second"] =
      static_cast<double>(info.weights_bytes) * median(decode) * 1e-9;
  result["variant"] = info.variant;
  result["threads"] = info.threads;
  result["prompt_tokens"] = options.promptTokens;
  result["generate_tokens"] = options.generateTokens;
  result["depth"] = options.depth;
  result["repeat"] = options.repeat;
  if (options.json) {
    std::printf("%s\n", result.dump(2).c_str());
    return;
  }
  for (const auto &[key, value] : result.items())
    std::printf("%-28s %s\n", key.c_str(), value.dump().c_str());
}

} // namespace

void addBenchCommand(CLI::App &app) {
  auto options = std::make_shared<BenchOptions>();
  CLI::App *command = app.add_subcommand("bench", "Measure speed and memory");
  options->model.declare(*command);
  command->add_option("--prompt-tokens", options->promptTokens, "Tokens read at once")
      ->capture_default_str();
  command->add_option("--generate-tokens", options->generateTokens, "Tokens decoded one by one")
      ->capture_default_str();
  command->add_option("--depth", options->depth, "Tokens in the cache before either");
  command->add_option("--repeat", options->repeat, "Repetitions; medians are reported")
      ->capture_default_str();
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options] { runBench(*options); });
}

} // namespace llmc::driver
