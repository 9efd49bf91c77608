//===- ModelRewrite.h - exact rewrites of whole models ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the passes say of a flat @step: its operations are changed, and the steps that make its
// parameters what they have to be then are added to the rewrite. The model computes the same
// afterwards, up to how its parameters are rounded.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_REWRITES_MODELREWRITE_H
#define LLMC_TRANSFORMS_REWRITES_MODELREWRITE_H

#include "llmc/Transforms/Rewrites/ParameterRewrite.h"
#include "llmc/Transforms/Rewrites/Rotation.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace llmc {

/// Folds the gains of norms into the linears that read them (`fold-norms`). Norms that have to stay
/// as they are get a remark.
mlir::LogicalResult foldNorms(mlir::func::FuncOp step, ParameterRewrite &rewrite);

/// Rotates the residual stream (`rotate{where=residual}`); what stands in the way is reported.
mlir::LogicalResult rotateResidual(mlir::func::FuncOp step, const RotationRequest &request,
                                   ParameterRewrite &rewrite);

/// Rotates the values of each head (`rotate{where=values}`); what stands in the way is reported.
mlir::LogicalResult rotateValues(mlir::func::FuncOp step, const RotationRequest &request,
                                 ParameterRewrite &rewrite);

/// Rotates queries and keys behind their positions, by an operation (`rotate{where=keys}`).
mlir::LogicalResult rotateKeys(mlir::func::FuncOp step, const RotationRequest &request,
                               ParameterRewrite &rewrite);

/// Rotates the inputs of the linears that end MLPs, by an operation (`rotate{where=down}`).
mlir::LogicalResult rotateDown(mlir::func::FuncOp step, const RotationRequest &request,
                               ParameterRewrite &rewrite);

/// Runs `rewrite` on the flat form of a module and stores what becomes of its parameters.
mlir::LogicalResult rewriteModel(
    mlir::ModuleOp module,
    llvm::function_ref<mlir::LogicalResult(mlir::func::FuncOp, ParameterRewrite &)> rewrite);

} // namespace llmc

#endif // LLMC_TRANSFORMS_REWRITES_MODELREWRITE_H
