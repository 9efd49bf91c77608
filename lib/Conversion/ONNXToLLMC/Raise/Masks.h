//===- Masks.h - what is added to attention scores, or chosen instead ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_MASKS_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_MASKS_H

#include "Evaluate/Probe.h"

#include <string>

namespace llmc {

/// A mask as it was applied: the value, and whether nonzero means "keep" (or, for numbers, that it
/// was added).
struct Mask {
  mlir::Value value;
  enum class Kind { Added, KeepWhereTrue, KeepWhereFalse } kind;
};

/// What masks do together.
struct MaskMeaning {
  int64_t window = 0;         ///< positions up to a row's own that are seen; 0: all
  std::vector<double> slopes; ///< by head or one for all: what each position later adds to scores
};

/// Reads masks at the probe's sizes, with `causal` beside what else hides the future; `why` says
/// what is wrong with those that are not causal.
mlir::FailureOr<MaskMeaning> readMasks(llvm::ArrayRef<Mask> masks, bool causal, const Probe &probe,
                                       std::string &why);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_MASKS_H
