//===- llmc.cpp - the driver: one command over compiler and runtime ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstring>
#include <exception>

int main(int argc, char **argv) {
  using namespace llmc::driver;
  // The compiler parses its own command line.
  if (argc > 1 && std::strcmp(argv[1], "compile") == 0)
    return runCompiler(argc - 1, argv + 1);

  CLI::App app("llmc: compiles language models and runs them");
  app.require_subcommand(1);
  app.set_version_flag("--version", LLMC_VERSION);
  app.add_subcommand("compile", "Compile an ONNX model or an MLIR module into one file")
      ->allow_extras();
  addRunCommand(app);
  addEvalCommand(app);
  addBenchCommand(app);
  addLogitsCommand(app);
  addInspectCommand(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const std::exception &error) {
    std::fprintf(stderr, "llmc: error: %s\n", error.what());
    return 1;
  }
  return 0;
}
