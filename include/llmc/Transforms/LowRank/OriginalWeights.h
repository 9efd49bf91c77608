//===- OriginalWeights.h - weights as they were before they were rounded ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_LOWRANK_ORIGINALWEIGHTS_H
#define LLMC_TRANSFORMS_LOWRANK_ORIGINALWEIGHTS_H

#include "llmc/Transforms/Quantization/QuantizedWeight.h"
#include "llmc/Transforms/WeightSelection.h"

namespace llmc {

/// Keeps of `weights` those that are rounded or pruned, and lets each that does not say what it was
/// take that from the parameter of its name in the module at `path`, unless that is empty. Reports
/// at a parameter that its original is not known, and at the module that nothing was rounded.
mlir::LogicalResult findOriginals(mlir::ModuleOp module, llvm::StringRef path,
                                  llvm::SmallVectorImpl<SelectedWeight> &weights);

/// A hash of what the weights were: what a resumed run has to find again.
mlir::FailureOr<std::string> hashOriginals(llvm::ArrayRef<SelectedWeight> weights);

/// What a parameter's weights were.
mlir::FailureOr<WeightValues> readOriginal(ParameterOp parameter);

} // namespace llmc

#endif // LLMC_TRANSFORMS_LOWRANK_ORIGINALWEIGHTS_H
