//===- CalibratedWeightsTest.cpp - what a calibrated pass notes of its weights ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Quantization/CalibratedWeights.h"
#include "TransformsTestSupport.h"

#include "llmc/Dialect/LLMC/IR/ParameterData.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"

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
  EXPECT_TRUE(
      succeeded(calibrated.replaceEach(site, [&](ParameterOp changed, const WeightValues &values) {
        return roundToNearest(changed, values, plan.others.encoding, false);
      })));
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

// What the walk, or the run before, stated at a linear is more than the plan can say.
TEST_F(CalibratedWeightsTest, KeepsRangesThatAreStated) {
  context.loadDialect<mlir::func::FuncDialect>();
  module = mlir::parseSourceString<mlir::ModuleOp>(R"(
    llmc.parameter @w : tensor<2x64xf32> = #llmc.file<"none", offset = 0>
    func.func @step(%x: tensor<?x64xf32>) -> tensor<?x2xf32> {
      %w = llmc.parameter_value @w : tensor<2x64xf32>
      %y = llmc.linear %x, %w : (tensor<?x64xf32>, tensor<2x64xf32>) -> tensor<?x2xf32>
      return %y : tensor<?x2xf32>
    })",
                                                   &context);
  ASSERT_TRUE(module);
  ParameterOp parameter = *module->getOps<ParameterOp>().begin();
  LinearOp linear;
  module->walk([&](LinearOp op) { linear = op; });
  setParameter(parameter, parameter.getTensorType(),
               makeParameterData(&context, "w", std::vector<uint8_t>(2 * 64 * 4)));
  QuantizationRequest request;
  request.groupSize = "channel";
  request.activation = ActivationRounding::I8Static;
  QuantizationPlan plan = *QuantizationPlan::get(builder.getUnknownLoc(), request);
  EXPECT_TRUE(plan.hasRanges());
  std::vector<SelectedWeight> weights{{parameter, {linear}, false}};
  CompressionReport report("pass");
  CalibratedWeights calibrated([&](SelectedWeight &weight) { return stateRounding(weight, plan); },
                               weights, report);
  CalibrationSite site;
  site.parameters = {parameter};
  site.linears = {linear};
  auto stated = DynamicAttr::get(&context, 8, DynamicAttr::rowGroup, builder.getF32FloatAttr(3.5f),
                                 mlir::Type());
  linear.setActivationAttr(stated);
  EXPECT_TRUE(
      succeeded(calibrated.replaceEach(site, [&](ParameterOp changed, const WeightValues &values) {
        return roundToNearest(changed, values, plan.others.encoding, false);
      })));
  EXPECT_EQ(linear.getActivationAttr(), stated);
  EXPECT_TRUE(mlir::succeeded(calibrated.restore(site)));
  EXPECT_EQ(linear.getActivationAttr(), stated);
  linear.removeActivationAttr();
  EXPECT_TRUE(mlir::succeeded(calibrated.restore(site)));
  EXPECT_EQ(linear.getActivationAttr(), plan.others.activation);
}

} // namespace
