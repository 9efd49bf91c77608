//===- ChangingBlocks.cpp - visits that change what a block computes ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Fingerprint.h"
#include "Walk.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"

using namespace mlir;
using namespace llmc;

LogicalResult Walk::checkStructure() {
  if (flat->isFlat())
    return success();
  return emitError(module.getLoc(), "calibration: expected @")
         << LLMCDialect::stepFunctionName
         << " without calls where operations change: blocks share theirs";
}

bool Walk::hasUnvisitedSites() const {
  for (auto [index, cut] : llvm::enumerate(flat->getCuts()))
    if (!cut.startsBlock && !isVisited(index))
      return true;
  return false;
}

FailureOr<bool> Walk::visitAndRebuild(int64_t index, CalibrationSite &site) {
  WorkFolder::NamedSite named;
  const SmallVector<ParameterOp> own(site.parameters);
  for (ParameterOp parameter : own) {
    visited.insert(parameter.getSymName());
    named.parameters.push_back(parameter.getSymName().str());
  }
  ++visitedSites;
  const bool isRun = runner.has_value();
  const Value start = isRun ? getStart() : Value();
  const Value original = flat->getOriginal(start);
  const int64_t last = flat->getCuts().size();
  const std::string before = describeStructure(*flat, Value(), index, own);
  const std::string entering = start ? describeStructure(*flat, start, last, own) : "";
  if (failed(visit(index, site)))
    return failure();
  named.record = site.record;
  namedSites.push_back(std::move(named));
  FailureOr<FlatModel> rebuilt = FlatModel::create(module, request.select);
  if (failed(rebuilt))
    return failure();
  const bool changed = describeStructure(*rebuilt, Value(), index, own) != before;
  if (!changed)
    return false;
  FlatModel old = std::move(*flat); // whose values name rows
  flat.emplace(std::move(*rebuilt));
  if (failed(checkStructure()))
    return failure();
  if (!isRun)
    return true;
  if (!hasUnvisitedSites()) {
    // Where the last linears are no longer selected, there is no block to go on with.
    blocks.resize(current + 1);
    isDone = true;
    return true;
  }
  blocks = getBlocks();
  const Value renamed = current < blocks.size() ? getStart() : Value();
  if (current >= blocks.size() || flat->getOriginal(renamed) != original ||
      (start && describeStructure(*flat, renamed, flat->getCuts().size(), own) != entering))
    return emitError(module.getLoc(), "calibration: expected changes to what the block in hand "
                                      "computes, found others before it");
  rows.keepOnly(start, renamed, evaluator->getReference());
  return true;
}

LogicalResult Walk::visitSequentially(int64_t keepBefore) {
  for (int64_t index = getFirstSite(blocks[current]); !isDone && index < blocks[current].end;) {
    CalibrationSite site = makeSite(index);
    bool known = isVisited(index);
    if (failed(runPart(index, keepBefore, known ? nullptr : &site)))
      return failure();
    FailureOr<bool> changed = false;
    if (!known)
      changed = visitAndRebuild(index, site);
    if (failed(changed))
      return failure();
    index = *changed && !isDone ? getFirstSite(blocks[current]) : index + 1;
  }
  return success();
}

LogicalResult Walk::visitTogether(int64_t keepBefore) {
  std::vector<InputStatistics> statistics;
  std::vector<std::string> names;
  for (int64_t index = getFirstSite(blocks[current]); index < blocks[current].end; ++index) {
    CalibrationSite site = makeSite(index);
    if (failed(runPart(index, keepBefore, &site)))
      return failure();
    statistics.push_back(std::move(site.statistics));
    names.push_back(site.parameters.front().getSymName().str());
  }
  for (auto [name, seen] : llvm::zip(names, statistics)) {
    // Operations may be others by now.
    ArrayRef<Cut> cuts = flat->getCuts();
    const Cut *cut = llvm::find_if(cuts, [&](const Cut &cut) {
      return !cut.startsBlock && ParameterOp(cut.parameters.front()).getSymName() == name;
    });
    if (cut == cuts.end() ||
        cast<RankedTensorType>(cut->value.getType()).getDimSize(1) != seen.width)
      return emitError(module.getLoc(), "calibration: expected '")
             << name << "' to be read with " << seen.width
             << " inputs until it is visited (true-sequential=true sees what has changed)";
    CalibrationSite site = makeSite(cut - cuts.begin());
    site.statistics = std::move(seen);
    if (failed(visitAndRebuild(cut - cuts.begin(), site)))
      return failure();
    if (isDone)
      return success();
  }
  if (current + 1 == blocks.size())
    return success();
  for (int64_t index = getFirstSite(blocks[current]); index < blocks[current].end; ++index) {
    if (!isVisited(index))
      return emitError(module.getLoc(), "calibration: expected no new weight where all sites of a "
                                        "block are visited at once, found '")
             << ParameterOp(flat->getCuts()[index].parameters.front()).getSymName() << "'";
    if (failed(runPart(index, keepBefore, nullptr)))
      return failure();
  }
  return success();
}

LogicalResult Walk::runChangingBlock() {
  namedSites.clear();
  const int64_t keepBefore = getFirstSite(blocks[current]);
  if (failed(options.trueSequential ? visitSequentially(keepBefore) : visitTogether(keepBefore)))
    return failure();
  bool isLast = current + 1 == blocks.size();
  return isLast ? success() : runPart(blocks[current].end, /*keepBefore=*/0, nullptr);
}

LogicalResult Walk::restoreStructure() {
  auto restored = folder->restoreStructure(module);
  if (!restored)
    return report(restored.takeError());
  FailureOr<FlatModel> rebuilt = FlatModel::create(module, request.select);
  if (failed(rebuilt))
    return failure();
  flat.emplace(std::move(*rebuilt));
  for (const WorkFolder::NamedSite &named : *restored)
    for (const std::string &name : named.parameters)
      visited.insert(name);
  visitedSites = restored->size();
  int64_t count = visitedSites;
  for (auto [index, cut] : llvm::enumerate(flat->getCuts()))
    count += !cut.startsBlock && !isVisited(index);
  for (auto [index, named] : llvm::enumerate(*restored)) {
    CalibrationSite site;
    site.index = index;
    site.count = count;
    site.restored = true;
    site.record = std::move(named.record);
    for (const std::string &name : named.parameters)
      if (auto parameter = module.lookupSymbol<ParameterOp>(name))
        site.parameters.push_back(parameter);
    module.lookupSymbol<func::FuncOp>(LLMCDialect::stepFunctionName).walk([&](LinearOp linear) {
      for (ParameterOp parameter : getParametersOf(linear.getWeight()))
        if (llvm::is_contained(site.parameters, parameter))
          site.linears.push_back(linear);
    });
    if (failed(request.visit(site)))
      return failure();
  }
  return success();
}
