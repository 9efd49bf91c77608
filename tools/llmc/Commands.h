//===- Commands.h - the commands of the driver ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TOOLS_COMMANDS_H
#define LLMC_TOOLS_COMMANDS_H

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Option.hpp>
#include <CLI/Validators.hpp>

namespace llmc::driver {

/// Each adds one command to `app`. The command runs while the command line is parsed; it throws
/// std::runtime_error with a message for the user.
void addRunCommand(CLI::App &app);
void addEvalCommand(CLI::App &app);
void addBenchCommand(CLI::App &app);
void addLogitsCommand(CLI::App &app);
void addInspectCommand(CLI::App &app);
void addCompareCommand(CLI::App &app);

/// Replaces this process by the compiler proper, the program llmc-compile beside this one, which
/// alone links LLVM. Returns the exit code where that fails.
int runCompiler(int argc, char **argv);

} // namespace llmc::driver

#endif // LLMC_TOOLS_COMMANDS_H
