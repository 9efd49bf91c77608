//===- ConvertLLMCToSPMD.cpp - from the language of models to plans, as a pass ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/LLMCToSPMD/Description.h"
#include "llmc/Conversion/LLMCToSPMD/LLMCToSPMD.h"
#include "llmc/Conversion/LLMCToSPMD/Passes.h"
#include "llmc/Dialect/SPMD/IR/SPMD.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

namespace llmc {
#define GEN_PASS_DEF_CONVERTLLMCTOSPMD
#include "llmc/Conversion/LLMCToSPMD/Passes.h.inc"
} // namespace llmc

using namespace mlir;
using namespace llmc;

namespace {

struct ConvertLLMCToSPMDPass : llmc::impl::ConvertLLMCToSPMDBase<ConvertLLMCToSPMDPass> {
  using ConvertLLMCToSPMDBase::ConvertLLMCToSPMDBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    // What it was read from is a model's name, as far as a pass knows it.
    auto file = module.getLoc()->findInstanceOf<FileLineColLoc>();
    StringRef input = file ? file.getFilename().getValue() : StringRef();
    input = input == "<stdin>" ? StringRef() : input;
    auto passes = dyn_cast_if_present<StringAttr>(module->removeAttr(passesAttributeName));
    FailureOr<OwningOpRef<ModuleOp>> plan =
        planModel(module, maxRows, {input, passes ? passes.getValue() : StringRef()});
    if (failed(plan))
      return signalPassFailure();
    module.getBodyRegion().takeBody((*plan)->getBodyRegion());
  }
};

} // namespace
