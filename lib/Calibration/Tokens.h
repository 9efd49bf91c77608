//===- Tokens.h - the tokens that a model is calibrated on ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CALIBRATION_TOKENS_H
#define LLMC_LIB_CALIBRATION_TOKENS_H

#include "llmc/Calibration/Calibration.h"

#include "llvm/Support/Error.h"

namespace llmc {

/// Samples of equal length, one after the other.
struct CalibrationTokens {
  std::vector<int32_t> ids;
  int64_t length = 0;

  int64_t getSamples() const { return ids.size() / length; }
};

/// Tells whether two sets of samples are the same.
std::string getFingerprint(const CalibrationTokens &tokens);

/// Writes samples to a .npy file: int32, [samples, length].
llvm::Error saveTokens(const CalibrationTokens &tokens, llvm::StringRef path);

/// What tokens and positions the model can take.
struct TokenLimits {
  int64_t vocabulary = 0, context = 0;

  static mlir::FailureOr<TokenLimits> get(mlir::ModuleOp module);
};

/// What a walk is calibrated on.
enum class TokenSource {
  OwnText,    ///< what the model writes
  LlmcText,   ///< the text that is a part of llmc
  File,       ///< a text
  TokenFile,  ///< a .npy file
  Statistics, ///< nothing: statistics are read
};

TokenSource getTokenSource(const CalibrationOptions &options);

/// Reads the samples from the options' text or token file, whose numbers are taken in their order
/// whatever its shape: windows that do not overlap, chosen by the seed. Samples of a text begin as
/// the model's texts do. Where there are fewer than asked for, all are taken and a warning is
/// given. Gives nothing, with a warning, where llmc's text meets a model with no tokenizer that can
/// be read.
llvm::Expected<std::optional<CalibrationTokens>>
readTokens(mlir::ModuleOp module, const TokenLimits &limits, const CalibrationOptions &options);

/// The tokens that the model's texts begin with, as its tokenizer says; none where there is none
/// that can be read, unless the options name it.
llvm::Expected<std::vector<int32_t>> readBeginTokens(mlir::ModuleOp module,
                                                     const CalibrationOptions &options);

} // namespace llmc

#endif // LLMC_LIB_CALIBRATION_TOKENS_H
