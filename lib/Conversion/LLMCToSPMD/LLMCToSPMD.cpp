//===- LLMCToSPMD.cpp - from the language of models to stages of kernels ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/LLMCToSPMD/LLMCToSPMD.h"
#include "FunctionPlanner.h"
#include "llmc/Conversion/Kernels/Kernels.h"
#include "llmc/Conversion/LLMCToSPMD/Description.h"

using namespace mlir;
using namespace llmc;

/// Where caches lie in a sequence's state.
struct StatePlan {
  SmallVector<int64_t> cacheOffsets; ///< of each of @step's caches
  SmallVector<Attribute> regions;
  int64_t bytes = 0, context = 0;
};

/// More heads of keys and values than any model has, over all layers: each is a region, which the
/// runtime goes through.
static constexpr int64_t maxStateHeads = 1 << 18;

static FailureOr<StatePlan> planState(func::FuncOp step) {
  StatePlan plan;
  int64_t heads = 0;
  auto add = [&](int64_t offset, int64_t stride, int64_t block) {
    plan.regions.push_back(spmd::RegionAttr::get(step.getContext(), offset, stride, block));
  };
  for (Type type : step.getArgumentTypes()) {
    auto cache = dyn_cast<KVCacheType>(type);
    if (!cache)
      continue;
    CacheLayout layout = CacheLayout::get(cache);
    heads += layout.heads;
    if (heads > maxStateHeads)
      return step.emitOpError("expected caches of at most ")
             << maxStateHeads << " heads together, found " << cache << " among them";
    int64_t offset = llvm::alignTo(plan.bytes, 64);
    plan.cacheOffsets.push_back(offset);
    plan.context =
        plan.context == 0 ? cache.getCapacity() : std::min(plan.context, cache.getCapacity());
    for (int64_t head = 0; head < layout.heads; ++head) {
      add(offset + head * layout.keyHeadBytes,
          layout.headSize * layout.keys.getIntOrFloatBitWidth() / 8, 16);
      add(offset + layout.valueOffset + head * layout.valueHeadBytes,
          layout.headSize * layout.values.getIntOrFloatBitWidth() / 8, 1);
    }
    plan.bytes = offset + layout.size;
  }
  return plan;
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

/// Whether functions are for the instruction sets of the entries that call them: the runtime
/// chooses an entry by what its own variant needs.
static LogicalResult checkFunctionTargets(ModuleOp planned) {
  SymbolTable symbols(planned);
  auto check = [&](Operation *caller, StringRef callee, Attribute target) -> LogicalResult {
    Operation *function = symbols.lookup(callee);
    Attribute found = function ? function->getAttr(spmd::SPMDDialect::targetAttrName) : Attribute();
    if (found == target)
      return success();
    return caller->emitOpError("expected @")
           << callee << " to be for " << target << ", found " << found;
  };
  for (auto entry : planned.getOps<spmd::EntryOp>())
    for (StringRef name : {entry.getRow(), entry.getRows()})
      if (failed(check(entry, name, entry.getTarget())))
        return failure();
  WalkResult result = planned.walk([&](func::CallOp call) {
    auto caller = call->getParentOfType<func::FuncOp>();
    Attribute target = caller ? caller->getAttr(spmd::SPMDDialect::targetAttrName) : Attribute();
    return WalkResult(check(call, call.getCallee(), target));
  });
  return failure(result.wasInterrupted());
}

FailureOr<Target> llmc::getTarget(ModuleOp planned) {
  spmd::ProgramOp program = getProgram(planned);
  llvm::Expected<Target> known = Target::parse(program.getTriple());
  if (!known || known->triple.str() != program.getTriple()) {
    llvm::consumeError(known.takeError());
    return program.emitOpError("expected a target that llmc generates code for, such as "
                               "x86_64-unknown-linux-gnu, found '")
           << program.getTriple() << "'";
  }
  Target target{known->triple, {}};
  for (auto entry : planned.getOps<spmd::EntryOp>()) {
    auto variant = llvm::find_if(known->variants, [&](const KernelTarget *each) {
      return each->name == entry.getTarget().getName();
    });
    if (variant == known->variants.end())
      return entry.emitOpError("expected a variant of ")
             << target.triple.getArchName() << ", found '" << entry.getTarget().getName() << "'";
    spmd::TargetAttr expected = getTargetAttr(planned.getContext(), **variant);
    if (entry.getTarget() != expected)
      return entry.emitOpError("expected ") << expected << ", found " << entry.getTarget();
    if (entry.getSymName() != getEntryName(**variant))
      return entry.emitOpError("expected the entry of '")
             << (*variant)->name << "' to be called @" << getEntryName(**variant);
    target.variants.push_back(*variant);
  }
  if (target.variants.empty())
    return program.emitOpError("expected at least one entry beside it");
  if (failed(checkFunctionTargets(planned)))
    return failure();
  return target;
}

//===----------------------------------------------------------------------===//
// Programs
//===----------------------------------------------------------------------===//

spmd::ProgramOp llmc::getProgram(ModuleOp module) {
  auto programs = module.getOps<spmd::ProgramOp>();
  return programs.empty() ? nullptr : *programs.begin();
}

namespace {

/// A planned module in the making.
struct ProgramPlan {
  OwningOpRef<ModuleOp> code;
  int64_t vocabulary = 0, arenaBytes = 0, workerArenaBytes = 0;

  /// Takes note of the memory that a function needs.
  void add(const PlanContext::Planned &planned, const PlanContext &context) {
    arenaBytes = std::max(arenaBytes, planned.frameBytes);
    workerArenaBytes = std::max(workerArenaBytes, context.workerArenaBytes);
  }

  /// Adds what the runtime is told.
  OwningOpRef<ModuleOp> finish(const StatePlan &state, const WeightTable &weights,
                               const Target &target, int64_t maxRows) {
    code->walk([&](spmd::FieldOp op) {
      if (op.getField() == spmd::Field::WorkerArena)
        op.setStride(workerArenaBytes);
    });
    OpBuilder builder = OpBuilder::atBlockBegin(code->getBody());
    auto sizes =
        spmd::SizesAttr::get(builder.getContext(), vocabulary, state.context, maxRows,
                             weights.getByteSize(), arenaBytes, workerArenaBytes, state.bytes);
    auto program =
        spmd::ProgramOp::create(builder, code->getLoc(), target.triple.str(), sizes,
                                builder.getArrayAttr(state.regions), /*description=*/"{}");
    program.getWeights().emplaceBlock();
    return std::move(code);
  }
};

} // namespace

static void loadDialects(MLIRContext *context) {
  context->loadDialect<spmd::SPMDDialect>();
  loadKernelDialects(context);
}

FailureOr<OwningOpRef<ModuleOp>> llmc::lowerToSPMD(ModuleOp module, const WeightTable &weights,
                                                   const Target &target, int64_t maxRows) {
  loadDialects(module.getContext());
  auto step = module.lookupSymbol<func::FuncOp>(LLMCDialect::stepFunctionName);
  if (!step || step.isExternal())
    return module.emitError("expected a function @")
           << LLMCDialect::stepFunctionName << " that computes a step of the model";
  if (maxRows < 1 || maxRows > maxRowsOfStep)
    return module.emitError("expected steps of 1 to ")
           << maxRowsOfStep << " rows, found " << maxRows;
  FailureOr<StatePlan> state = planState(step);
  if (failed(state))
    return failure();
  if (state->cacheOffsets.empty())
    return step.emitOpError("expected at least one cache, which says how long a text may be");
  auto logits = dyn_cast<RankedTensorType>(step.getNumResults() == 1 ? step.getResultTypes().front()
                                                                     : Type());
  if (!logits || logits.getRank() != 2)
    return step.emitOpError("expected a step to give one matrix, its logits");

  ProgramPlan plan{ModuleOp::create(module.getLoc()), logits.getDimSize(1)};
  for (const KernelTarget *variant : target.variants) {
    std::string row, rows;
    for (bool oneRow : {true, false}) {
      PlanContext context{weights, *variant, *plan.code, oneRow, maxRows, 0, {}, {}};
      FailureOr<PlanContext::Planned> planned =
          FunctionPlanner(context, step).planStep(state->cacheOffsets);
      if (failed(planned))
        return failure();
      (oneRow ? row : rows) = planned->function.getName();
      plan.add(*planned, context);
    }
    setTarget(*plan.code, *variant);
    addEntry(*plan.code, *variant, row, rows);
  }
  return plan.finish(*state, weights, target, maxRows);
}

FailureOr<OwningOpRef<ModuleOp>> llmc::lowerPartToSPMD(func::FuncOp part,
                                                       const WeightTable &weights,
                                                       const Target &target, int64_t maxRows) {
  loadDialects(part.getContext());
  FailureOr<StatePlan> state = planState(part);
  if (failed(state))
    return failure();
  ProgramPlan plan{ModuleOp::create(part.getLoc())};
  for (const KernelTarget *variant : target.variants) {
    PlanContext context{weights, *variant, *plan.code, /*oneRow=*/false, maxRows, 0, {}, {}};
    FailureOr<PlanContext::Planned> planned =
        FunctionPlanner(context, part).planPart(state->cacheOffsets);
    if (failed(planned))
      return failure();
    std::string name = planned->function.getName().str();
    setTarget(*plan.code, *variant);
    addEntry(*plan.code, *variant, name, name);
    plan.add(*planned, context);
  }
  return plan.finish(*state, weights, target, maxRows);
}

FailureOr<OwningOpRef<ModuleOp>> llmc::planProgram(ModuleOp module, const Target &target,
                                                   int64_t maxRows, ModelNames names) {
  FailureOr<WeightTable> weights = WeightTable::plan(module);
  if (failed(weights))
    return failure();
  FailureOr<OwningOpRef<ModuleOp>> planned = lowerToSPMD(module, *weights, target, maxRows);
  if (failed(planned))
    return failure();
  spmd::ProgramOp program = getProgram(**planned);
  weights->write(program);
  program.setDescription(spellDescription(describe(module, names)));
  return planned;
}
