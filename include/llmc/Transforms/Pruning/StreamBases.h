//===- StreamBases.h - the directions in which a residual stream varies most ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_PRUNING_STREAMBASES_H
#define LLMC_TRANSFORMS_PRUNING_STREAMBASES_H

#include "llmc/Calibration/Calibration.h"
#include "llmc/Transforms/Rewrites/Rotation.h"

namespace llmc {

/// The eigenvectors of the second moment of what is read at a place, by falling eigenvalue.
struct StreamBasis {
  RotationRef rotation;
  double share = 0; ///< of the first `kept` eigenvalues in the sum of all
};

/// Runs a flat model and finds the basis of each place: what the weight of that name reads, `width`
/// numbers wide. A walk that goes on where it was interrupted finds the same bits.
mlir::FailureOr<std::vector<StreamBasis>>
findStreamBases(mlir::ModuleOp module, const CalibrationOptions &options, llvm::StringRef key,
                llvm::ArrayRef<std::string> places, int64_t width, int64_t kept);

} // namespace llmc

#endif // LLMC_TRANSFORMS_PRUNING_STREAMBASES_H
