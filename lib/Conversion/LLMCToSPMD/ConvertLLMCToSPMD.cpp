//===- ConvertLLMCToSPMD.cpp - from the language of models to stages, as a pass ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/Kernels/Target.h"
#include "llmc/Conversion/LLMCToSPMD/LLMCToSPMD.h"
#include "llmc/Conversion/LLMCToSPMD/Passes.h"
#include "llmc/Dialect/SPMD/IR/SPMD.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
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
    llvm::Expected<Target> parsed = Target::parse(target);
    if (!parsed) {
      module.emitError("target: ") << llvm::toString(parsed.takeError());
      return signalPassFailure();
    }
    FailureOr<WeightTable> weights = WeightTable::plan(module);
    if (failed(weights))
      return signalPassFailure();
    FailureOr<SPMDProgram> program = lowerToSPMD(module, *weights, {maxRows, parsed->variants});
    if (failed(program))
      return signalPassFailure();
    module->setAttr("spmd.weights", describe(module, *weights));
    module->setAttr("spmd.program", describe(*program, *weights));
    module.getBodyRegion().takeBody(program->code->getBodyRegion());
  }

private:
  DictionaryAttr describe(const SPMDProgram &program, const WeightTable &weights) {
    Builder builder(&getContext());
    NamedAttrList list;
    for (auto [name, value] :
         {std::pair("vocabulary", program.vocabulary), std::pair("context", program.context),
          std::pair("max_rows", program.maxRows), std::pair("weight_bytes", weights.getByteSize()),
          std::pair("arena_bytes", program.arenaBytes),
          std::pair("worker_arena_bytes", program.workerArenaBytes),
          std::pair("state_bytes", program.stateBytes)})
      list.set(name, builder.getI64IntegerAttr(value));
    return list.getDictionary(&getContext());
  }

  DictionaryAttr describe(ModuleOp module, const WeightTable &weights) {
    Builder builder(&getContext());
    NamedAttrList offsets;
    for (auto parameter : module.getOps<ParameterOp>())
      if (weights.contains(parameter))
        offsets.set(parameter.getSymName(),
                    builder.getI64IntegerAttr(weights.lookup(parameter).offset));
    return offsets.getDictionary(&getContext());
  }
};

} // namespace
