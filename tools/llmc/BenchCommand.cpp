//===- BenchCommand.cpp - speed and memory of a program ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"
#include "Speed.h"

#include <cstdio>

namespace llmc::driver {

namespace {

struct BenchOptions {
  ModelOptions model;
  SpeedOptions speed;
  bool json = false;
};

void runBench(const BenchOptions &options) {
  nlohmann::ordered_json result = measureSpeed(options.model, options.speed);
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
  options->speed.declare(*command);
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options] { runBench(*options); });
}

} // namespace llmc::driver
