//===- QuantizeGPTQ.cpp - rounds weights so that the layers' outputs change least ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Calibration/Calibration.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"
#include "llmc/Transforms/Blocks.h"
#include "llmc/Transforms/Passes.h"
#include "llmc/Transforms/Quantization/GPTQ.h"

#include "llvm/ADT/MapVector.h"

#include <chrono>

namespace llmc {
#define GEN_PASS_DEF_QUANTIZEGPTQ
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc

using namespace mlir;
using namespace llmc;

using Clock = std::chrono::steady_clock;

static double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

namespace {

struct QuantizeGPTQ : llmc::impl::QuantizeGPTQBase<QuantizeGPTQ> {
  using QuantizeGPTQBase::QuantizeGPTQBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(changeFlat(module, [&] { return quantize(module); })))
      signalPassFailure();
  }

  LogicalResult quantize(ModuleOp module) {
    FailureOr<QuantizationPlan> plan = QuantizationPlan::get(
        module.getLoc(), bits, groupSize, symmetric, zero, scale, mse, activation, activationGroup);
    if (failed(plan) || failed(checkOptions(module, plan->encoding)))
      return failure();
    std::vector<std::string> ignored(ignore.begin(), ignore.end());
    FailureOr<SmallVector<SelectedWeight>> weights = selectWeights(module, ignored, includeHead);
    if (failed(weights))
      return failure();
    llvm::MapVector<Operation *, SelectedWeight *> selected;
    for (SelectedWeight &weight : *weights)
      selected.insert({weight.parameter, &weight});

    CompressionReport result(getArgument());
    CalibrationRequest request;
    request.statistics = SecondMoment;
    request.key = spellKey(*plan);
    request.select = [&](LinearOp, ParameterOp parameter) { return selected.contains(parameter); };
    request.visit = [&](CalibrationSite &site) {
      return site.restored ? restore(site, *plan, selected, result)
                           : roundSite(site, *plan, selected, result);
    };
    FailureOr<CalibrationTimes> times = calibrate(module, getCalibrationOptions(), request);
    if (failed(times))
      return failure();
    result.setTimes({{"tokens", times->tokens},
                     {"compile", times->compile},
                     {"forward", times->forward},
                     {"second moments", times->statistics},
                     {"factorization", factorization},
                     {"update", update}});
    return result.finish(module, table, report);
  }

  LogicalResult checkOptions(ModuleOp module, GroupedAttr encoding) {
    if (!(damp >= 0 && damp <= 1))
      return module.emitError("damp: expected a number from 0 to 1, found ") << damp.getValue();
    if (actOrder && !staticGroups && encoding.getGroup() > 0)
      return module.emitError(
          "act-order: expected static-groups=true or group-size=channel with it: groups of columns "
          "out of order would need a gather when running");
    return CompressionReport::checkPath(module, report);
  }

  CalibrationOptions getCalibrationOptions() {
    CalibrationOptions options;
    options.calibration = calibration;
    options.tokenizer = tokenizer;
    options.samples = samples;
    options.sequenceLength = sequenceLength;
    options.seed = seed;
    options.memory = std::min<int64_t>(memory, INT64_MAX >> 20) * (1 << 20);
    options.threads = threads;
    options.trueSequential = trueSequential;
    options.statistics = statistics;
    options.saveStatistics = saveStatistics;
    options.saveTokens = saveTokens;
    options.resume = resume;
    return options;
  }

  /// What decides which bytes come out, besides the model and the tokens.
  std::string spellKey(const QuantizationPlan &plan) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    stream << getArgument() << " " << plan.encoding << " mse=" << plan.searchClip
           << " damp=" << damp.getValue() << " act-order=" << actOrder
           << " static-groups=" << staticGroups << " true-sequential=" << trueSequential
           << " activation=";
    if (plan.activation)
      stream << plan.activation;
    stream << " include-head=" << includeHead << " ignore=";
    llvm::interleaveComma(ignore, stream);
    return text;
  }

  using Selected = llvm::MapVector<Operation *, SelectedWeight *>;

  LogicalResult roundSite(CalibrationSite &site, const QuantizationPlan &plan, Selected &selected,
                          CompressionReport &result) {
    Clock::time_point start = Clock::now();
    std::vector<double> hessian = std::move(site.statistics.secondMoment);
    for (double &value : hessian)
      value *= 2.0 / static_cast<double>(site.statistics.rows);
    llvm::Expected<InverseHessian> prepared =
        InverseHessian::create(std::move(hessian), site.statistics.width, damp, actOrder);
    if (!prepared)
      return site.parameters.front().emitOpError() << llvm::toString(prepared.takeError());
    double shared = secondsSince(start) / static_cast<double>(site.parameters.size());
    factorization += secondsSince(start);

    for (ParameterOp parameter : site.parameters) {
      start = Clock::now();
      FailureOr<WeightValues> values = WeightValues::read(parameter);
      if (failed(values))
        return failure();
      FailureOr<GPTQResult> quantized = quantizeGPTQ(parameter, *values, *prepared,
                                                     GPTQOptions{plan.encoding, mse, staticGroups});
      if (failed(quantized))
        return failure();
      update += secondsSince(start);
      CompressedParameter done =
          replaceWeight(*selected.lookup(parameter), std::move(quantized->weight), plan,
                        shared + secondsSince(start));
      site.record += CompressionReport::spell(done) + "\n";
      result.add(std::move(done));
    }
    return success();
  }

  /// What an earlier run left of this site: weights are in place, the rest is in the record.
  LogicalResult restore(CalibrationSite &site, const QuantizationPlan &plan, Selected &selected,
                        CompressionReport &result) {
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
      stateRounding(*selected.lookup(parameter), plan);
      result.add(std::move(*done));
    }
    return success();
  }

  double factorization = 0, update = 0; ///< seconds
};

} // namespace
