//===- CheckImportTest.cpp - raised models that are wrong are refused ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Verification/CheckImport.h"
#include "llmc/Dialect/LLMC/IR/LLMC.h"
#include "llmc/Pipelines/Dialects.h"
#include "llmc/Pipelines/Import.h"
#include "llmc/Pipelines/Raise.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"

#include "gtest/gtest.h"

using namespace mlir;
using namespace llmc;

namespace {

/// The tiny model as a graph and raised, to be made wrong.
class CheckImportTest : public testing::Test {
protected:
  void SetUp() override {
    DialectRegistry registry;
    insertAllDialects(registry);
    context = std::make_unique<MLIRContext>(registry, MLIRContext::Threading::DISABLED);
    context->loadAllAvailableDialects();
    llvm::SourceMgr sources;
    llvm::Expected<OwningOpRef<ModuleOp>> model = readModel(TINY_MODEL, context.get(), sources);
    ASSERT_TRUE(static_cast<bool>(model)) << llvm::toString(model.takeError());
    ASSERT_TRUE(*model);
    graph = std::move(*model);
    raised = graph->clone();
    ASSERT_TRUE(succeeded(raiseModel(*raised)));
  }

  /// Compares the two; gives the error, or nothing where they agree.
  std::string check() {
    std::string message;
    ScopedDiagnosticHandler handler(context.get(), [&](Diagnostic &diagnostic) {
      if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
        message += diagnostic.str();
    });
    FailureOr<ImportCheckResult> result = checkImport(*graph, *raised, ImportCheck::Quick);
    EXPECT_EQ(succeeded(result), message.empty()) << message;
    if (succeeded(result)) {
      EXPECT_GT(result->rows, 0);
    }
    return message;
  }

  void expectRefused(StringRef node) {
    std::string message = check();
    EXPECT_TRUE(StringRef(message).contains("computes something else")) << message;
    EXPECT_TRUE(StringRef(message).contains("the first layer that differs ends at node '"))
        << message;
    EXPECT_TRUE(StringRef(message).contains(node)) << message;
  }

  /// The first operation of a kind.
  template <typename T>
  T find() {
    T found;
    raised->walk([&](T op) {
      found = op;
      return WalkResult::interrupt();
    });
    EXPECT_TRUE(found);
    return found;
  }

  std::unique_ptr<MLIRContext> context;
  OwningOpRef<ModuleOp> graph, raised;
};

} // namespace

TEST_F(CheckImportTest, Agrees) { EXPECT_EQ(check(), ""); }

TEST_F(CheckImportTest, Epsilon) {
  find<RMSNormOp>().setEpsilonAttr(Builder(context.get()).getF32FloatAttr(0.3F));
  expectRefused("layers.0");
}

TEST_F(CheckImportTest, Window) {
  find<AttentionOp>().setWindowAttr(Builder(context.get()).getI64IntegerAttr(2));
  expectRefused("self_attn");
}

TEST_F(CheckImportTest, Scale) {
  AttentionOp attention = find<AttentionOp>();
  attention.setScaleAttr(
      Builder(context.get()).getF32FloatAttr(attention.getScale().convertToFloat() * 1.05F));
  expectRefused("self_attn");
}

TEST_F(CheckImportTest, Frequencies) {
  RopeOp rope = find<RopeOp>();
  SmallVector<float> frequencies(rope.getFrequencies());
  frequencies.front() *= 1.2F;
  rope.setFrequenciesAttr(DenseF32ArrayAttr::get(context.get(), frequencies));
  expectRefused("self_attn");
}

TEST_F(CheckImportTest, ExchangedWeights) {
  // Gate and up of one layer, in place of each other.
  SmallVector<ParameterOp> parameters;
  for (ParameterOp parameter : raised->getOps<ParameterOp>())
    if (parameter.getSymName().contains("layers.0") &&
        (parameter.getSymName().contains("gate") || parameter.getSymName().contains("up")))
      parameters.push_back(parameter);
  ASSERT_GE(parameters.size(), 2U);
  Attribute first = parameters[0].getData();
  parameters[0].setDataAttr(parameters[1].getData());
  parameters[1].setDataAttr(first);
  expectRefused("/");
}

TEST_F(CheckImportTest, OptionOff) {
  find<RMSNormOp>().setEpsilonAttr(Builder(context.get()).getF32FloatAttr(0.3F));
  EXPECT_TRUE(succeeded(checkImport(*graph, *raised, ImportCheck::Off)));
}
