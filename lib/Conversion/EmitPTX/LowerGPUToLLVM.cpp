//===- LowerGPUToLLVM.cpp - from a kernel's threads to the LLVM dialect ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/EmitPTX/EmitPTX.h"
#include "llmc/Conversion/SPMDToGPU/SPMDToGPU.h"
#include "llmc/Dialect/SPMD/IR/SPMD.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace llmc;

/// Upstream's conversions leave alone what they don't know.
static LogicalResult checkConverted(ModuleOp code) {
  WalkResult result = code.walk([](Operation *op) {
    if (isa_and_nonnull<LLVM::LLVMDialect, NVVM::NVVMDialect, BuiltinDialect>(op->getDialect()))
      return WalkResult::advance();
    op->emitOpError("has no conversion to the LLVM dialect");
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

/// Threads of a group meet in functions: calls must stay where they are. What is called from many
/// stages is there once.
static void setAttributes(ModuleOp code) {
  for (auto function : code.getOps<LLVM::LLVMFuncOp>()) {
    function.setConvergent(true);
    if (function->removeAttr(gpuTargetAttrName)) {
      function->setAttr(NVVM::NVVMDialect::getKernelFuncAttrName(),
                        UnitAttr::get(code.getContext()));
      continue;
    }
    function.setNoInline(true);
    function.setLinkage(LLVM::Linkage::Internal);
  }
}

LogicalResult llmc::lowerGPUToLLVM(ModuleOp code) {
  for (auto program : llvm::make_early_inc_range(code.getOps<spmd::ProgramOp>()))
    program.erase();
  PassManager passes(code.getContext());
  passes.addPass(createCSEPass());
  passes.addPass(createSCFToControlFlowPass());
  passes.addPass(createArithToLLVMConversionPass());
  passes.addPass(createConvertIndexToLLVMPass());
  passes.addPass(createConvertControlFlowToLLVMPass());
  passes.addPass(createConvertFuncToLLVMPass());
  passes.addPass(createReconcileUnrealizedCastsPass());
  if (failed(passes.run(code)) || failed(checkConverted(code)))
    return failure();
  setAttributes(code);
  return success();
}
