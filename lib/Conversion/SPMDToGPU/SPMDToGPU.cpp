//===- SPMDToGPU.cpp - from plans to a kernel for GPUs ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/SPMDToGPU/SPMDToGPU.h"
#include "GridProgram.h"
#include "llmc/Conversion/SPMDToCPU/SPMDToCPU.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace llmc;

/// What kernels are chosen for: the register tiles of one thread, which has a lane of each vector.
static const KernelTarget kernelTarget = {"cuda",
                                          "",
                                          "",
                                          /*features=*/0,
                                          /*floatRows=*/8,
                                          /*floatTiles=*/2,
                                          /*integerRows=*/4,
                                          /*integerTiles=*/2,
                                          /*fma=*/true,
                                          /*halfConversion=*/true,
                                          /*warps=*/0,
                                          cpu::DotLowering::Plain};

/// Parts have no kernel: only what runs whole steps launches one.
static LogicalResult checkWhole(ModuleOp plan) {
  WalkResult result = plan.walk([](spmd::ActivationsOp op) {
    op.emitOpError("is of a part of a model, which has no code for GPUs: expected a whole model");
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

/// Everything lies in global memory but what the threads of a block share.
static void placeInGlobalMemory(ModuleOp code) {
  Type pointer = LLVM::LLVMPointerType::get(code.getContext(), globalMemory);
  auto place = [&](Value value) {
    auto type = dyn_cast<LLVM::LLVMPointerType>(value.getType());
    if (type && type.getAddressSpace() == 0)
      value.setType(pointer);
  };
  code.walk([&](Operation *op) {
    if (auto table = dyn_cast<LLVM::GlobalOp>(op); table && table.getAddrSpace() == 0)
      table.setAddrSpace(globalMemory);
    llvm::for_each(op->getResults(), place);
    for (Region &region : op->getRegions())
      for (Block &block : region)
        llvm::for_each(block.getArguments(), place);
  });
  for (auto function : code.getOps<func::FuncOp>())
    function.setFunctionType(
        FunctionType::get(code.getContext(), function.front().getArgumentTypes(), {}));
}

/// Whether a function is one of the plan's: all others are kernels.
static bool takesStep(func::FuncOp function) {
  return llvm::any_of(function.getArgumentTypes(), llvm::IsaPred<spmd::StepType>);
}

bool llmc::isOfBlock(func::FuncOp kernel) {
  return kernel.walk([](NVVM::MmaOp) { return WalkResult::interrupt(); }).wasInterrupted();
}

static LogicalResult distributeKernels(ModuleOp code) {
  for (auto function : code.getOps<func::FuncOp>()) {
    if (takesStep(function) || isOfBlock(function))
      continue;
    FailureOr<GroupWork> work = distributeLanes(function);
    if (failed(work))
      return failure();
    synchronizeGroups(function, *work);
  }
  return success();
}

/// A worker is a block, whose groups have scratch of their own.
static void setSizes(spmd::ProgramOp program, const GPUTarget &target) {
  spmd::SizesAttr sizes = program.getSizes();
  int64_t groups = target.threads / groupThreads;
  program.setSizesAttr(
      spmd::SizesAttr::get(program.getContext(), sizes.getVocabulary(), sizes.getPositions(),
                           sizes.getMaxRows(), sizes.getWeightBytes(), sizes.getArenaBytes(),
                           sizes.getWorkerArenaBytes() * groups, sizes.getStateBytes()));
}

FailureOr<OwningOpRef<ModuleOp>> llmc::convertSPMDToGPU(ModuleOp plan, const GPUTarget &target,
                                                        const KernelChoice &kernels) {
  plan.getContext()->loadDialect<NVVM::NVVMDialect>();
  if (failed(checkWhole(plan)))
    return failure();
  KernelTarget ofBlock = kernelTarget;
  ofBlock.warps = static_cast<uint16_t>(target.threads / warpThreads);
  Target lanes{llvm::Triple("nvptx64-nvidia-cuda"), {&ofBlock}};
  FailureOr<OwningOpRef<ModuleOp>> code = convertSPMDToCPU(plan, lanes, kernels);
  if (failed(code))
    return failure();
  for (auto function : (*code)->getOps<func::FuncOp>())
    function->removeAttr(cpu::CPUDialect::targetAttrName);
  placeInGlobalMemory(**code);
  setSizes(getProgram(**code), target);
  if (failed(distributeKernels(**code)) ||
      failed(lowerSteps(**code, *(*code)->getOps<spmd::EntryOp>().begin(), target)))
    return failure();
  return code;
}

Operation *llmc::getKernel(ModuleOp program) {
  for (Operation &op : *program.getBody())
    if (op.hasAttr(gpuTargetAttrName) || op.hasAttr(NVVM::NVVMDialect::getKernelFuncAttrName()))
      return &op;
  return nullptr;
}
