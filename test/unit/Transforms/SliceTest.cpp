//===- SliceTest.cpp - residual streams of fewer channels ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The models are those of the tests in test/Analysis, with random weights. In fp64 logits are the
// same within 1e-9 of the largest where all channels stay, whatever the bases, and where what is
// left out is zero.
//
//===----------------------------------------------------------------------===//

#include "ExactModel.h"
#include "FamilyModels.h"
#include "llmc/Transforms/Rewrites/SliceResidual.h"
#include "llmc/Transforms/RowWidths.h"

#include "mlir/IR/Verifier.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>

using namespace mlir;
using namespace llmc;
using namespace llmc::test;

namespace {

constexpr double sliceTolerance = 1e-9;
constexpr int32_t sliceTokens[] = {5, 2, 11, 7, 2};

/// Models whose stream has no basis of its own at each place, and why.
const std::map<std::string, std::string> refused{
    {"heads:2", "expected a gain that can be folded: @gate is used elsewhere too"},
    {"norms:0", "expected no 'llmc.rms_norm' between what is added and the residual stream"},
    {"norms:1", "expected no 'llmc.rms_norm' between what is added and the residual stream"},
    {"norms:2", "expected one residual stream, found 2"},
    {"norms:3", "expected no 'llmc.layer_norm' between what is added and the residual stream"}};

class SliceTest : public testing::Test {
protected:
  SliceTest() { loadFamilyDialects(context); }

  static func::FuncOp getStep(ModuleOp module) { return module.lookupSymbol<func::FuncOp>("step"); }

  static std::optional<std::vector<double>> compute(ModuleOp module,
                                                    const ParameterRewrite &rewrite) {
    std::string unknown;
    return computeLogits(getStep(module), rewrite, sliceTokens, unknown);
  }

  /// Calls `check` with every model that can be sliced, and what has prepared it.
  void
  forEachModel(llvm::function_ref<void(ModuleOp, ParameterRewrite &, ResidualSlicer &)> check) {
    for (auto &[name, text] : readFamilyModels()) {
      SCOPED_TRACE(name);
      OwningOpRef<ModuleOp> module = parseFamilyModel(context, text);
      ASSERT_TRUE(module);
      ParameterRewrite rewrite(*module);
      auto before = compute(*module, rewrite);
      std::string message;
      ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
        message += diagnostic.getSeverity() == DiagnosticSeverity::Error ? diagnostic.str() : "";
      });
      std::optional<ResidualSlicer> slicer;
      if (succeeded(prepareSlicing(getStep(*module), rewrite)))
        if (auto found = ResidualSlicer::get(getStep(*module), rewrite); succeeded(found))
          slicer.emplace(std::move(*found));
      auto expected = refused.find(name);
      EXPECT_EQ(expected == refused.end(), slicer.has_value()) << message;
      if (!slicer) {
        if (expected != refused.end())
          EXPECT_NE(message.find(expected->second), std::string::npos) << message;
        continue;
      }
      if (!before)
        continue;
      auto prepared = compute(*module, rewrite);
      ASSERT_TRUE(prepared);
      EXPECT_LT(getRelativeDifference(*before, *prepared), sliceTolerance);
      check(*module, rewrite, *slicer);
      ++checked;
    }
    EXPECT_GE(checked, 6);
  }

  MLIRContext context;
  int64_t checked = 0;
};

TEST_F(SliceTest, AllChannelsInAnyBasesComputeTheSame) {
  forEachModel([](ModuleOp module, ParameterRewrite &rewrite, ResidualSlicer &slicer) {
    std::vector<RotationRef> bases;
    for (size_t place = 0; place < slicer.getPlaces().size(); ++place)
      bases.push_back(makeRandomizedRotation(slicer.getWidth(), place));
    auto before = compute(module, rewrite);
    slicer.slice(slicer.getWidth(), bases);
    ASSERT_TRUE(succeeded(mlir::verify(module)));
    auto after = compute(module, rewrite);
    ASSERT_TRUE(before && after);
    EXPECT_LT(getRelativeDifference(*before, *after), sliceTolerance);
  });
}

/// The parts of x in the basis that `rotation` leaves out become zero: x ← x·Q·diag(1…1, 0…0)·Qᵀ.
void project(MutableArrayRef<double> x, const Rotation &rotation, int64_t kept) {
  const auto width = static_cast<int64_t>(x.size());
  std::vector<double> matrix(width * width, 0);
  for (int64_t row = 0; row < width; ++row) {
    matrix[row * width + row] = 1;
    rotation.apply(MutableArrayRef<double>(matrix).slice(row * width, width));
  }
  std::vector<double> result(width, 0);
  for (int64_t vector = 0; vector < kept; ++vector) {
    double part = 0;
    for (int64_t i = 0; i < width; ++i)
      part += x[i] * matrix[i * width + vector];
    for (int64_t i = 0; i < width; ++i)
      result[i] += part * matrix[i * width + vector];
  }
  llvm::copy(result, x.begin());
}

TEST_F(SliceTest, ChannelsThatAreZeroCanGo) {
  forEachModel([](ModuleOp module, ParameterRewrite &rewrite, ResidualSlicer &slicer) {
    const int64_t width = slicer.getWidth(), kept = width / 2;
    RotationRef basis = makeRandomizedRotation(width, 1);
    const Structure structure(getStep(module));
    for (const StreamWrite &write : structure.getStreams().front().writes) {
      const bool ofRows = isa<LinearOp>(write.source);
      for (Value value : write.source->getOperands().drop_front()) {
        ParameterOp parameter = getParameterOf(value);
        rewrite.add(parameter, [=](ExactValues &values) {
          for (int64_t i = 0; i < (ofRows ? values.columns : values.rows); ++i) {
            std::vector<double> x(width);
            auto at = [&](int64_t k) -> double & {
              return ofRows ? values.data[k * values.columns + i] : values.row(i)[k];
            };
            for (int64_t k = 0; k < width; ++k)
              x[k] = at(k);
            project(x, *basis, kept);
            for (int64_t k = 0; k < width; ++k)
              at(k) = x[k];
          }
        });
      }
    }
    auto before = compute(module, rewrite);
    int64_t parameters = 0, left = 0;
    for (auto parameter : module.getOps<ParameterOp>())
      parameters += parameter.getTensorType().getNumElements();
    const int64_t growth = slicer.getGrowth(kept);
    slicer.slice(kept, std::vector<RotationRef>(slicer.getPlaces().size(), basis));
    auto after = compute(module, rewrite);
    ASSERT_TRUE(before && after);
    EXPECT_LT(getRelativeDifference(*before, *after), sliceTolerance);
    ASSERT_TRUE(succeeded(rewrite.store()));
    inferRowWidths(getStep(module));
    ASSERT_TRUE(succeeded(mlir::verify(module)));
    for (auto parameter : module.getOps<ParameterOp>())
      left += parameter.getTensorType().getNumElements();
    EXPECT_EQ(left - parameters, growth);
  });
}

} // namespace
