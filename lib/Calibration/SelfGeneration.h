//===- SelfGeneration.h - text that a model writes itself ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CALIBRATION_SELFGENERATION_H
#define LLMC_LIB_CALIBRATION_SELFGENERATION_H

#include "HostCode.h"
#include "Tokens.h"

namespace llmc {

/// Lets the model write `options.samples` samples of short texts: what its texts begin with
/// (`beginTokens`), a random first token, the most likely ones after it, and then tokens drawn as
/// likely as the model says (Liu et al. 2023, "LLM-QAT", section 3.1). A sample depends on the
/// seed, its number and the model alone.
mlir::FailureOr<CalibrationTokens> generateTokens(mlir::ModuleOp module,
                                                  const CalibrationOptions &options,
                                                  std::vector<int32_t> beginTokens,
                                                  Workers &workers);

} // namespace llmc

#endif // LLMC_LIB_CALIBRATION_SELFGENERATION_H
