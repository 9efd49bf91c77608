//===- RewriteTest.cpp - exact rewrites leave logits as they are ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The models are those of the tests in test/Analysis, with random weights: in fp64 logits are the
// same within 1e-9 of the largest before and after.
//
//===----------------------------------------------------------------------===//

#include "ExactModel.h"
#include "FamilyModels.h"
#include "llmc/Analysis/Structure.h"
#include "llmc/Transforms/Rewrites/ModelRewrite.h"

#include "mlir/IR/Verifier.h"

#include <gtest/gtest.h>

#include <map>

using namespace mlir;
using namespace llmc;
using namespace llmc::test;

namespace {

constexpr double rewriteTolerance = 1e-9;
constexpr int32_t rewriteTokens[] = {5, 2, 11, 7, 2};

class Rewrites : public testing::Test {
protected:
  Rewrites() { loadFamilyDialects(context); }

  /// A model with random weights.
  OwningOpRef<ModuleOp> parse(StringRef text) { return parseFamilyModel(context, text); }

  using Change = llvm::function_ref<LogicalResult(func::FuncOp, ParameterRewrite &)>;

  /// Checks that a change of every model that can be computed here leaves its logits as they are,
  /// and that those of `refused` get the message that stands there, and no others.
  void checkAll(const std::map<std::string, std::string> &refused, Change change) {
    int64_t checked = 0;
    for (auto &[name, text] : readFamilyModels()) {
      SCOPED_TRACE(name);
      OwningOpRef<ModuleOp> module = parse(text);
      ASSERT_TRUE(module);
      auto step = module->lookupSymbol<func::FuncOp>("step");
      ParameterRewrite rewrite(*module);
      std::string unknown, message;
      std::optional<std::vector<double>> before =
          computeLogits(step, rewrite, rewriteTokens, unknown);
      ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
        if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
          message += diagnostic.str();
      });
      auto expected = refused.find(name);
      bool done = succeeded(change(step, rewrite));
      EXPECT_EQ(expected == refused.end(), done) << message;
      if (!done) {
        if (expected != refused.end())
          EXPECT_NE(message.find(expected->second), std::string::npos) << message;
        continue;
      }
      ASSERT_TRUE(succeeded(mlir::verify(*module)));
      if (!before)
        continue;
      std::optional<std::vector<double>> after =
          computeLogits(step, rewrite, rewriteTokens, unknown);
      ASSERT_TRUE(after) << unknown;
      EXPECT_LT(getRelativeDifference(*before, *after), rewriteTolerance);
      ++checked;
    }
    EXPECT_GT(checked, 0);
  }

  MLIRContext context;
};

/// Where the residual stream cannot be rotated, and why.
const std::map<std::string, std::string> &getRefusedStreams() {
  static const std::map<std::string, std::string> refused{
      {"heads:2", "expected a gain that can be folded: @gate is used elsewhere too"},
      {"norms:0", "expected no 'llmc.rms_norm' between what is added and the residual stream"},
      {"norms:1", "expected no 'llmc.rms_norm' between what is added and the residual stream"},
      {"norms:2", "expected one residual stream, found 2"},
      {"norms:3", "expected no 'llmc.layer_norm' between what is added and the residual stream"}};
  return refused;
}

RotationRef makeRandom(int64_t width) { return makeRandomizedRotation(width, 42); }

TEST_F(Rewrites, FoldingNormsIsExact) {
  checkAll({},
           [](func::FuncOp step, ParameterRewrite &rewrite) { return foldNorms(step, rewrite); });
}

TEST_F(Rewrites, RotatingTheResidualStreamIsExact) {
  checkAll(getRefusedStreams(), [](func::FuncOp step, ParameterRewrite &rewrite) {
    return rotateResidual(step, {makeRandom}, rewrite);
  });
}

TEST_F(Rewrites, UntyingTheHeadIsExact) {
  checkAll(getRefusedStreams(), [](func::FuncOp step, ParameterRewrite &rewrite) {
    return rotateResidual(step, {makeRandom, /*untieHead=*/true}, rewrite);
  });
}

TEST_F(Rewrites, RotatingInputsOfDownIsExact) {
  checkAll(
      {{"heads:2", "expected a weight that reads one input"},
       {"unknown:0", "expected linears that end MLPs, found none"},
       {"unknown:1", "expected linears that end MLPs, found none"}},
      [](func::FuncOp step, ParameterRewrite &rewrite) { return rotateDown(step, {}, rewrite); });
}

TEST_F(Rewrites, RotatingQueriesAndKeysIsExact) {
  checkAll({}, [](func::FuncOp step, ParameterRewrite &rewrite) {
    return rotateKeys(step, {}, rewrite);
  });
}

TEST_F(Rewrites, RotatingValuesIsExact) {
  checkAll({{"heads:2", "a value on the way to it is used several times"},
            {"factors:1", "'tensor.extract_slice' makes it"},
            {"norms:4", "expected linears alone to read what attention computes"},
            {"unknown:0", "'tensor.cast' makes it"},
            {"unknown:1", "a part of the linear's outputs that makes it is used several times"}},
           [](func::FuncOp step, ParameterRewrite &rewrite) {
             return rotateValues(step, {makeRandom}, rewrite);
           });
}

TEST_F(Rewrites, FollowEachOther) {
  std::string unknown;
  OwningOpRef<ModuleOp> module = parse(readFamilyModels()["heads:0"]);
  auto step = module->lookupSymbol<func::FuncOp>("step");
  ParameterRewrite rewrite(*module);
  std::vector<double> before = *computeLogits(step, rewrite, rewriteTokens, unknown);
  ASSERT_TRUE(succeeded(foldNorms(step, rewrite)));
  ASSERT_TRUE(succeeded(rotateResidual(step, {makeRandom}, rewrite)));
  ASSERT_TRUE(succeeded(rotateValues(step, {makeHadamardRotation}, rewrite)));
  ASSERT_TRUE(succeeded(rotateResidual(step, {makeHadamardRotation}, rewrite)));
  EXPECT_LT(getRelativeDifference(before, *computeLogits(step, rewrite, rewriteTokens, unknown)),
            rewriteTolerance);
  // What is stored is that, rounded to fp32.
  ASSERT_TRUE(succeeded(rewrite.store()));
  double rounded =
      getRelativeDifference(before, *computeLogits(step, rewrite, rewriteTokens, unknown));
  EXPECT_GT(rounded, 1e-12);
  EXPECT_LT(rounded, 1e-5);
}

} // namespace
