//===- CalibratedWeights.cpp - the weights of a calibrated pass, from site to site ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Quantization/CalibratedWeights.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"

using namespace mlir;
using namespace llmc;

FailureOr<InverseHessian> llmc::prepareHessian(CalibrationSite &site, double damp,
                                               bool descending) {
  std::vector<double> hessian = std::move(site.statistics.secondMoment);
  for (double &value : hessian)
    value *= 2.0 / static_cast<double>(site.statistics.rows);
  llvm::Expected<InverseHessian> prepared =
      InverseHessian::create(std::move(hessian), site.statistics.width, damp, descending);
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

void CalibratedWeights::replace(CalibrationSite &site, ParameterOp parameter,
                                QuantizedWeight quantized, double seconds) {
  CompressedParameter done =
      replaceWeight(*selected.lookup(parameter), std::move(quantized), stateRounding, seconds);
  site.record += CompressionReport::spell(done) + "\n";
  report.add(std::move(done));
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
