//===- Directions.h - the directions llmc-translate goes in ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TOOLS_LLMC_TRANSLATE_DIRECTIONS_H
#define LLMC_TOOLS_LLMC_TRANSLATE_DIRECTIONS_H

#include "mlir/Support/LLVM.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Error.h"

#include <optional>
#include <string>

namespace llmc {

/// Each registers an mlir::Translation.
void registerExportONNX();
void registerImportONNX();
void registerToLLVMIR();
void registerToObject();
void registerToPTX();

/// Where options are added that --help is to show.
llvm::cl::OptionCategory &getOptionCategory();

/// Prints `error`, unless it is a success, as an error of this tool.
mlir::LogicalResult report(llvm::Error error);

/// The file named on the command line; "-" is standard input.
llvm::StringRef getInputPath();

/// The absolute path of the folder that the input lies in: paths in the input are relative to it.
std::string getInputFolder();

/// The path given with -o, for a translation that writes more files beside it; nothing where the
/// output is standard output.
std::optional<std::string> getOutputPath();

/// The path given with -o, for a translation that writes its files itself and nothing to its
/// stream. Fails where the output is standard output.
llvm::Expected<std::string> claimOutputPath();

} // namespace llmc

#endif // LLMC_TOOLS_LLMC_TRANSLATE_DIRECTIONS_H
