//===- FoldNorms.cpp - gains of norms become a part of weights ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Passes.h"
#include "llmc/Transforms/Rewrites/ModelRewrite.h"
#include "llmc/Transforms/Rewrites/NormFolding.h"

namespace llmc {
#define GEN_PASS_DEF_FOLDNORMS
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc

using namespace mlir;
using namespace llmc;

LogicalResult llmc::foldNorms(func::FuncOp step, ParameterRewrite &rewrite) {
  Structure structure(step);
  llvm::MapVector<Operation *, std::string> reasons;
  step.walk([&](Operation *op) {
    if (isNorm(op))
      reasons[op] = "what reads it is no linear";
  });
  for (const InputScale &scale : structure.getScales()) {
    Operation *norm = scale.isPossible() ? scale.producer : scale.input.getDefiningOp();
    while (isa_and_nonnull<OutputRowsOp>(norm))
      norm = norm->getOperand(0).getDefiningOp();
    if (!reasons.contains(norm))
      continue;
    FailureOr<std::string> reason = foldNorm(scale, rewrite);
    if (failed(reason))
      return failure();
    reasons[norm] = *reason;
  }
  for (auto &[norm, reason] : reasons)
    if (!reason.empty())
      norm->emitRemark("fold-norms: left as it is: ") << reason;
  return success();
}

namespace {

struct FoldNorms : llmc::impl::FoldNormsBase<FoldNorms> {
  using FoldNormsBase::FoldNormsBase;

  void runOnOperation() override {
    if (failed(rewriteModel(getOperation(), foldNorms)))
      signalPassFailure();
  }
};

} // namespace
