//===- LLMCToSPMD.cpp - from the language of models to plans ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/LLMCToSPMD/LLMCToSPMD.h"
#include "FunctionPlanner.h"
#include "GroupTensorAlgebra.h"
#include "llmc/Conversion/LLMCToSPMD/Description.h"
#include "llmc/Dialect/LLMC/IR/CacheLayout.h"

#include "mlir/IR/AttrTypeSubElements.h"

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
  auto add = [&](int64_t offset, int64_t stride, int64_t block, int64_t kept, int64_t recent) {
    plan.regions.push_back(
        spmd::RegionAttr::get(step.getContext(), offset, stride, block, kept, recent));
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
    auto addArray = [&](const CacheArray &array, const CacheRing &ring, int64_t recent,
                        int64_t head) {
      for (const CachePlane &plane : array.planes) {
        int64_t at = offset + array.offset + head * array.headBytes + plane.offset;
        int64_t stride = plane.getStride();
        if (!ring.wraps()) {
          add(at, stride, plane.block, /*kept=*/0, /*recent=*/0);
          continue;
        }
        if (ring.fixed != 0)
          add(at, stride, plane.block, ring.fixed, /*recent=*/0);
        add(at + ring.fixed * stride, stride, plane.block, ring.turning, recent);
      }
    };
    for (int64_t head = 0; head < layout.heads; ++head) {
      for (const CacheArray &array : {layout.keys, layout.values})
        if (head < array.heads)
          addArray(array, layout.stored, layout.window.value_or(0), head);
      for (const auto &array : {layout.exactKeys, layout.exactValues})
        if (array && head < array->heads)
          addArray(*array, layout.exact, cache.getRecentPositions(), head);
    }
    // Scores, and what was chosen by them, are those of the newest position alone.
    if (int64_t scoreBytes = layout.heads * layout.getScoreBytes())
      add(offset + layout.scores, scoreBytes, /*block=*/1, /*kept=*/1, /*recent=*/1);
    plan.bytes = offset + layout.size;
  }
  return plan;
}

//===----------------------------------------------------------------------===//
// Programs
//===----------------------------------------------------------------------===//

spmd::ProgramOp llmc::getProgram(ModuleOp module) {
  auto programs = module.getOps<spmd::ProgramOp>();
  return programs.empty() ? nullptr : *programs.begin();
}

/// Adds what the runtime is told, as far as it does not depend on a target.
static void addProgram(ModuleOp plan, const StatePlan &state, const WeightTable &weights,
                       int64_t vocabulary, int64_t maxRows, int64_t arenaBytes) {
  OpBuilder builder = OpBuilder::atBlockBegin(plan.getBody());
  auto sizes = spmd::SizesAttr::get(builder.getContext(), vocabulary, state.context, maxRows,
                                    weights.getByteSize(), arenaBytes, /*worker_arena_bytes=*/0,
                                    state.bytes);
  auto program =
      spmd::ProgramOp::create(builder, plan.getLoc(), /*triple=*/StringAttr(), sizes,
                              builder.getArrayAttr(state.regions), builder.getStringAttr("{}"));
  program.getWeights().emplaceBlock();
  weights.write(program);
}

static void addEntry(ModuleOp plan, StringRef name, func::FuncOp row, func::FuncOp rows) {
  OpBuilder builder = OpBuilder::atBlockEnd(plan.getBody());
  spmd::EntryOp::create(builder, plan.getLoc(), name, row.getName(), rows.getName(),
                        /*target=*/Attribute());
}

static void placePositions(ModuleOp module, int64_t maxRows) {
  AttrTypeReplacer replacer;
  replacer.addReplacement(
      [&](KVCacheType type) -> Type { return llmc::placePositions(type, maxRows); });
  replacer.recursivelyReplaceElementsIn(module, /*replaceAttrs=*/true, /*replaceLocs=*/false,
                                        /*replaceTypes=*/true);
}

/// Rounds groups of positions behind every append that may fill one.
static void roundGroups(ModuleOp module) {
  module.walk([](CacheAppendOp append) {
    if (getCachePositions(append.getCache().getType().getKeys()) == 1)
      return;
    OpBuilder builder(append->getBlock(), std::next(append->getIterator()));
    auto round = CacheRoundOp::create(builder, append.getLoc(), append.getResult().getType(),
                                      append.getResult(), append.getRows());
    append.getResult().replaceAllUsesExcept(round.getResult(), round);
  });
}

/// The function of that name in a copy of its module, where shared values are values and tensor
/// algebra is in pieces: the planner writes on what it plans. Null where that can't be.
static func::FuncOp copyModule(func::FuncOp function, int64_t maxRows,
                               OwningOpRef<ModuleOp> &copy) {
  copy = function->getParentOfType<ModuleOp>().clone();
  placePositions(*copy, maxRows);
  roundGroups(*copy);
  materializeSharedValues(*copy);
  if (failed(groupTensorAlgebra(*copy)))
    return {};
  return copy->lookupSymbol<func::FuncOp>(function.getName());
}

FailureOr<OwningOpRef<ModuleOp>> llmc::planStep(ModuleOp module, const WeightTable &weights,
                                                int64_t maxRows) {
  module.getContext()->loadDialect<spmd::SPMDDialect, func::FuncDialect>();
  auto original = module.lookupSymbol<func::FuncOp>(LLMCDialect::stepFunctionName);
  if (!original || original.isExternal())
    return module.emitError("expected a function @")
           << LLMCDialect::stepFunctionName << " that computes a step of the model";
  if (maxRows < 1 || maxRows > maxRowsOfStep)
    return module.emitError("expected steps of 1 to ")
           << maxRowsOfStep << " rows, found " << maxRows;
  if (llvm::none_of(original.getArgumentTypes(), llvm::IsaPred<KVCacheType>))
    return original.emitOpError("expected at least one cache, which says how long a text may be");
  auto logits = dyn_cast_or_null<RankedTensorType>(
      original.getNumResults() == 1 ? original.getResultTypes().front() : Type());
  if (!logits || logits.getRank() != 2)
    return original.emitOpError("expected a step to give one matrix, its logits");

  OwningOpRef<ModuleOp> copy, plan = ModuleOp::create(module.getLoc());
  func::FuncOp step = copyModule(original, maxRows, copy);
  if (!step)
    return failure();
  FailureOr<StatePlan> state = planState(step);
  if (failed(state))
    return failure();
  SmallVector<func::FuncOp> functions;
  int64_t arenaBytes = 0;
  for (bool oneRow : {true, false}) {
    PlanContext context{*plan, oneRow, maxRows, {}, {}};
    FailureOr<PlanContext::Planned> planned =
        FunctionPlanner(context, step).planStep(state->cacheOffsets);
    if (failed(planned))
      return failure();
    functions.push_back(planned->function);
    arenaBytes = std::max(arenaBytes, planned->frameBytes);
  }
  addEntry(*plan, step.getName(), functions[0], functions[1]);
  addProgram(*plan, *state, weights, logits.getDimSize(1), maxRows, arenaBytes);
  return plan;
}

FailureOr<OwningOpRef<ModuleOp>> llmc::planPart(func::FuncOp original, const WeightTable &weights,
                                                int64_t maxRows) {
  original.getContext()->loadDialect<spmd::SPMDDialect, func::FuncDialect>();
  OwningOpRef<ModuleOp> copy, plan = ModuleOp::create(original.getLoc());
  func::FuncOp part = copyModule(original, maxRows, copy);
  if (!part)
    return failure();
  FailureOr<StatePlan> state = planState(part);
  if (failed(state))
    return failure();
  PlanContext context{*plan, /*oneRow=*/false, maxRows, {}, {}};
  FailureOr<PlanContext::Planned> planned =
      FunctionPlanner(context, part).planPart(state->cacheOffsets);
  if (failed(planned))
    return failure();
  addEntry(*plan, part.getName(), planned->function, planned->function);
  addProgram(*plan, *state, weights, /*vocabulary=*/0, maxRows, planned->frameBytes);
  return plan;
}

FailureOr<OwningOpRef<ModuleOp>> llmc::planModel(ModuleOp module, int64_t maxRows,
                                                 ModelNames names) {
  FailureOr<WeightTable> weights = WeightTable::plan(module);
  if (failed(weights))
    return failure();
  FailureOr<OwningOpRef<ModuleOp>> plan = planStep(module, *weights, maxRows);
  if (succeeded(plan))
    getProgram(**plan).setDescription(spellDescription(describe(module, names)));
  return plan;
}
