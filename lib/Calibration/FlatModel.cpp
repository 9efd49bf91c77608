//===- FlatModel.cpp - a model without calls, cut into parts ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FlatModel.h"
#include "llmc/Analysis/Layers.h"
#include "llmc/Support/ReadValues.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace llmc;

//===----------------------------------------------------------------------===//
// Flattening
//===----------------------------------------------------------------------===//

LogicalResult FlatModel::inlineBody(func::FuncOp callee, IRMapping &mapping, OpBuilder &builder) {
  if (llvm::is_contained(active, callee))
    return callee.emitOpError("expected functions that do not call themselves");
  if (!callee.getBody().hasOneBlock())
    return callee.emitOpError("expected a body of one block");
  active.push_back(callee);
  for (Operation &op : callee.front().without_terminator()) {
    if (auto call = dyn_cast<func::CallOp>(op)) {
      hasCalls = true;
      auto inner = symbols.lookup<func::FuncOp>(call.getCallee());
      if (!inner || inner.isExternal())
        return call.emitOpError("expected a function with a body, found ") << call.getCalleeAttr();
      IRMapping nested;
      for (auto [argument, operand] : llvm::zip(inner.getArguments(), call.getOperands()))
        nested.map(argument, mapping.lookup(operand));
      if (failed(inlineBody(inner, nested, builder)))
        return failure();
      Operation *terminator = inner.front().getTerminator();
      for (auto [result, value] : llvm::zip(call.getResults(), terminator->getOperands()))
        mapping.map(result, nested.lookup(value));
      continue;
    }
    // All rows are run, so that nothing is left out.
    if (auto rows = dyn_cast<OutputRowsOp>(op)) {
      mapping.map(rows.getResult(), mapping.lookup(rows.getInput()));
      continue;
    }
    Operation *copy = builder.clone(op, mapping);
    if (auto linear = dyn_cast<LinearOp>(op))
      originals[copy] = linear;
    positions[copy] = operations.size();
    operations.push_back(copy);
  }
  active.pop_back();
  return success();
}

ParameterOp FlatModel::lookupParameter(Value value) const {
  auto read = value.getDefiningOp<ParameterValueOp>();
  return read ? symbols.lookup<ParameterOp>(read.getParameter()) : nullptr;
}

void FlatModel::noteValues(func::FuncOp step, const IRMapping &mapping) {
  auto note = [&](Value value) {
    Value here = mapping.lookupOrNull(value);
    if (!here)
      return;
    flatValues.insert({value, here});
    // The first is the one that computes it: later ones only choose rows.
    originalValues.try_emplace(here, value);
  };
  llvm::for_each(step.getArguments(), note);
  for (Operation &op : step.front())
    llvm::for_each(op.getResults(), note);
}

FailureOr<FlatModel> FlatModel::create(ModuleOp module,
                                       llvm::function_ref<bool(LinearOp, ParameterOp)> select) {
  FlatModel model(module);
  auto step = model.symbols.lookup<func::FuncOp>(LLMCDialect::stepFunctionName);
  if (!step || step.isExternal())
    return emitError(module.getLoc(), "expected a function @")
           << LLMCDialect::stepFunctionName << " that computes a step of the model";
  model.flat = ModuleOp::create(module.getLoc());
  OpBuilder builder = OpBuilder::atBlockBegin(model.flat->getBody());
  model.function =
      func::FuncOp::create(builder, step.getLoc(), step.getName(), step.getFunctionType());
  builder.setInsertionPointToStart(model.function.addEntryBlock());
  IRMapping mapping;
  mapping.map(step.getArguments(), model.function.getArguments());
  if (failed(model.inlineBody(step, mapping, builder)))
    return failure();
  model.noteValues(step, mapping);
  model.findSites(select);
  if (model.cuts.empty())
    return model;
  model.findBlocks();
  model.assignLevels();
  model.findNeeded();
  return model;
}

//===----------------------------------------------------------------------===//
// Cuts
//===----------------------------------------------------------------------===//

void FlatModel::findSites(llvm::function_ref<bool(LinearOp, ParameterOp)> select) {
  llvm::MapVector<Value, Cut> sites;
  DenseSet<Operation *> seen;
  for (auto [position, op] : llvm::enumerate(operations)) {
    auto linear = dyn_cast<LinearOp>(op);
    if (!linear)
      continue;
    auto [entry, isNew] = sites.try_emplace(linear.getInput());
    Cut &cut = entry->second;
    if (isNew) {
      cut.value = linear.getInput();
      cut.position = position;
    }
    cut.readers.push_back(linear);
    ParameterOp parameter = lookupParameter(linear.getWeight());
    if (!parameter || !select(originals[op], parameter))
      continue;
    cut.linears.push_back(originals[op]);
    if (seen.insert(parameter).second)
      cut.parameters.push_back(parameter);
  }
  for (auto &[value, cut] : sites)
    if (!cut.parameters.empty())
      cuts.push_back(std::move(cut));
}

/// Blocks are the layers up to the last site.
void FlatModel::findBlocks() {
  LayerStarts found = findLayerStarts(operations);
  const int64_t last = cuts.back().position;
  for (const LayerStart &start : found.starts) {
    if (start.attention > last)
      continue;
    Cut cut;
    cut.value = start.value;
    cut.position = start.position;
    cut.startsBlock = true;
    cuts.push_back(cut);
  }
  lastOutput = found.lastOutput;
  // A block starts before the site at the same place.
  llvm::sort(cuts, [](const Cut &a, const Cut &b) {
    return std::make_pair(a.position, !a.startsBlock) < std::make_pair(b.position, !b.startsBlock);
  });
}

int64_t FlatModel::getLevel(Value value) const {
  Operation *op = value.getDefiningOp();
  if (!op)
    return 0;
  if (!isRepeated(op))
    return levels.lookup(op);
  int64_t level = 0;
  for (Value operand : getReadValues(op))
    level = std::max(level, getLevelOfUse(operand, positions.lookup(op)));
  return level;
}

/// The first part in which the operation at `position` may read `value`.
int64_t FlatModel::getLevelOfUse(Value value, int64_t position) const {
  int64_t level = getLevel(value);
  for (auto [index, cut] : llvm::enumerate(cuts)) {
    if (cut.value != value)
      continue;
    bool after = cut.startsBlock ? position >= cut.position
                                 : llvm::is_contained(cut.readers, operations[position]);
    if (after)
      level = std::max<int64_t>(level, index + 1);
  }
  return level;
}

void FlatModel::assignLevels() {
  for (auto [index, op] : llvm::enumerate(operations)) {
    if (isRepeated(op))
      continue;
    int64_t level = 0;
    for (Value operand : getReadValues(op))
      level = std::max(level, getLevelOfUse(operand, index));
    levels[op] = level;
  }
}

/// Marks what the last cut's value depends on, and which part is the last to read each value.
void FlatModel::findNeeded() {
  SmallVector<std::pair<Value, int64_t>> work; // values, and the part that reads them
  for (auto [index, cut] : llvm::enumerate(cuts))
    work.push_back({cut.value, static_cast<int64_t>(index)}); // for its statistics
  while (!work.empty()) {
    auto [value, reader] = work.pop_back_val();
    auto [entry, isNew] = lastUses.try_emplace(value, -1);
    bool later = reader > entry->second;
    entry->second = std::max(entry->second, reader);
    Operation *op = value.getDefiningOp();
    if (!op)
      continue;
    // What is repeated reads its operands wherever it is read itself.
    if (isRepeated(op) ? !(isNew || later) : !needed.insert(op).second)
      continue;
    for (Value operand : getReadValues(op))
      work.push_back({operand, isRepeated(op) ? reader : levels.lookup(op)});
  }
}

int64_t FlatModel::getLastUse(Value value) const {
  auto found = lastUses.find(value);
  return found == lastUses.end() ? -1 : found->second;
}

//===----------------------------------------------------------------------===//
// Parts
//===----------------------------------------------------------------------===//

namespace {

/// Copies operations of the flat model into a part's function.
class PartBuilder {
public:
  PartBuilder(Part &part, const SymbolTable &symbols,
              const DenseMap<Operation *, LinearOp> &originals, const PartChanges &changes)
      : part(part), symbols(symbols), originals(originals), changes(changes),
        parameters(part.module->getContext()), builder(part.module->getContext()) {
    parameters.setInsertionPointToStart(part.module->getBody());
    builder.setInsertionPointToStart(&part.function.front());
  }

  void copy(Operation *op) {
    for (Value operand : getReadValues(op))
      provide(operand);
    Operation *copied = builder.clone(*op, mapping);
    if (auto linear = dyn_cast<LinearOp>(copied)) {
      if (DynamicAttr activation = getActivation(op))
        linear.setActivationAttr(activation);
      else
        linear.removeActivationAttr();
    }
  }

  void finish() {
    SmallVector<Value> results;
    for (Value result : part.results)
      results.push_back(mapping.lookup(result));
    func::ReturnOp::create(builder, part.function.getLoc(), results);
    part.function.setFunctionType(
        builder.getFunctionType(part.function.front().getArgumentTypes(), ValueRange(results)));
  }

private:
  void provide(Value value) {
    if (mapping.contains(value))
      return;
    Operation *op = value.getDefiningOp();
    if (op && isRepeated(op)) {
      if (auto read = dyn_cast<ParameterValueOp>(op))
        return copyParameter(read);
      return copy(op);
    }
    if (isActivations(value))
      part.inputs.push_back(value);
    mapping.map(value, part.function.front().addArgument(value.getType(), value.getLoc()));
  }

  /// The parameter as it is now, under a name that only says which of the part's it is.
  void copyParameter(ParameterValueOp read) {
    auto original = symbols.lookup<ParameterOp>(read.getParameter());
    ParameterOp &parameter = copies[original];
    if (!parameter) {
      parameter = cast<ParameterOp>(parameters.clone(*original));
      parameter.setSymName("p" + std::to_string(part.parameters.size()));
      part.parameters.push_back(original);
      if (auto change = changes.parameters.find(original); change != changes.parameters.end()) {
        parameter.setType(change->second.first);
        parameter.setDataAttr(change->second.second);
      }
    }
    auto copied = ParameterValueOp::create(builder, read.getLoc(), parameter.getTensorType(),
                                           parameter.getSymName());
    mapping.map(read.getResult(), copied.getResult());
  }

  /// How the inputs of a linear of the flat model are rounded now.
  DynamicAttr getActivation(Operation *op) const {
    if (auto read = cast<LinearOp>(op).getWeight().getDefiningOp<ParameterValueOp>()) {
      auto change = changes.activations.find(symbols.lookup(read.getParameter()));
      if (change != changes.activations.end())
        return change->second;
    }
    return originals.lookup(op).getActivationAttr();
  }

  Part &part;
  const SymbolTable &symbols;
  const DenseMap<Operation *, LinearOp> &originals;
  const PartChanges &changes;
  OpBuilder parameters, builder;
  IRMapping mapping;
  DenseMap<Operation *, ParameterOp> copies;
};

} // namespace

Part FlatModel::beginPart() {
  Part part;
  part.module = ModuleOp::create(module.getLoc());
  OpBuilder builder = OpBuilder::atBlockEnd(part.module->getBody());
  part.function =
      func::FuncOp::create(builder, function.getLoc(), "part", builder.getFunctionType({}, {}));
  part.function.addEntryBlock();
  return part;
}

Part FlatModel::buildPart(int64_t index) {
  Part part = beginPart();
  const PartChanges none;
  PartBuilder copier(part, symbols, originals, none);
  for (Operation *op : operations) {
    if (isRepeated(op) || !needed.contains(op) || levels.lookup(op) != index)
      continue;
    copier.copy(op);
    for (Value result : op->getResults())
      if (getLastUse(result) > index ||
          llvm::any_of(cuts, [&](const Cut &cut) { return cut.value == result; }))
        part.results.push_back(result);
  }
  copier.finish();
  return part;
}

std::optional<Part> FlatModel::buildSlice(Value start, Value output, const PartChanges &changes) {
  if (output == start)
    return std::nullopt;
  // What `start` comes from, and all that is as old, is not of the slice.
  const int64_t before = start ? getLevel(start) : -1;
  llvm::DenseSet<Operation *> inside;
  SmallVector<Value> work{output};
  while (!work.empty()) {
    Value value = work.pop_back_val();
    Operation *op = value.getDefiningOp();
    if (!op || value == start || !inside.insert(op).second)
      continue;
    if (!isRepeated(op) && levels.lookup(op) <= before)
      return std::nullopt;
    llvm::append_range(work, getReadValues(op));
  }
  Part part = beginPart();
  PartBuilder copier(part, symbols, originals, changes);
  for (Operation *op : operations)
    if (inside.contains(op) && !isRepeated(op))
      copier.copy(op);
  part.results.push_back(output);
  copier.finish();
  // Rows of the flat model's own value may be kept already.
  part.results = {part.function.front().getTerminator()->getOperand(0)};
  return part;
}

std::string Part::getStructure() const {
  std::string text;
  llvm::raw_string_ostream stream(text);
  function->print(stream, OpPrintingFlags().useLocalScope());
  return text;
}
