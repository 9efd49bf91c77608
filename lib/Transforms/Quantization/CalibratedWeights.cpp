//===- CalibratedWeights.cpp - the weights of a calibrated pass, from site to site ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Quantization/CalibratedWeights.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"
#include "llmc/Support/SpellNumber.h"
#include "llmc/Support/Stopwatch.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace llmc;

LogicalResult llmc::checkDamp(ModuleOp module, double damp) {
  if (!(damp >= 0 && damp <= 1))
    return module.emitError("damp: expected a number from 0 to 1, found ") << spellNumber(damp);
  return success();
}

FailureOr<InverseHessian> llmc::prepareHessian(CalibrationSite &site,
                                               const HessianOptions &options) {
  std::vector<double> hessian = std::move(site.statistics.secondMoment);
  for (double &value : hessian)
    value *= 2.0 / static_cast<double>(site.statistics.rows);
  llvm::Expected<InverseHessian> prepared = InverseHessian::create(
      std::move(hessian), site.statistics.width, options.damp, options.descending);
  if (!prepared)
    return site.parameters.front().emitOpError() << llvm::toString(prepared.takeError());
  return std::move(*prepared);
}

SmallVector<SelectedWeight> llmc::takeUncalibrated(SmallVectorImpl<SelectedWeight> &weights,
                                                   bool withHead) {
  SmallVector<SelectedWeight> others;
  llvm::erase_if(weights, [&](SelectedWeight &weight) {
    if (!weight.linears.empty() && (withHead || !weight.isHead))
      return false;
    others.push_back(weight);
    return true;
  });
  return others;
}

CalibratedWeights::CalibratedWeights(RoundingStatement stateRounding,
                                     MutableArrayRef<SelectedWeight> weights,
                                     CompressionReport &report)
    : stateRounding(std::move(stateRounding)), report(report) {
  for (SelectedWeight &weight : weights)
    selected.insert({weight.parameter, &weight});
}

FailureOr<double> CalibratedWeights::replaceEach(CalibrationSite &site, Change change,
                                                 double shared) {
  double taken = 0;
  for (ParameterOp parameter : site.parameters) {
    const Stopwatch watch;
    FailureOr<WeightValues> values = WeightValues::read(parameter);
    if (failed(values))
      return failure();
    clearUnread(*selected.lookup(parameter), *values);
    FailureOr<QuantizedWeight> changed = change(parameter, *values);
    if (failed(changed))
      return failure();
    double seconds = watch.getSeconds();
    taken += seconds;
    CompressedParameter done =
        replaceWeight(*selected.lookup(parameter), std::move(*changed), stateRounding,
                      seconds + shared / static_cast<double>(site.parameters.size()));
    site.record += CompressionReport::spell(done) + "\n";
    report.add(std::move(done));
  }
  return taken;
}

LogicalResult CalibratedWeights::replaceByHessian(CalibrationSite &site,
                                                  const HessianOptions &options,
                                                  HessianChange change, HessianTimes &times) {
  const Stopwatch watch;
  FailureOr<InverseHessian> prepared = prepareHessian(site, options);
  if (failed(prepared))
    return failure();
  double shared = watch.getSeconds();
  times.factorization += shared;
  FailureOr<double> taken = replaceEach(
      site,
      [&](ParameterOp parameter, WeightValues &values) -> FailureOr<QuantizedWeight> {
        FailureOr<GPTQResult> changed = change(parameter, values, *prepared);
        if (failed(changed))
          return failure();
        return std::move(changed->weight);
      },
      shared);
  if (failed(taken))
    return failure();
  times.update += *taken;
  return success();
}

FailureOr<EncodingInterface> CalibratedWeights::getEncoding(ParameterOp parameter,
                                                            const WeightValues &values,
                                                            const QuantizationPlan &plan) const {
  return adaptEncoding(parameter, values,
                       plan.getStorage(parameter.getSymName(), isHead(parameter)).encoding);
}

FailureOr<ArrayRef<float>> llmc::getMagnitudes(CalibrationSite &site) {
  ArrayRef<float> magnitudes = site.statistics.maxMagnitude;
  const auto *strange =
      llvm::find_if_not(magnitudes, [](float magnitude) { return std::isfinite(magnitude); });
  if (strange == magnitudes.end())
    return magnitudes;
  return site.linears.front().emitOpError("expected inputs in calibration that are finite, found ")
         << std::to_string(*strange);
}

/// The range of a site's inputs; null where all were zero.
static FailureOr<FloatAttr> getInputRange(CalibrationSite &site) {
  FailureOr<ArrayRef<float>> magnitudes = getMagnitudes(site);
  if (failed(magnitudes))
    return failure();
  float largest = *std::max_element(magnitudes->begin(), magnitudes->end());
  Builder builder(site.linears.front().getContext());
  return largest > 0 ? builder.getF32FloatAttr(largest) : FloatAttr();
}

LogicalResult CalibratedWeights::stateRanges(CalibrationSite &site, const QuantizationPlan &plan) {
  for (LinearOp linear : site.linears)
    for (ParameterOp parameter : getParametersOf(linear.getWeight())) {
      if (!contains(parameter))
        continue;
      const WeightStorage &storage = plan.getStorage(parameter.getSymName(), isHead(parameter));
      if (!storage.hasRange)
        continue;
      FailureOr<FloatAttr> range = getInputRange(site);
      if (failed(range))
        return failure();
      if (!*range)
        linear.emitWarning("inputs were all zero in calibration: their scales are found while "
                           "running");
      else
        linear.setActivationAttr(DynamicAttr::get(linear.getContext(), storage.activation.getBits(),
                                                  storage.activation.getGroup(), *range, Type()));
    }
  return success();
}

FailureOr<CalibrationTimes>
CalibratedWeights::walk(ModuleOp module, const CalibrationOptions &options, const WeightWalk &walk,
                        function_ref<LogicalResult(CalibrationSite &)> visit) {
  bool hasRanges = walk.plan && walk.plan->hasRanges();
  // What an earlier pass stated is none of this walk's ranges.
  for (auto [parameter, weight] : selected)
    for (LinearOp linear : weight->linears)
      if (DynamicAttr stated = linear.getActivationAttr(); hasRanges && stated && stated.getRange())
        linear.removeActivationAttr();
  CalibrationRequest request;
  request.statistics = walk.statistics | (hasRanges ? MaxMagnitude : 0u);
  request.key = walk.key;
  request.select = [&](LinearOp, ParameterOp parameter) { return contains(parameter); };
  request.visit = [&](CalibrationSite &site) -> LogicalResult {
    if (site.restored)
      return restore(site);
    if (hasRanges && failed(stateRanges(site, *walk.plan)))
      return failure();
    return visit(site);
  };
  return calibrate(module, options, request);
}

NamedTimes llmc::listTimes(const CalibrationTimes &times, const NamedTimes &others) {
  NamedTimes list{{"tokens", times.tokens},
                  {"compile", times.compile},
                  {"forward", times.forward},
                  {"statistics", times.statistics}};
  llvm::append_range(list, others);
  return list;
}

LogicalResult CalibratedWeights::restore(CalibrationSite &site) {
  SmallVector<StringRef> lines;
  StringRef(site.record).split(lines, '\n', -1, /*KeepEmpty=*/false);
  if (lines.size() != site.parameters.size())
    return site.parameters.front().emitOpError("resume: expected a record of ")
           << site.parameters.size() << " parameters, found " << lines.size();
  for (auto [parameter, line] : llvm::zip(site.parameters, lines)) {
    std::optional<CompressedParameter> done = CompressionReport::read(line, parameter);
    if (!done)
      return parameter.emitOpError("resume: expected a record of this parameter, found '")
             << line << "'";
    setParameter(parameter, parameter.getTensorType(), parameter.getData());
    done->activation = stateRounding(*selected.lookup(parameter));
    report.add(std::move(*done));
  }
  return success();
}
