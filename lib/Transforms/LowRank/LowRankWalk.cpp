//===- LowRankWalk.cpp - factoring weights, with and without calibration ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/LowRank/LowRankWalk.h"
#include "llmc/Support/ProgressLine.h"
#include "llmc/Transforms/Quantization/CalibratedWeights.h"

using namespace mlir;
using namespace llmc;

/// Matrices that are taken apart side by side: each takes memory of its own.
static constexpr size_t maxTogether = 8;

/// The weights from `begin` on that have the width of the first, some at a time.
static SmallVector<ParameterOp> takeEquallyWide(ArrayRef<SelectedWeight> weights) {
  SmallVector<ParameterOp> together;
  auto getWidth = [](ParameterOp parameter) { return parameter.getTensorType().getDimSize(1); };
  for (const SelectedWeight &weight : weights.take_front(maxTogether)) {
    if (!together.empty() && getWidth(weight.parameter) != getWidth(together.front()))
      break;
    together.push_back(weight.parameter);
  }
  return together;
}

LogicalResult llmc::factorizeAlike(StringRef pass, const RankPlan &plan,
                                   ArrayRef<SelectedWeight> weights, LowRankWeights &layers) {
  ProgressLine progress(pass, weights.size() * (plan.needsSpectra() ? 2 : 1));
  auto forEach = [&](StringRef step, auto &&work) -> LogicalResult {
    for (ArrayRef<SelectedWeight> rest = weights; !rest.empty();) {
      SmallVector<ParameterOp> some = takeEquallyWide(rest);
      if (failed(work(some, InputMetric(some.front().getTensorType().getDimSize(1)))))
        return failure();
      for (size_t i = 0; i < some.size(); ++i)
        progress.advance(step);
      rest = rest.drop_front(some.size());
    }
    return success();
  };
  if (plan.needsSpectra()) {
    auto measure = [&](ArrayRef<ParameterOp> some, const InputMetric &metric) {
      return layers.addSpectra(some, metric);
    };
    if (failed(forEach("measuring", measure)))
      return failure();
    layers.allocate(plan);
  }
  std::string record;
  return forEach("factoring", [&](ArrayRef<ParameterOp> some, InputMetric metric) {
    return layers.factorize(some, {std::move(metric), {}}, record);
  });
}

static LogicalResult measureSpectra(ModuleOp module, const LowRankWalk &walk,
                                    LowRankWeights &layers, CalibrationTimes &times) {
  CalibrationOptions options = walk.options;
  options.resume = options.saveStatistics = options.saveTokens = "";
  CalibrationRequest request;
  request.statistics = SecondMoment | walk.statistics;
  request.key = walk.key + " spectra";
  request.select = [&](LinearOp, ParameterOp parameter) { return layers.contains(parameter); };
  request.visit = [&](CalibrationSite &site) -> LogicalResult {
    FailureOr<InputMetric> metric = walk.getMetric(site);
    return failed(metric) ? failure() : layers.addSpectra(site.parameters, *metric);
  };
  FailureOr<CalibrationTimes> found = calibrate(module, options, request);
  if (failed(found))
    return failure();
  times = *found;
  return success();
}

LogicalResult llmc::factorizeCalibrated(ModuleOp module, const LowRankWalk &walk,
                                        const RankPlan &plan, LowRankWeights &layers,
                                        CompressionReport &report) {
  CalibrationTimes before;
  if (plan.needsSpectra()) {
    if (failed(measureSpectra(module, walk, layers, before)))
      return failure();
    layers.allocate(plan);
  }
  CalibrationRequest request;
  request.statistics = SecondMoment | walk.statistics;
  request.key = walk.key;
  request.changesStructure = true;
  request.select = [&](LinearOp, ParameterOp parameter) { return layers.contains(parameter); };
  request.visit = [&](CalibrationSite &site) -> LogicalResult {
    if (site.restored)
      return layers.restore(site);
    std::vector<double> secondMoment = site.statistics.secondMoment;
    FailureOr<InputMetric> metric = walk.getMetric(site);
    if (failed(metric))
      return failure();
    return layers.factorize(site.parameters, {std::move(*metric), std::move(secondMoment)},
                            site.record);
  };
  FailureOr<CalibrationTimes> times = calibrate(module, walk.options, request);
  if (failed(times))
    return failure();
  report.setTimes({{"tokens", times->tokens + before.tokens},
                   {"compile", times->compile + before.compile},
                   {"forward", times->forward + before.forward},
                   {"second moments", times->statistics + before.statistics},
                   {"decompositions", times->visit + before.visit}});
  return success();
}

LowRankWalk llmc::makeMomentWalk(CalibrationOptions options, std::string key, double damp) {
  LowRankWalk walk;
  walk.options = std::move(options);
  walk.key = std::move(key);
  walk.getMetric = [damp](CalibrationSite &site) -> FailureOr<InputMetric> {
    FailureOr<InverseHessian> prepared = prepareHessian(site, {damp, /*descending=*/false});
    if (failed(prepared))
      return failure();
    return InputMetric(std::move(*prepared));
  };
  return walk;
}

std::string llmc::spellDamp(double damp) { return "damp=" + std::to_string(damp); }
