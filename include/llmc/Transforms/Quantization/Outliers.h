//===- Outliers.h - weights that stay as they are while others are rounded ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Dettmers et al. 2023, "SpQR: a sparse-quantized representation for near-lossless LLM weight
// compression", section 3: a few weights make the grids of their groups wide, or lose much
// themselves.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_QUANTIZATION_OUTLIERS_H
#define LLMC_TRANSFORMS_QUANTIZATION_OUTLIERS_H

#include "llmc/Transforms/Quantization/QuantizedWeight.h"

namespace llmc {

/// Chooses `count` weights of each row, rows × columns: those that the others of their group gain
/// most without. That is by how much Σ h·(w − w')² of the group is less when its grid covers the
/// others alone and they are all that is rounded; `importance` has h for each column, and columns
/// of none are chosen last. `grid` says how groups are fitted.
llvm::SmallVector<bool, 0> chooseOutliers(mlir::MLIRContext *context, const WeightValues &values,
                                          GroupedAttr grid, int64_t count,
                                          llvm::ArrayRef<float> importance);

/// What rounds weights beside which `values.outliers` are listed. Groups are fitted to the others;
/// what is rounded in an outlier's place is zero, and listed is what it has become by then less
/// what that stands for.
std::unique_ptr<WeightQuantizer>
makeOutliersQuantizer(const WeightValues &values, OutliersAttr encoding, const FitOptions &fit);

} // namespace llmc

#endif // LLMC_TRANSFORMS_QUANTIZATION_OUTLIERS_H
