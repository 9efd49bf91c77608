//===- ConvertSPMDToGPU.cpp - from plans to a kernel for GPUs, as a pass ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/SPMDToGPU/Passes.h"
#include "llmc/Conversion/SPMDToGPU/SPMDToGPU.h"
#include "llmc/Dialect/CPU/IR/CPU.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace llmc {
#define GEN_PASS_DEF_CONVERTSPMDTOGPU
#include "llmc/Conversion/SPMDToGPU/Passes.h.inc"
} // namespace llmc

using namespace mlir;
using namespace llmc;

namespace {

struct ConvertSPMDToGPUPass : llmc::impl::ConvertSPMDToGPUBase<ConvertSPMDToGPUPass> {
  using ConvertSPMDToGPUBase::ConvertSPMDToGPUBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    llvm::Expected<GPUTarget> parsed = GPUTarget::parse(target);
    if (!parsed) {
      module.emitError("target: ") << llvm::toString(parsed.takeError());
      return signalPassFailure();
    }
    constexpr int64_t warp = 32, most = 1024;
    if (threads < warp || threads > most || threads % warp != 0) {
      module.emitError("threads: expected a multiple of ")
          << warp << " up to " << most << ", found " << threads.getValue();
      return signalPassFailure();
    }
    parsed->threads = threads;
    FailureOr<KernelChoice> choice = KernelChoice::parseOption(module, kernels);
    if (failed(choice))
      return signalPassFailure();
    FailureOr<OwningOpRef<ModuleOp>> code = convertSPMDToGPU(module, *parsed, *choice);
    if (failed(code))
      return signalPassFailure();
    module.getBodyRegion().takeBody((*code)->getBodyRegion());
  }
};

} // namespace
