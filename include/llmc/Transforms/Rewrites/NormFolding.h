//===- NormFolding.h - gains of norms as a part of what reads them ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_REWRITES_NORMFOLDING_H
#define LLMC_TRANSFORMS_REWRITES_NORMFOLDING_H

#include "llmc/Analysis/Structure.h"
#include "llmc/Transforms/Rewrites/ParameterRewrite.h"

namespace llmc {

/// Folds the gain of the norm that makes `scale`'s input into the weights of its readers, and the
/// norm's bias, if it has one, into their biases: the norm's gain is ones then, and it has no bias.
/// Gives the reason why it can't be done, which is empty where it is; errors are reported.
mlir::FailureOr<std::string> foldNorm(const InputScale &scale, ParameterRewrite &rewrite);

/// The operand that is the bias of a norm, or null.
mlir::Value getNormBias(mlir::Operation *norm);

} // namespace llmc

#endif // LLMC_TRANSFORMS_REWRITES_NORMFOLDING_H
