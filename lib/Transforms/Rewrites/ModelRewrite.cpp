//===- ModelRewrite.cpp - exact rewrites of whole models ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Rewrites/ModelRewrite.h"
#include "llmc/Transforms/Blocks.h"

using namespace mlir;
using namespace llmc;

LogicalResult
llmc::rewriteModel(ModuleOp module,
                   function_ref<LogicalResult(func::FuncOp, ParameterRewrite &)> rewrite) {
  return changeFlat(module, [&]() -> LogicalResult {
    auto step = module.lookupSymbol<func::FuncOp>(LLMCDialect::stepFunctionName);
    if (!step)
      return module.emitError("expected a raised module, with a function @")
             << LLMCDialect::stepFunctionName << ", found none";
    ParameterRewrite parameters(module);
    return failure(failed(rewrite(step, parameters)) || failed(parameters.store()));
  });
}
