//===- Finders.h - the parts of the analysis of structure ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_ANALYSIS_FINDERS_H
#define LLMC_LIB_ANALYSIS_FINDERS_H

#include "llmc/Analysis/Structure.h"

namespace llmc {

/// Whether a value is rows of activations, and no matrix of weights.
bool isRows(mlir::Value value);

/// Columns of a linear's result that a slice takes, where it takes them of all rows.
std::optional<std::pair<int64_t, int64_t>> getSlicedColumns(mlir::Operation *op);

/// Where a sum is of a linear's result and of what a branch beside it makes of the same input, of
/// two factors (llmc/Transforms/LowRank/Factors.h) or of columns that are taken out of it
/// (llmc/Transforms/Quantization/InputOutliers.h): that linear; else null.
LinearOp getRepaired(mlir::Operation *op);

/// The linear's result, or that with its branches, or, where slices of columns are all
/// that reads it, theirs; with the first column of each.
llvm::SmallVector<std::pair<mlir::Value, int64_t>> getOutputs(LinearOp linear);

/// Where a value comes from, behind scales, norms, cleared columns and choices of rows; those but
/// the last are added to `through`, the last first. A linear with a branch beside it is the linear.
mlir::Value traceBack(mlir::Value value,
                      llvm::SmallVectorImpl<mlir::Operation *> *through = nullptr);

/// What each of these fills in; each needs those before it.
void findRoles(Structure &structure);
void findStreams(Structure &structure);
void findChannels(Structure &structure);
void findScales(Structure &structure);

} // namespace llmc

#endif // LLMC_LIB_ANALYSIS_FINDERS_H
