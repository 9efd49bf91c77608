//===- LLMCToSPMD.cpp - from the language of models to stages of kernels ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/LLMCToSPMD/LLMCToSPMD.h"
#include "FunctionPlanner.h"
#include "llmc/Conversion/Kernels/Kernels.h"

using namespace mlir;
using namespace llmc;

/// Plans where caches lie in a sequence's state; gives the offset of each of @step's.
static SmallVector<int64_t> planState(func::FuncOp step, SPMDProgram &program) {
  SmallVector<int64_t> offsets;
  for (Type type : step.getArgumentTypes()) {
    auto cache = dyn_cast<KVCacheType>(type);
    if (!cache)
      continue;
    CacheLayout layout = CacheLayout::get(cache);
    int64_t offset = llvm::alignTo(program.stateBytes, 64);
    offsets.push_back(offset);
    program.context =
        program.context == 0 ? cache.getCapacity() : std::min(program.context, cache.getCapacity());
    for (int64_t head = 0; head < layout.heads; ++head) {
      program.regions.push_back({offset + head * layout.keyHeadBytes,
                                 layout.headSize * layout.keys.getIntOrFloatBitWidth() / 8, 16});
      program.regions.push_back({offset + layout.valueOffset + head * layout.valueHeadBytes,
                                 layout.headSize * layout.values.getIntOrFloatBitWidth() / 8, 1});
    }
    program.stateBytes = offset + layout.size;
  }
  return offsets;
}

//===----------------------------------------------------------------------===//
// Variants
//===----------------------------------------------------------------------===//

std::string llmc::getEntryName(const KernelTarget &target) {
  std::string name = "step_" + target.name.str();
  llvm::replace(name, '-', '_');
  return name;
}

static spmd::TargetAttr getTargetAttr(MLIRContext *context, const KernelTarget &target) {
  return spmd::TargetAttr::get(context, target.name, target.cpu, target.llvmFeatures, target.dot);
}

void llmc::setTarget(ModuleOp code, const KernelTarget &target) {
  spmd::TargetAttr attribute = getTargetAttr(code.getContext(), target);
  for (auto function : code.getOps<func::FuncOp>())
    if (!function->hasAttr(spmd::SPMDDialect::targetAttrName))
      function->setAttr(spmd::SPMDDialect::targetAttrName, attribute);
}

void llmc::addEntry(ModuleOp code, const KernelTarget &target, StringRef row, StringRef rows) {
  OpBuilder builder = OpBuilder::atBlockEnd(code.getBody());
  spmd::EntryOp::create(builder, code.getLoc(), getEntryName(target), row, rows,
                        getTargetAttr(code.getContext(), target));
}

/// Gives each worker as many bytes of its own as any kernel takes.
static void setWorkerArena(ModuleOp code, int64_t bytes) {
  code.walk([&](spmd::FieldOp op) {
    if (op.getField() == spmd::Field::WorkerArena)
      op.setStride(bytes);
  });
}

//===----------------------------------------------------------------------===//
// Programs
//===----------------------------------------------------------------------===//

static void loadDialects(MLIRContext *context) {
  context->loadDialect<spmd::SPMDDialect>();
  loadKernelDialects(context);
}

FailureOr<SPMDProgram> llmc::lowerToSPMD(ModuleOp module, const WeightTable &weights,
                                         const SPMDOptions &options) {
  loadDialects(module.getContext());
  auto step = module.lookupSymbol<func::FuncOp>(LLMCDialect::stepFunctionName);
  if (!step || step.isExternal())
    return module.emitError("expected a function @")
           << LLMCDialect::stepFunctionName << " that computes a step of the model";
  if (options.maxRows < 1)
    return module.emitError("expected steps of at least 1 row, found ") << options.maxRows;

  SPMDProgram program;
  program.code = ModuleOp::create(module.getLoc());
  program.maxRows = options.maxRows;
  SmallVector<int64_t> cacheOffsets = planState(step, program);
  if (cacheOffsets.empty())
    return step.emitOpError("expected at least one cache, which says how long a text may be");
  auto logits = dyn_cast<RankedTensorType>(step.getNumResults() == 1 ? step.getResultTypes().front()
                                                                     : Type());
  if (!logits || logits.getRank() != 2)
    return step.emitOpError("expected a step to give one matrix, its logits");
  program.vocabulary = logits.getDimSize(1);

  for (const KernelTarget *target : options.targets) {
    std::string row, rows;
    for (bool oneRow : {true, false}) {
      PlanContext context{weights, *target, *program.code, oneRow, options.maxRows, 0, {}, {}};
      FailureOr<PlanContext::Planned> planned =
          FunctionPlanner(context, step).planStep(cacheOffsets);
      if (failed(planned))
        return failure();
      (oneRow ? row : rows) = planned->function.getName();
      program.arenaBytes = std::max(program.arenaBytes, planned->frameBytes);
      program.workerArenaBytes = std::max(program.workerArenaBytes, context.workerArenaBytes);
    }
    setTarget(*program.code, *target);
    addEntry(*program.code, *target, row, rows);
    program.variants.push_back(target);
  }
  setWorkerArena(*program.code, program.workerArenaBytes);
  return program;
}

FailureOr<SPMDProgram> llmc::lowerPartToSPMD(func::FuncOp part, const WeightTable &weights,
                                             const SPMDOptions &options) {
  loadDialects(part.getContext());
  SPMDProgram program;
  program.code = ModuleOp::create(part.getLoc());
  program.maxRows = options.maxRows;
  SmallVector<int64_t> cacheOffsets = planState(part, program);
  for (const KernelTarget *target : options.targets) {
    PlanContext context{weights, *target, *program.code, /*oneRow=*/false, options.maxRows, 0,
                        {},      {}};
    FailureOr<PlanContext::Planned> planned = FunctionPlanner(context, part).planPart(cacheOffsets);
    if (failed(planned))
      return failure();
    std::string name = planned->function.getName().str();
    setTarget(*program.code, *target);
    addEntry(*program.code, *target, name, name);
    program.variants.push_back(target);
    program.arenaBytes = std::max(program.arenaBytes, planned->frameBytes);
    program.workerArenaBytes = std::max(program.workerArenaBytes, context.workerArenaBytes);
  }
  setWorkerArena(*program.code, program.workerArenaBytes);
  return program;
}
