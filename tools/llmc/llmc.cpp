//===- llmc.cpp - the driver: one command over compiler and runtime ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"
#include "Interrupt.h"
#include "Process.h"
#include "llmc/Host/ProcessFaults.h"

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <string>

/// Whether the first argument is a command or an option; says what was expected otherwise.
static bool checkCommand(const CLI::App &app, const std::string &given) {
  std::string names;
  for (const CLI::App *command : app.get_subcommands([](const CLI::App *) { return true; })) {
    if (given == command->get_name())
      return true;
    names += (names.empty() ? "" : ", ") + command->get_name();
  }
  if (given.starts_with('-'))
    return true;
  std::fprintf(stderr, "llmc: error: expected a command among %s, found '%s'\n", names.c_str(),
               given.c_str());
  return false;
}

/// The option of the chosen command that is given more often than it can be; null where none is.
static const CLI::Option *findRepeated(const CLI::App &app) {
  for (const CLI::App *command : app.get_subcommands())
    for (const CLI::Option *option : command->get_options())
      if (option->get_items_expected_max() == 1 && option->count() > 1)
        return option;
  return nullptr;
}

/// Parses the command line and runs its command; gives the exit code.
static int runCommand(CLI::App &app, int argc, char **argv) {
  using namespace llmc::driver;
  try {
    noteInterrupts();
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    if (error.get_exit_code() == 0) // --help and --version
      return app.exit(error);
    if (const CLI::Option *option = findRepeated(app))
      std::fprintf(stderr, "llmc: error: %s: expected it once, found it %zu times\n",
                   option->get_name().c_str(), option->count());
    else
      std::fprintf(stderr, "llmc: error: %s (--help says more)\n", error.what());
    return 2;
  } catch (const Interrupted &error) {
    std::fprintf(stderr, "llmc: %s\n", error.what());
    return error.getExitCode();
  } catch (const ProgramFailed &error) {
    return error.getExitCode();
  } catch (const std::bad_alloc &) {
    std::fprintf(stderr, "llmc: error: out of memory\n");
    return 1;
  } catch (const std::exception &error) {
    std::fprintf(stderr, "llmc: error: %s\n", error.what());
    return 1;
  }
  return 0;
}

int main(int argc, char **argv) {
  using namespace llmc::driver;
  llmc::prepareProcess("llmc");
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
  addCompareCommand(app);
  if (argc > 1 && !checkCommand(app, argv[1]))
    return 2;
  int code = runCommand(app, argc, argv);
  // What was printed may still be on its way to a full disk.
  errno = 0;
  if (std::fflush(stdout) != 0 || std::ferror(stdout)) {
    std::fprintf(stderr, "llmc: error: cannot write standard output: %s\n",
                 errno ? std::strerror(errno) : "an earlier write failed");
    return code ? code : 1;
  }
  return code;
}
