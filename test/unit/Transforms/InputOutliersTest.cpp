//===- InputOutliersTest.cpp - inputs that stand out, beside those that are rounded ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Quantization/InputOutliers.h"
#include "ExactModel.h"
#include "FamilyModels.h"
#include "llmc/Analysis/Structure.h"
#include "llmc/Dialect/LLMC/IR/ColumnOps.h"
#include "llmc/Transforms/Quantization/QuantizedWeight.h"

#include "mlir/IR/Verifier.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace llmc;
using namespace llmc::test;

namespace {

constexpr int32_t tokens[] = {5, 2, 11, 7, 2};

class InputOutliersTest : public testing::Test {
protected:
  InputOutliersTest() {
    loadFamilyDialects(context);
    DialectRegistry registry;
    insertCalibrationDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    options.calibration = selfCalibration.str();
    options.samples = 2;
    options.sequenceLength = 6;
    options.threads = 1;
  }

  void load(const std::string &name) {
    module = parseFamilyModel(context, readFamilyModels()[name]);
    ASSERT_TRUE(module);
    step = module->lookupSymbol<func::FuncOp>("step");
    FailureOr<SmallVector<SelectedWeight>> selected = selectWeights(*module, {{}, {}, false});
    ASSERT_TRUE(succeeded(selected));
    weights = *selected;
  }

  /// Linears of 8 inputs round them by one scale each.
  QuantizationPlan makePlan(double threshold) {
    QuantizationRequest request;
    request.groupSize = "channel";
    request.activation = ActivationRounding::I8;
    request.activationGroup = 0;
    request.activationOutliers = threshold;
    return *QuantizationPlan::get(UnknownLoc::get(&context), request);
  }

  LogicalResult split(double threshold) {
    return splitOutliers(*module, makePlan(threshold), weights, options, /*walksAgain=*/true,
                         report);
  }

  /// The roles of the linears that have a selected weight, and of norms.
  SmallVector<Role> getRoles() {
    Structure structure(step);
    SmallVector<Role> roles;
    for (const SelectedWeight &weight : weights)
      for (LinearOp linear : weight.linears)
        roles.push_back(structure.getRole(linear));
    for (auto norm : step.getOps<RMSNormOp>())
      roles.push_back(structure.getRole(norm));
    return roles;
  }

  std::vector<double> getLogits() {
    ParameterRewrite rewrite(*module);
    std::string unknown;
    std::optional<std::vector<double>> logits = computeLogits(step, rewrite, tokens, unknown);
    EXPECT_TRUE(logits) << unknown;
    return logits.value_or(std::vector<double>());
  }

  /// Checks that a weight keeps what some linear reads of it, and nothing else.
  void checkCleared(SelectedWeight weight) {
    FailureOr<WeightValues> values = WeightValues::read(weight.parameter);
    ASSERT_TRUE(succeeded(values));
    const WeightValues whole = *values;
    clearUnread(weight, *values);
    auto clear = weight.linears.front().getInput().getDefiningOp<ClearColumnsOp>();
    for (int64_t row = 0; row < whole.rows; ++row)
      for (int64_t column = 0; column < whole.columns; ++column) {
        bool unread = clear && llvm::is_contained(clear.getColumns(), column);
        EXPECT_EQ(values->row(row)[column], unread ? 0 : whole.row(row)[column]);
      }
    // The head too, which may be the token embedding.
    *values = whole;
    weight.isHead = true;
    clearUnread(weight, *values);
    EXPECT_EQ(values->data, whole.data);
  }

  MLIRContext context;
  CalibrationOptions options;
  OwningOpRef<ModuleOp> module;
  func::FuncOp step;
  SmallVector<SelectedWeight> weights;
  CompressionReport report{"test"};
};

/// The operations of a function, in their order.
SmallVector<Operation *> listOperations(func::FuncOp function) {
  return llvm::map_to_vector(function.getBody().front(), [](Operation &op) { return &op; });
}

// One walk serves all that can be asked of what it leaves.
TEST_F(InputOutliersTest, AreTakenApart) {
  load("heads:0");
  const std::vector<double> before = getLogits();
  const SmallVector<Role> roles = getRoles();
  ASSERT_TRUE(succeeded(split(1.5)));
  ASSERT_TRUE(succeeded(mlir::verify(*module)));
  EXPECT_LT(getRelativeDifference(before, getLogits()), 1e-9);
  EXPECT_EQ(roles, getRoles());
  // A linear that reads them has a weight of its own.
  int64_t branches = 0, added = 0;
  for (auto taken : step.getOps<TakeColumnsOp>())
    branches += llvm::range_size(taken->getUsers());
  for (auto parameter : module->getOps<ParameterOp>())
    added += parameter.getSymName().ends_with(".outliers");
  EXPECT_GT(branches, 0);
  EXPECT_EQ(added, branches);
  for (SelectedWeight &weight : weights)
    checkCleared(weight);
  // What is left is below, so that the second time nothing is found.
  const SmallVector<Operation *> once = listOperations(step);
  ASSERT_TRUE(succeeded(split(1.5)));
  EXPECT_EQ(once, listOperations(step));
}

TEST_F(InputOutliersTest, AreNotAllInputs) {
  load("heads:0");
  std::string message;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    message += diagnostic.str();
    return success();
  });
  EXPECT_TRUE(failed(split(1e-6)));
  EXPECT_NE(
      message.find("activation-outliers: expected a magnitude that some columns of its inputs "
                   "stay below, found all 8 above"),
      std::string::npos)
      << message;
}

} // namespace
