//===- Speed.h - how fast a program is, and what memory it takes ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TOOLS_SPEED_H
#define LLMC_TOOLS_SPEED_H

#include "Model.h"

#include <nlohmann/json.hpp>

namespace llmc::driver {

/// Tokens per second when reading a prompt and when generating, at a given depth of the cache.
struct SpeedOptions {
  size_t promptTokens = 128, generateTokens = 64, depth = 0, repeat = 5;

  /// Declares --prompt-tokens, --generate-tokens, --depth and --repeat.
  void declare(CLI::App &command);
};

/// Loads and times a program: medians over repetitions. The peak of memory is this process's, so
/// it is the program's where the process has loaded nothing else. Throws std::runtime_error.
nlohmann::ordered_json measureSpeed(const ModelOptions &model, const SpeedOptions &options);

} // namespace llmc::driver

#endif // LLMC_TOOLS_SPEED_H
