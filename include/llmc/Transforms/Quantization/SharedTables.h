//===- SharedTables.h - numbers that all matrices of a model are rounded to ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_QUANTIZATION_SHAREDTABLES_H
#define LLMC_TRANSFORMS_QUANTIZATION_SHAREDTABLES_H

#include "llmc/Transforms/Quantization/QuantizationOptions.h"
#include "llmc/Transforms/WeightSelection.h"

namespace llmc {

/// Learns the tables that a plan wants of the model, from some rows of each of the matrices that it
/// stores so, and keeps them in the plan. Does nothing where it wants none.
mlir::LogicalResult learnSharedTables(QuantizationPlan &plan,
                                      llvm::ArrayRef<SelectedWeight> weights);

} // namespace llmc

#endif // LLMC_TRANSFORMS_QUANTIZATION_SHAREDTABLES_H
