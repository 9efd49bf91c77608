//===- Speed.cpp - how fast a program is, and what memory it takes ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Speed.h"
#include "Numbers.h"
#include "Progress.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <sys/resource.h>

namespace llmc::driver {

namespace {

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

void checkOptions(const SpeedOptions &options, size_t step, size_t context) {
  if (options.repeat == 0 || options.promptTokens == 0 || options.generateTokens == 0)
    throw std::runtime_error("expected --repeat, --prompt-tokens and --generate-tokens of at "
                             "least 1");
  if (options.depth > context || step > context - options.depth)
    throw std::runtime_error("expected at most " + std::to_string(context) +
                             " tokens (the model's context), found " + std::to_string(step) +
                             " after " + std::to_string(options.depth));
}

} // namespace

void SpeedOptions::declare(CLI::App &command) {
  addCount(command, "--prompt-tokens", promptTokens, "Tokens read at once")->capture_default_str();
  addCount(command, "--generate-tokens", generateTokens, "Tokens decoded one by one")
      ->capture_default_str();
  addCount(command, "--depth", depth, "Tokens in the cache before either");
  addCount(command, "--repeat", repeat, "Repetitions; medians are reported")->capture_default_str();
}

nlohmann::ordered_json measureSpeed(const ModelOptions &modelOptions, const SpeedOptions &options) {
  Clock::time_point start = Clock::now();
  Model model(modelOptions);
  double loadSeconds = secondsSince(start);
  llmc_model_info info = model.getInfo();
  size_t step = std::max(options.promptTokens, options.generateTokens);
  checkOptions(options, step, info.context);
  Session session(model);
  std::vector<int32_t> tokens = makeTokens(options.depth + step, info.vocabulary);
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
  return {{"prefill_tokens_per_second", median(prefill)},
          {"decode_tokens_per_second", median(decode)},
          {"load_seconds", loadSeconds},
          {"peak_rss_bytes", getPeakMemory()},
          {"weight_bytes", info.weights_bytes},
          {"weight_gigabytes_per_second",
           static_cast<double>(info.weights_bytes) * median(decode) * 1e-9},
          {"driver", info.driver},
          {"variant", info.variant},
          {"threads", info.threads},
          {"prompt_tokens", options.promptTokens},
          {"generate_tokens", options.generateTokens},
          {"depth", options.depth},
          {"repeat", options.repeat}};
}

} // namespace llmc::driver
