//===- SPMDToCPU.cpp - from plans to kernels for CPUs ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/SPMDToCPU/SPMDToCPU.h"
#include "FunctionConverter.h"
#include "PrefetchWeights.h"

using namespace mlir;
using namespace llmc;

/// The entry of a plan, which has one for no target yet.
static FailureOr<spmd::EntryOp> getEntry(ModuleOp plan) {
  if (!getProgram(plan))
    return plan.emitError("expected a plan, which has a spmd.program");
  if (std::optional<StringRef> triple = getProgram(plan).getTriple())
    return getProgram(plan).emitOpError("expected a plan for no target yet, found one for '")
           << *triple << "'";
  SmallVector<spmd::EntryOp> entries(plan.getOps<spmd::EntryOp>());
  if (entries.size() != 1 || entries.front().getTargetAttr())
    return getProgram(plan).emitOpError("expected one entry without a target beside it");
  return entries.front();
}

/// Whether weights of the plan are found in tables, or spread by masks: by shuffles of bytes. What
/// floats of 6 and 8 bits stand for is found in tables too.
static bool shufflesBytes(ModuleOp plan) {
  WalkResult result = plan.walk([](Operation *op) {
    for (Type type : op->getOperandTypes()) {
      auto tensor = dyn_cast<RankedTensorType>(type);
      auto encoding = tensor ? dyn_cast_or_null<EncodingInterface>(tensor.getEncoding()) : nullptr;
      if (encoding && llvm::any_of(encoding.getPlanes({1, 1}), [](const Plane &plane) {
            constexpr unsigned inRegister = 4;
            bool isFound = plane.isFloat() && plane.isOfCodes() && plane.getBits() > inRegister;
            return plane.isTable() || plane.kept != 0 || (isFound && plane.columns == 1);
          }))
        return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return result.wasInterrupted();
}

/// The variants without those that another one does as well as.
static SmallVector<const KernelTarget *> getNeededVariants(ModuleOp plan, const Target &target) {
  if (shufflesBytes(plan))
    return target.variants;
  SmallVector<const KernelTarget *> needed;
  for (const KernelTarget *variant : target.variants)
    if (llvm::none_of(target.variants,
                      [&](const KernelTarget *other) { return other->name == variant->without; }))
      needed.push_back(variant);
  return needed;
}

FailureOr<OwningOpRef<ModuleOp>> llmc::convertSPMDToCPU(ModuleOp plan, const Target &target,
                                                        const KernelChoice &kernels) {
  plan.getContext()->loadDialect<cpu::CPUDialect>();
  loadKernelDialects(plan.getContext());
  loadMeaningDialects(plan.getContext());
  FailureOr<spmd::EntryOp> entry = getEntry(plan);
  if (failed(entry))
    return failure();
  OwningOpRef<ModuleOp> code = ModuleOp::create(plan.getLoc());
  auto program =
      cast<spmd::ProgramOp>(OpBuilder::atBlockBegin(code->getBody()).clone(*getProgram(plan)));
  int64_t workerArenaBytes = 0;
  for (const KernelTarget *variant : getNeededVariants(plan, target)) {
    for (auto function : plan.getOps<func::FuncOp>()) {
      FunctionConverter converter(*code, program, *variant, kernels, function);
      FailureOr<func::FuncOp> converted = converter.convert();
      if (failed(converted))
        return failure();
      // Blocks of a GPU have ways of their own.
      if (variant->warps == 0)
        prefetchNextWeights(*code, *converted);
      workerArenaBytes = std::max(workerArenaBytes, converter.getWorkerArenaBytes());
    }
    setTarget(*code, *variant);
    auto name = [&](StringRef function) { return (function + "_" + variant->name).str(); };
    addEntry(*code, *variant, name(entry->getRow()), name(entry->getRows()));
  }
  code->walk([&](cpu::FieldOp op) {
    if (op.getField() == cpu::Field::WorkerArena)
      op.setStride(workerArenaBytes);
  });
  program.setTriple(target.triple.str());
  spmd::SizesAttr sizes = program.getSizes();
  program.setSizesAttr(spmd::SizesAttr::get(
      plan.getContext(), sizes.getVocabulary(), sizes.getPositions(), sizes.getMaxRows(),
      sizes.getWeightBytes(), sizes.getArenaBytes(), workerArenaBytes, sizes.getStateBytes()));
  return code;
}

/// Chooses kernels for a plan that was made just now, if it was.
static FailureOr<OwningOpRef<ModuleOp>> convert(FailureOr<OwningOpRef<ModuleOp>> plan,
                                                const Target &target, const KernelChoice &kernels) {
  if (failed(plan))
    return failure();
  return convertSPMDToCPU(**plan, target, kernels);
}

FailureOr<OwningOpRef<ModuleOp>> llmc::lowerToCPU(ModuleOp module, const WeightTable &weights,
                                                  const Target &target, int64_t maxRows,
                                                  const KernelChoice &kernels) {
  return convert(planStep(module, weights, maxRows), target, kernels);
}

FailureOr<OwningOpRef<ModuleOp>> llmc::lowerPartToCPU(func::FuncOp part, const WeightTable &weights,
                                                      const Target &target, int64_t maxRows,
                                                      const KernelChoice &kernels) {
  return convert(planPart(part, weights, maxRows), target, kernels);
}
