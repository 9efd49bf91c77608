//===- UnitPruning.cpp - passes that leave out channels or heads ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Pruning/UnitPruning.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"
#include "llmc/Support/SpellNumber.h"
#include "llmc/Transforms/Pruning/UnitRemoval.h"
#include "llmc/Transforms/Rewrites/ParameterRewrite.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace llmc;

namespace {

/// A linear that reads the units of a group, one after the other from a column on.
struct UnitReader {
  LinearOp linear;
  ChannelMember columns;
  InputSpread inputs; ///< of all columns
};

/// A group whose units are scored.
struct PrunedGroup {
  const ChannelGroup *group;
  SmallVector<UnitReader> readers;
  ScoredUnits units;

  StringRef getName() const {
    ParameterOp weight = readers.front().columns.parameter;
    return weight.getSymName();
  }
};

class UnitPruner {
public:
  UnitPruner(ModuleOp module, const UnitRequest &request, StructureReport &report)
      : module(module), request(request), report(report) {}

  LogicalResult run() {
    auto step = module.lookupSymbol<func::FuncOp>(LLMCDialect::stepFunctionName);
    if (!step)
      return module.emitError("expected a raised module, with a function @")
             << LLMCDialect::stepFunctionName << ", found none";
    if (failed(checkRequest()))
      return failure();
    const Structure structure(step);
    if (failed(findGroups(structure)) || failed(score()))
      return failure();
    std::vector<ScoredUnits> layers;
    layers.reserve(groups.size());
    for (PrunedGroup &pruned : groups)
      layers.push_back(pruned.units);
    if (double largest = getLargestShare(layers); request.ratio > largest + 1e-9)
      return module.emitError("ratio: expected at most ")
             << spellNumber(largest) << ", since some " << request.what
             << " of each layer stay, found " << spellNumber(request.ratio);
    std::vector<KeptUnits> kept;
    for (auto [pruned, stays] :
         llvm::zip_equal(groups, chooseUnits(layers, request.ratio, request.allocation))) {
      report.add({pruned.getName().str(),
                  {{request.what, pruned.group->count},
                   {"kept", static_cast<int64_t>(llvm::count(stays, true))}}});
      if (llvm::is_contained(stays, false))
        kept.push_back({pruned.group, std::move(stays)});
    }
    if (failed(compensate(kept)))
      return failure();
    return keepUnits(step, kept);
  }

private:
  LogicalResult checkRequest() {
    if (!(request.ratio >= 0 && request.ratio < 1))
      return module.emitError("ratio: expected a number from 0 to less than 1, found ")
             << spellNumber(request.ratio);
    if (request.multiple < 1)
      return module.emitError("multiple: expected at least 1, found ") << request.multiple;
    return success();
  }

  bool needsInputs() const { return request.compensate || request.score != UnitScore::Magnitude; }

  //===--------------------------------------------------------------------===//
  // What can be left out
  //===--------------------------------------------------------------------===//

  LogicalResult findGroups(const Structure &structure) {
    WeightFilter filter = request.filter;
    filter.head = false;
    filter.requantize = true;
    FailureOr<SmallVector<SelectedWeight>> weights = selectWeights(module, filter);
    if (failed(weights))
      return failure();
    llvm::DenseMap<Operation *, ArrayRef<LinearOp>> readersOf;
    for (const SelectedWeight &weight : *weights)
      readersOf[weight.parameter] = weight.linears;
    for (const ChannelGroup &group : structure.getGroups()) {
      std::optional<PrunedGroup> pruned = makeGroup(structure, group, readersOf);
      if (!pruned)
        continue;
      if (std::string reason = getObstacle(*pruned); !reason.empty()) {
        pruned->readers.front().linear.emitRemark("left alone '")
            << pruned->getName() << "': " << reason;
        continue;
      }
      if (failed(checkFloats(group)))
        return failure();
      groups.push_back(std::move(*pruned));
    }
    if (groups.empty())
      return module.emitError("expected ") << request.what << " that can be left out, found none";
    return success();
  }

  /// Nothing where the group is of another kind, or what reads it was not selected.
  std::optional<PrunedGroup>
  makeGroup(const Structure &structure, const ChannelGroup &group,
            const llvm::DenseMap<Operation *, ArrayRef<LinearOp>> &readersOf) const {
    if (group.kind != request.kind)
      return std::nullopt;
    PrunedGroup pruned{&group, {}, {}};
    pruned.units.cost = 0;
    bool isOfMLP = false;
    for (const ChannelMember &member : group.members) {
      if (member.axis != 1)
        continue;
      auto found = readersOf.find(member.parameter);
      if (found == readersOf.end())
        return std::nullopt;
      for (LinearOp linear : found->second) {
        isOfMLP |= structure.getRole(linear) == Role::Down;
        pruned.readers.push_back({linear, member, {}});
      }
    }
    if (pruned.readers.empty() || (group.kind == ChannelGroup::Kind::Hidden && !isOfMLP))
      return std::nullopt;
    for (const ChannelMember &member : group.members) {
      ParameterOp parameter = member.parameter;
      RankedTensorType type = parameter.getTensorType();
      const int64_t weights = member.perUnit * type.getNumElements() / type.getDimSize(member.axis);
      pruned.units.cost += static_cast<double>(weights);
    }
    pruned.units.multiple = request.multiple;
    return pruned;
  }

  /// Why units can't be left out, if so.
  static std::string getObstacle(const PrunedGroup &pruned) {
    if (!pruned.group->norms.empty())
      return "a norm over all of its inputs would change";
    llvm::DenseSet<Operation *> weights;
    for (const UnitReader &reader : pruned.readers)
      if (!weights.insert(reader.columns.parameter).second)
        return "several linears read it";
    if (pruned.group->attentions.size() > 1)
      return "several attentions have their heads in common";
    return "";
  }

  static LogicalResult checkFloats(const ChannelGroup &group) {
    for (const ChannelMember &member : group.members) {
      ParameterOp parameter = member.parameter;
      if (Attribute encoding = parameter.getTensorType().getEncoding())
        return parameter.emitOpError(
                   "expected weights that are neither rounded nor pruned yet, found ")
               << encoding;
    }
    return success();
  }

  //===--------------------------------------------------------------------===//
  // Scores
  //===--------------------------------------------------------------------===//

  LogicalResult score() {
    if (needsInputs() && failed(seeInputs()))
      return failure();
    for (PrunedGroup &pruned : groups) {
      pruned.units.scores.assign(pruned.group->count, 0);
      for (const UnitReader &reader : pruned.readers) {
        FailureOr<WeightValues> weights = WeightValues::read(reader.columns.parameter);
        if (failed(weights))
          return failure();
        const std::vector<double> ofColumns = scoreColumns(*weights, reader.inputs, request.score);
        for (auto [unit, sum] : llvm::enumerate(pruned.units.scores))
          for (int64_t i = 0; i < reader.columns.perUnit; ++i)
            sum += ofColumns[reader.columns.begin +
                             static_cast<int64_t>(unit) * reader.columns.perUnit + i];
        releaseFile(reader.columns.parameter);
      }
    }
    return success();
  }

  /// Runs the model as it is, and keeps what is known of the inputs of each reader.
  LogicalResult seeInputs() {
    llvm::DenseMap<Operation *, UnitReader *> readers;
    for (PrunedGroup &pruned : groups)
      for (UnitReader &reader : pruned.readers)
        readers[reader.columns.parameter] = &reader;
    CalibrationRequest walk;
    walk.statistics = Mean | Variance;
    walk.key = request.pass + " only=" + llvm::join(request.filter.only, ",") +
               " ignore=" + llvm::join(request.filter.ignore, ",");
    walk.select = [&](LinearOp, ParameterOp parameter) { return readers.contains(parameter); };
    walk.visit = [&](CalibrationSite &site) -> LogicalResult {
      FailureOr<InputSpread> inputs = site.restored ? restore(site) : take(site);
      if (failed(inputs))
        return failure();
      for (ParameterOp parameter : site.parameters)
        readers[parameter]->inputs = *inputs;
      return success();
    };
    return calibrate(module, request.calibration, walk);
  }

  static InputSpread take(CalibrationSite &site) {
    const InputStatistics &seen = site.statistics;
    InputSpread inputs{{seen.mean.begin(), seen.mean.end()},
                       {seen.variance.begin(), seen.variance.end()}};
    std::vector<double> record = inputs.mean;
    record.insert(record.end(), inputs.variance.begin(), inputs.variance.end());
    site.record = spellNumbers(record);
    return inputs;
  }

  static FailureOr<InputSpread> restore(CalibrationSite &site) {
    ParameterOp weight = site.parameters.front();
    const int64_t width = weight.getTensorType().getDimSize(1);
    std::optional<std::vector<double>> record = readNumbers(site.record, 2 * width);
    if (!record)
      return weight.emitOpError("resume: expected means and variances of ")
             << width << " inputs, found '" << site.record << "'";
    return InputSpread{{record->begin(), record->begin() + width},
                       {record->begin() + width, record->end()}};
  }

  //===--------------------------------------------------------------------===//
  // Biases
  //===--------------------------------------------------------------------===//

  LogicalResult compensate(ArrayRef<KeptUnits> kept) {
    if (!request.compensate)
      return success();
    ParameterRewrite rewrite(module);
    for (const KeptUnits &units : kept) {
      auto pruned = llvm::find_if(
          groups, [&](const PrunedGroup &pruned) { return pruned.group == units.group; });
      for (const UnitReader &reader : pruned->readers) {
        FailureOr<WeightValues> weights = WeightValues::read(reader.columns.parameter);
        FailureOr<ParameterOp> bias = rewrite.takeBias(reader.linear);
        if (failed(weights) || failed(bias))
          return failure();
        SmallVector<bool, 0> stays;
        for (bool unit : units.kept)
          stays.append(reader.columns.perUnit, unit);
        rewrite.add(*bias, addTerms(getCompensation(*weights, reader.inputs.mean, stays,
                                                    reader.columns.begin)));
      }
    }
    return rewrite.store();
  }

  ModuleOp module;
  const UnitRequest &request;
  StructureReport &report;
  std::vector<PrunedGroup> groups;
};

} // namespace

LogicalResult llmc::pruneUnits(ModuleOp module, const UnitRequest &request,
                               StructureReport &report) {
  return UnitPruner(module, request, report).run();
}
