//===- ConvertSPMDToCPU.cpp - from plans to kernels for CPUs, as a pass ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/SPMDToCPU/Passes.h"
#include "llmc/Conversion/SPMDToCPU/SPMDToCPU.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace llmc {
#define GEN_PASS_DEF_CONVERTSPMDTOCPU
#include "llmc/Conversion/SPMDToCPU/Passes.h.inc"
} // namespace llmc

using namespace mlir;
using namespace llmc;

namespace {

struct ConvertSPMDToCPUPass : llmc::impl::ConvertSPMDToCPUBase<ConvertSPMDToCPUPass> {
  using ConvertSPMDToCPUBase::ConvertSPMDToCPUBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    llvm::Expected<Target> parsed = Target::parse(target);
    if (!parsed) {
      module.emitError("target: ") << llvm::toString(parsed.takeError());
      return signalPassFailure();
    }
    FailureOr<KernelChoice> choice = KernelChoice::parseOption(module, kernels);
    if (failed(choice))
      return signalPassFailure();
    FailureOr<OwningOpRef<ModuleOp>> code = convertSPMDToCPU(module, *parsed, *choice);
    if (failed(code))
      return signalPassFailure();
    module.getBodyRegion().takeBody((*code)->getBodyRegion());
  }
};

} // namespace
