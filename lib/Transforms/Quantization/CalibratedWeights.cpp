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

CalibratedWeights::CalibratedWeights(const QuantizationPlan &plan,
                                     MutableArrayRef<SelectedWeight> weights,
                                     CompressionReport &report)
    : plan(plan), report(report) {
  for (SelectedWeight &weight : weights)
    selected.insert({weight.parameter, &weight});
}

void CalibratedWeights::replace(CalibrationSite &site, ParameterOp parameter,
                                QuantizedWeight quantized, double seconds) {
  CompressedParameter done =
      replaceWeight(*selected.lookup(parameter), std::move(quantized), plan, seconds);
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
    stateRounding(*selected.lookup(parameter), plan);
    done->activation =
        getActivation(cast<EncodingInterface>(parameter.getTensorType().getEncoding()), plan);
    report.add(std::move(*done));
  }
  return success();
}
