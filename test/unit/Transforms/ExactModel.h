//===- ExactModel.h - a model computed in fp64 ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What LLMCOps.td says of each operation, in doubles: nothing is rounded on the way, so that
// rewrites that are exact can be told from those that nearly are.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TEST_UNIT_TRANSFORMS_EXACTMODEL_H
#define LLMC_TEST_UNIT_TRANSFORMS_EXACTMODEL_H

#include "llmc/Transforms/Rewrites/ParameterRewrite.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <optional>

namespace llmc::test {

/// The logits of a flat @step for one sequence of tokens, row by row, with parameters as they are
/// after a rewrite. Nothing, and what is not known in `unknown`, where the model has other
/// operations than those of llmc, sums and slices.
std::optional<std::vector<double>> computeLogits(mlir::func::FuncOp step,
                                                 const ParameterRewrite &rewrite,
                                                 llvm::ArrayRef<int32_t> tokens,
                                                 std::string &unknown);

/// The largest difference, as a part of the largest magnitude of `expected`.
double getRelativeDifference(llvm::ArrayRef<double> expected, llvm::ArrayRef<double> found);

} // namespace llmc::test

#endif // LLMC_TEST_UNIT_TRANSFORMS_EXACTMODEL_H
