//===- CalibratedWeightsTest.cpp - what a calibrated pass notes of its weights ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Quantization/CalibratedWeights.h"
#include "TransformsTestSupport.h"

#include "mlir/IR/Diagnostics.h"

using namespace llmc;

namespace {

using CalibratedWeightsTest = test::WeightsTest;

TEST_F(CalibratedWeightsTest, RestoresWhatItNoted) {
  QuantizationRequest request;
  request.groupSize = "channel";
  request.activation = ActivationRounding::None;
  QuantizationPlan plan = *QuantizationPlan::get(builder.getUnknownLoc(), request);
  std::vector<SelectedWeight> weights{{makeParameter({1, 2, 3, 4}, 2), {}, false}};
  ParameterOp parameter = weights.front().parameter;
  CompressionReport report("pass");
  CalibratedWeights calibrated([&](SelectedWeight &weight) { return stateRounding(weight, plan); },
                               weights, report);
  CalibrationSite site;
  site.parameters = {parameter};
  calibrated.replace(
      site, parameter,
      *roundToNearest(parameter, *WeightValues::read(parameter), plan.others.encoding, false), 0);
  EXPECT_TRUE(mlir::succeeded(calibrated.restore(site)));

  auto expectMessage = [&](std::string record, const char *expected) {
    std::string message;
    mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &diagnostic) {
      message = diagnostic.str();
      return mlir::success();
    });
    CalibrationSite other = site;
    other.record = record;
    EXPECT_TRUE(mlir::failed(calibrated.restore(other)));
    EXPECT_NE(message.find(expected), std::string::npos) << message;
  };
  expectMessage("", "resume: expected a record of 1 parameters, found 0");
  expectMessage(site.record + site.record, "resume: expected a record of 1 parameters, found 2");
  expectMessage("{\"name\": \"v\"}\n", "resume: expected a record of this parameter, found '");
  expectMessage("no JSON\n", "resume: expected a record of this parameter, found 'no JSON'");
}

} // namespace
