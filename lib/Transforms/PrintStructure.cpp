//===- PrintStructure.cpp - writes what the analysis of structure finds ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Analysis/Structure.h"
#include "llmc/Transforms/Blocks.h"
#include "llmc/Transforms/Passes.h"

using namespace mlir;
using namespace llmc;

namespace llmc {
#define GEN_PASS_DEF_PRINTSTRUCTURE
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc

namespace {

struct PrintStructure : public llmc::impl::PrintStructureBase<PrintStructure> {
  using PrintStructureBase::PrintStructureBase;

  void runOnOperation() override {
    // The flat form is made of a copy: the module stays as it is.
    OwningOpRef<ModuleOp> copy(getOperation().clone());
    auto step = copy->lookupSymbol<func::FuncOp>(LLMCDialect::stepFunctionName);
    if (!step) {
      getOperation().emitError("expected a raised module, with a function @")
          << LLMCDialect::stepFunctionName << ", found none";
      return signalPassFailure();
    }
    if (failed(inlineBlocks(*copy)))
      return signalPassFailure();
    Structure(step).print(llvm::errs());
    markAllAnalysesPreserved();
  }
};

} // namespace
