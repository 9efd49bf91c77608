//===- Wanda.h - pruning by weights and activations ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Sun et al. 2024, "A simple and effective pruning approach for large language models", section 3.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_PRUNING_WANDA_H
#define LLMC_TRANSFORMS_PRUNING_WANDA_H

#include "llmc/Transforms/Pruning/Pattern.h"

namespace llmc {

/// The weights of a parameter that `pattern` keeps where each has the score |W_ij|·‖X_j‖.
/// `secondMoment` is that of the inputs, X·Xᵀ, columns × columns, up to any positive factor.
/// Reports at the parameter what can't be stored so.
mlir::FailureOr<QuantizedWeight> pruneByWanda(ParameterOp parameter, const WeightValues &values,
                                              llvm::ArrayRef<double> secondMoment,
                                              const PruningPattern &pattern);

/// ‖(W − W')X‖ / ‖WX‖, where W' has the weights of W that are kept.
double getOutputError(mlir::MLIRContext *context, const WeightValues &values,
                      llvm::ArrayRef<bool> kept, llvm::ArrayRef<double> secondMoment);

} // namespace llmc

#endif // LLMC_TRANSFORMS_PRUNING_WANDA_H
