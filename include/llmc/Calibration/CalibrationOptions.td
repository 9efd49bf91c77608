//===- CalibrationOptions.td - what all calibrated passes let one choose -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CALIBRATION_CALIBRATIONOPTIONS_TD
#define LLMC_CALIBRATION_CALIBRATIONOPTIONS_TD

include "mlir/Pass/PassBase.td"

/// Where tokens come from, and what running the model may take: CalibrationOptions.
defvar calibrationOptions = [
  Option<"calibration", "calibration", "std::string", /*default=*/"\"\"",
         "Text (UTF-8), each sample of which begins as the model's texts do; or .npy file of token "
         "ids, taken as they are; or 'self': the model writes its own; default: a text of prose, "
         "dialogue, code and lists in several languages that is a part of llmc">,
  Option<"tokenizer", "tokenizer", "std::string", /*default=*/"\"\"",
         "tokenizer.json, or its folder; default: the module's, or beside the files of the parameters">,
  Option<"samples", "samples", "int64_t", /*default=*/"128", "Samples to run">,
  Option<"sequenceLength", "sequence-length", "int64_t", /*default=*/"512", "Tokens of a sample">,
  Option<"firstTokenWeight", "first-token-weight", "int64_t", /*default=*/"16",
         "How often the first token of a sample, which all later ones look back at, counts in "
         "second moments">,
  Option<"seed", "seed", "uint64_t", /*default=*/"0",
         "Chooses the samples, or the text that the model writes">,
  Option<"memory", "memory", "int64_t", /*default=*/"1024",
         "MiB of rows to keep in memory; what is beyond lies in a temporary file">,
  Option<"saveTokens", "save-tokens", "std::string", /*default=*/"\"\"",
         "Write the samples' tokens to this .npy file, which `calibration` takes">,
  Option<"saveStatistics", "save-statistics", "std::string", /*default=*/"\"\"",
         "Write the statistics to this file (safetensors)">,
  Option<"resume", "resume", "std::string", /*default=*/"\"\"",
         "Folder in which an interrupted run leaves what it has, for the next one to go on">,
  Option<"threads", "threads", "unsigned", /*default=*/"0",
         "Threads; 0: as many as the process may run on">
];

/// For passes that change weights as they go.
defvar sequentialOptions = [
  Option<"trueSequential", "true-sequential", "bool", /*default=*/"true",
         "Linears see what the weights before them in the same block have become">,
  Option<"statistics", "statistics", "std::string", /*default=*/"\"\"",
         "Read the statistics from a file that save-statistics wrote; nothing is run">
];

#endif // LLMC_CALIBRATION_CALIBRATIONOPTIONS_TD
