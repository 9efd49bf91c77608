//===- ImportTest.cpp - the phases import and raise, without what runs programs ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Pipelines/Import.h"
#include "llmc/Pipelines/Dialects.h"
#include "llmc/Pipelines/Phases.h"
#include "llmc/Pipelines/Raise.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"

#include "gtest/gtest.h"

using namespace mlir;
using namespace llmc;

namespace {

class ImportTest : public testing::Test {
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
    module = std::move(*model);
  }

  std::unique_ptr<MLIRContext> context;
  OwningOpRef<ModuleOp> module;
};

} // namespace

TEST_F(ImportTest, Phases) {
  EXPECT_EQ(getPhase(*module), Phase::Import);
  ASSERT_TRUE(succeeded(raiseModel(*module)));
  EXPECT_EQ(getPhase(*module), Phase::Raise);
  EXPECT_EQ(getName(getPhase(*module)), "raise");
}

TEST_F(ImportTest, CheckNeedsCompiler) {
  std::string message;
  ScopedDiagnosticHandler handler(context.get(),
                                  [&](Diagnostic &diagnostic) { message = diagnostic.str(); });
  RaiseOptions options;
  options.checkImport = ImportCheck::Quick;
  EXPECT_TRUE(failed(raiseModel(*module, options)));
  EXPECT_EQ(message, "check-import: expected a tool that can run programs to compare with");
  EXPECT_EQ(getPhase(*module), Phase::Import);
}
