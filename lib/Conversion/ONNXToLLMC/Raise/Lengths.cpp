//===- Lengths.cpp - what a graph has to keep to at other lengths ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raise/Lengths.h"
#include "Raise/Angles.h"

#include <cmath>
#include <map>

using namespace mlir;
using namespace llmc;
using namespace llmc::carrier;

/// Rows of a prompt that is long, and yet cheap to look at where it makes masks.
static constexpr int64_t longPrompt = 256;

/// What runs at the first lengths runs at others.
static LogicalResult checkRun(GraphOp graph, const Probe &probe) {
  if (probe.getProblems().empty())
    return success();
  const ProbeProblem &problem = probe.getProblems().front();
  InFlightDiagnostic diagnostic = graph.emitError("cannot run the graph at ")
                                  << probe.getSizes().total() << " positions: ";
  if (problem.node)
    diagnostic << "node '" << NodeOp(problem.node).getName() << "': ";
  return diagnostic << problem.reason;
}

/// Whether conditions and numbers that were taken as fixed are the same in another run.
static LogicalResult checkFixed(const LengthRecord &record, const Probe &probe, ProbeSizes raised) {
  auto spell = [](ProbeSizes sizes) {
    return (Twine(sizes.rows) + " rows after " + Twine(sizes.past)).str();
  };
  std::string here = spell(probe.getSizes());
  for (const LengthRecord::Condition &check : record.conditions) {
    const HostTensor *tensor = probe.get(check.value);
    if (!tensor || !tensor->isKnown() ||
        llvm::any_of(*tensor->data, [&](double value) { return (value != 0) != check.taken; }))
      return emitError(check.location)
             << "expected a condition that is the same at every length, found it changed at "
             << here;
  }
  for (const LengthRecord::Number &check : record.numbers) {
    const HostTensor *tensor = probe.get(check.value);
    double found =
        tensor && tensor->isKnown() && tensor->getNumElements() == 1 ? (*tensor)[0] : NAN;
    if (!(found == check.number ||
          std::fabs(found - check.number) <= 1e-6 * std::fabs(check.number)))
      return emitError(check.location)
             << "expected a number that is the same at every length, found " << check.number
             << " at " << spell(raised) << " and " << found << " at " << here;
  }
  return success();
}

/// Runs the graph as for one token and for a long prompt: a condition may ask for either.
static LogicalResult checkSteps(const LengthCheck &check) {
  const LengthRecord &record = check.record;
  llvm::DenseSet<Value> wanted;
  for (const LengthRecord::Condition &condition : record.conditions)
    wanted.insert(condition.value);
  for (const LengthRecord::Number &number : record.numbers)
    wanted.insert(number.value);
  if (wanted.empty())
    return success();
  for (ProbeSizes sizes : {ProbeSizes{check.hasPast ? check.context - 1 : 0, 1},
                           ProbeSizes{0, std::min(check.context, longPrompt)}}) {
    Probe probe(check.graph, check.inputs, sizes);
    probe.run(&wanted);
    if (failed(checkRun(check.graph, probe)) || failed(checkFixed(record, probe, check.raised)))
      return failure();
  }
  return success();
}

static bool areClose(ArrayRef<double> a, ArrayRef<double> b) {
  return a.size() == b.size() && llvm::all_of(llvm::zip(a, b), [](auto pair) {
           auto [one, other] = pair;
           return std::fabs(one - other) <= 1e-5 * std::fabs(one);
         });
}

/// Whether angles are where they were expected from the first run.
static LogicalResult checkAngles(const LengthCheck &check, const Probe &probe) {
  for (const LengthRecord::Angle &angle : check.record.angles)
    for (bool isSine : {false, true}) {
      int32_t id = isSine ? angle.sine : angle.cosine;
      if (id < 0 || !check.factors[id].value)
        continue;
      const RowFactor &factor = check.factors[id];
      const HostTensor *tensor = probe.get(factor.value);
      if (!tensor || !tensor->isKnown() || tensor->shape.empty())
        return check.graph.emitError("expected angles that do not depend on tokens");
      int64_t width = tensor->shape.back(), count = tensor->getNumElements() / width;
      double tolerance = getFarTolerance(factor.roundoff) * std::fabs(angle.scaling);
      for (int64_t row = 0; row < count; ++row) {
        auto position = static_cast<double>(probe.getSizes().total() - count + row);
        double turn = angle.frequency * position;
        double expected = angle.scaling * (isSine ? std::sin(turn) : std::cos(turn));
        double found = (*tensor)[row * width + factor.column];
        if (std::fabs(std::fabs(found) - std::fabs(expected)) > tolerance)
          return check.graph.emitError(
                     "expected angles in proportion to the position; at position ")
                 << position << " expected " << expected << ", found " << found
                 << " (rotations that change with the length are not supported)";
      }
    }
  return success();
}

/// Whether masks mean the same as in the first run. A window wider than that shows only here, and
/// becomes part of the program.
static LogicalResult checkMasks(const LengthCheck &check, const Probe &probe) {
  int64_t total = probe.getSizes().total();
  std::map<std::vector<std::pair<void *, int>>, FailureOr<MaskMeaning>> known;
  for (const LengthRecord::MaskUse &use : check.record.masks) {
    std::vector<std::pair<void *, int>> key;
    for (const Mask &mask : use.masks)
      key.push_back({mask.value.getAsOpaquePointer(), static_cast<int>(mask.kind)});
    std::string why;
    auto found = known.find(key);
    if (found == known.end())
      found = known.emplace(key, readMasks(use.masks, probe, why)).first;
    AttentionOp attention = use.attention;
    if (failed(found->second))
      return attention.emitError("at its context of ") << total << " positions: " << why;
    int64_t window = found->second->window;
    if (window != use.meaning.window && !(use.meaning.window == 0 && window > 0))
      return attention.emitError("expected a window of ")
             << use.meaning.window << " positions at every length, found " << window << " at "
             << total;
    if (!areClose(found->second->slopes, use.meaning.slopes))
      return attention.emitError("expected masks that add in the same proportion to the position "
                                 "at every length, found others at ")
             << total;
    if (window > 0)
      attention.setWindowAttr(Builder(attention).getI64IntegerAttr(window));
  }
  return success();
}

/// Runs the graph again at the full context and looks at its angles and masks there.
static LogicalResult checkFull(const LengthCheck &check) {
  const LengthRecord &record = check.record;
  llvm::DenseSet<Value> wanted;
  for (const LengthRecord::MaskUse &use : record.masks)
    for (const Mask &mask : use.masks)
      wanted.insert(mask.value);
  for (const LengthRecord::Condition &condition : record.conditions)
    wanted.insert(condition.value);
  for (const LengthRecord::Number &number : record.numbers)
    wanted.insert(number.value);
  for (const RowFactor &factor : check.factors)
    if (factor.value)
      wanted.insert(factor.value);
  if (wanted.empty())
    return success();
  Probe probe(check.graph, check.inputs,
              {check.hasPast ? check.context - 3 : 0, check.hasPast ? 3 : check.context});
  probe.run(&wanted);
  if (failed(checkRun(check.graph, probe)) || failed(checkFixed(record, probe, check.raised)) ||
      failed(checkAngles(check, probe)))
    return failure();
  return checkMasks(check, probe);
}

LogicalResult llmc::checkLengths(const LengthCheck &check) {
  if (check.context <= 3)
    return success();
  if (failed(checkFull(check)))
    return failure();
  return checkSteps(check);
}
