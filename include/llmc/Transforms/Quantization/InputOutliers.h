//===- InputOutliers.h - inputs that stand out, beside those that are rounded ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A few columns of a linear's inputs may be larger than all others by an order of magnitude, so
// that a scale that holds them leaves nothing of the rest. They are multiplied apart, with what the
// weight has for them, and nothing of either is rounded (Dettmers et al. 2022, "LLM.int8(): 8-bit
// matrix multiplication for transformers at scale", section 3.2). Columns are those that
// calibration finds, so that a program knows them.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_QUANTIZATION_INPUTOUTLIERS_H
#define LLMC_TRANSFORMS_QUANTIZATION_INPUTOUTLIERS_H

#include "llmc/Calibration/Calibration.h"
#include "llmc/Transforms/CompressionReport.h"
#include "llmc/Transforms/Quantization/QuantizationOptions.h"
#include "llmc/Transforms/WeightSelection.h"

namespace llmc {

/// Reports at the module options of calibration that can't be where outliers are looked for first.
/// `walksAgain` says whether weights are rounded in a walk of their own.
mlir::LogicalResult checkOutlierOptions(mlir::ModuleOp module, const CalibrationOptions &options,
                                        bool walksAgain);

/// Runs the model as it is and takes from the inputs of the linears that `weights` name, where the
/// plan rounds them, the columns of a magnitude above `plan.activationOutliers`: these linears read
/// `llmc.clear_columns`, and have beside them one of `llmc.take_columns` whose weight,
/// `NAME.outliers`, is what they had for those columns, in fp32 or the weight's own floats. The
/// module is flat and computes what it did. Adds the new parameters to `report`; reports inputs of
/// which all columns are above.
mlir::LogicalResult splitOutliers(mlir::ModuleOp module, const QuantizationPlan &plan,
                                  llvm::ArrayRef<SelectedWeight> weights,
                                  const CalibrationOptions &options, bool walksAgain,
                                  CompressionReport &report);

} // namespace llmc

#endif // LLMC_TRANSFORMS_QUANTIZATION_INPUTOUTLIERS_H
