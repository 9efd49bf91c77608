//===- StructuredPruningTest.cpp - models without some channels, heads and layers ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What is left of a model computes what the whole does where the weights that read what is left out
// are zero, in fp64.
//
//===----------------------------------------------------------------------===//

#include "ExactModel.h"
#include "FamilyModels.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"
#include "llmc/Transforms/Passes.h"
#include "llmc/Transforms/Pruning/LayerPruning.h"
#include "llmc/Transforms/Pruning/UnitRemoval.h"
#include "llmc/Transforms/Rewrites/ModelRewrite.h"

#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace llmc;
using namespace llmc::test;

namespace {

constexpr double pruningTolerance = 1e-12;
constexpr int32_t pruningTokens[] = {5, 2, 11, 7, 2};

/// Layers of attention alone: x ← x + O·attention(norm(x)).
std::string writeLayers(int64_t count) {
  std::string text, caches, body = R"(
    %table = llmc.parameter_value @table : tensor<16x8xf32>
    %h0 = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<16x8xf32>) -> tensor<?x8xf32>
)";
  llvm::raw_string_ostream parameters(text), operations(body);
  auto declare = [&](const std::string &name, StringRef type) {
    parameters << "llmc.parameter @" << name << " : " << type
               << " = #llmc.file<\"w\", offset = 0>\n";
    operations << "%" << name << " = llmc.parameter_value @" << name << " : " << type << "\n";
  };
  parameters << "llmc.parameter @table : tensor<16x8xf32> = #llmc.file<\"w\", offset = 0>\n";
  const char *cache = "!llmc.kv_cache<2x4, capacity = 32, keys = f32, values = f32>";
  for (int64_t i = 0; i < count; ++i) {
    const std::string n = std::to_string(i);
    caches += ", %cache" + n + ": " + cache;
    declare("norm" + n, "tensor<8xf32>");
    declare("key" + n, "tensor<8x8xf32>");
    declare("out" + n, "tensor<8x8xf32>");
    operations << "%n" << n << " = llmc.rms_norm %h" << n << ", %norm" << n
               << " : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}\n"
               << "%k" << n << " = llmc.linear %n" << n << ", %key" << n
               << " : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>\n"
               << "%c" << n << " = llmc.cache_append %cache" << n << ", %k" << n << ", %k" << n
               << ", %rows : " << cache << ", tensor<?x8xf32>, tensor<?x8xf32>\n"
               << "%a" << n << " = llmc.attention %k" << n << ", %c" << n
               << ", %rows : tensor<?x8xf32>, " << cache
               << " {heads = 2 : i64, scale = 0.5 : f32}\n"
               << "%o" << n << " = llmc.linear %a" << n << ", %out" << n
               << " : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>\n"
               << "%h" << i + 1 << " = arith.addf %h" << n << ", %o" << n << " : tensor<?x8xf32>\n";
  }
  return text + "func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows" + caches +
         ") -> tensor<?x16xf32> {" + body + "%logits = llmc.linear %h" + std::to_string(count) +
         ", %table : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>\n" +
         "return %logits : tensor<?x16xf32>\n}\n";
}

class StructuredPruning : public testing::Test {
protected:
  StructuredPruning() { loadFamilyDialects(context); }

  OwningOpRef<ModuleOp> parse(StringRef text) { return parseFamilyModel(context, text); }
  static func::FuncOp getStep(ModuleOp module) { return module.lookupSymbol<func::FuncOp>("step"); }

  /// Logits once `change` was made of the parameters; none where they can't be computed here.
  static std::optional<std::vector<double>>
  compute(ModuleOp module, llvm::function_ref<void(ParameterRewrite &)> change) {
    ParameterRewrite rewrite(module);
    change(rewrite);
    std::string unknown;
    return computeLogits(getStep(module), rewrite, pruningTokens, unknown);
  }
  static std::optional<std::vector<double>> compute(ModuleOp module) {
    return compute(module, [](ParameterRewrite &) {});
  }

  MLIRContext context;
};

/// Every other unit, but one at least.
KeptUnits halve(const ChannelGroup &group) {
  KeptUnits units{&group, SmallVector<bool, 0>(group.count, true)};
  for (int64_t unit = 0; unit + 1 < group.count; unit += 2)
    units.kept[unit] = false;
  return units;
}

bool canPrune(const ChannelGroup &group) {
  return group.kind != ChannelGroup::Kind::Residual && group.norms.empty() && group.count > 1 &&
         llvm::any_of(group.members, [](const ChannelMember &member) { return member.axis == 1; });
}

/// Lets nothing read the units that go.
void zero(const KeptUnits &units, ParameterRewrite &rewrite) {
  for (const ChannelMember &member : units.group->members) {
    if (member.axis != 1)
      continue;
    ParameterOp parameter = member.parameter;
    std::vector<double> factors(parameter.getTensorType().getDimSize(1), 1);
    for (auto [unit, stays] : llvm::enumerate(units.kept))
      for (int64_t i = 0; i < member.perUnit && !stays; ++i)
        factors[member.begin + static_cast<int64_t>(unit) * member.perUnit + i] = 0;
    rewrite.add(parameter, scaleColumns(factors));
  }
}

TEST_F(StructuredPruning, LeavingOutUnitsIsReadingNoneOfThem) {
  int64_t checked = 0;
  for (auto &[name, text] : readFamilyModels()) {
    SCOPED_TRACE(name);
    OwningOpRef<ModuleOp> module = parse(text);
    ASSERT_TRUE(module);
    const Structure structure(getStep(*module));
    std::vector<KeptUnits> kept;
    for (const ChannelGroup &group : structure.getGroups())
      if (canPrune(group))
        kept.push_back(halve(group));
    if (kept.empty())
      continue;
    auto expected = compute(*module, [&](ParameterRewrite &rewrite) {
      for (const KeptUnits &units : kept)
        zero(units, rewrite);
    });
    ASSERT_TRUE(succeeded(keepUnits(getStep(*module), kept)));
    ASSERT_TRUE(succeeded(mlir::verify(*module)));
    auto found = compute(*module);
    ASSERT_EQ(expected.has_value(), found.has_value());
    if (!found)
      continue;
    EXPECT_LT(getRelativeDifference(*expected, *found), pruningTolerance);
    ++checked;
  }
  EXPECT_GE(checked, 8);
}

TEST_F(StructuredPruning, HeadsCanGoWhoseKeysAreRotated) {
  OwningOpRef<ModuleOp> module = parse(readFamilyModels()["heads:0"]);
  ParameterRewrite rewrite(*module);
  ASSERT_TRUE(succeeded(rotateKeys(getStep(*module), {}, rewrite)));
  ASSERT_TRUE(succeeded(rewrite.store()));
  ASSERT_FALSE(getStep(*module).getOps<HadamardOp>().empty());
  const Structure structure(getStep(*module));
  const ChannelGroup *heads = llvm::find_if(structure.getGroups(), [](const ChannelGroup &group) {
    return group.kind == ChannelGroup::Kind::Heads;
  });
  ASSERT_NE(heads, structure.getGroups().end());
  const KeptUnits kept = halve(*heads);
  auto expected = compute(*module, [&](ParameterRewrite &zeroed) { zero(kept, zeroed); });
  ASSERT_TRUE(succeeded(keepUnits(getStep(*module), kept)));
  ASSERT_TRUE(succeeded(mlir::verify(*module)));
  auto found = compute(*module);
  ASSERT_TRUE(expected && found);
  EXPECT_LT(getRelativeDifference(*expected, *found), pruningTolerance);
}

TEST_F(StructuredPruning, DroppingALayerIsAddingNothing) {
  for (size_t dropped : {0, 1, 2}) {
    OwningOpRef<ModuleOp> module = parse(writeLayers(4));
    const std::string out = "out" + std::to_string(dropped);
    auto expected = compute(*module, [&](ParameterRewrite &rewrite) {
      rewrite.add(module->lookupSymbol<ParameterOp>(out), fill(0));
    });
    FailureOr<std::vector<Layer>> layers = findStepLayers(*module);
    ASSERT_TRUE(succeeded(layers));
    ASSERT_EQ(layers->size(), 4U);
    dropLayer(getStep(*module), *layers, dropped);
    ASSERT_TRUE(succeeded(mlir::verify(*module)));
    EXPECT_EQ(getStep(*module).getNumArguments(), 5U);
    EXPECT_FALSE(module->lookupSymbol(out));
    EXPECT_LT(getRelativeDifference(*expected, *compute(*module)), pruningTolerance);
  }
}

TEST_F(StructuredPruning, LayersFollowEachOtherWhenSeveralGo) {
  OwningOpRef<ModuleOp> module = parse(writeLayers(5));
  auto expected = compute(*module, [&](ParameterRewrite &rewrite) {
    for (StringRef name : {"out1", "out2", "out3"})
      rewrite.add(module->lookupSymbol<ParameterOp>(name), fill(0));
  });
  FailureOr<std::vector<Layer>> layers = findStepLayers(*module);
  ASSERT_TRUE(succeeded(layers));
  for (size_t index : {1, 2, 3})
    dropLayer(getStep(*module), *layers, index);
  ASSERT_TRUE(succeeded(mlir::verify(*module)));
  EXPECT_EQ(getStep(*module).getNumArguments(), 4U);
  EXPECT_LT(getRelativeDifference(*expected, *compute(*module)), pruningTolerance);
}

std::vector<double> read(ModuleOp module, StringRef name) {
  return ParameterRewrite(module).evaluate(module.lookupSymbol<ParameterOp>(name))->data;
}

TEST_F(StructuredPruning, LayersShareTheFirstOnesWeightsOrMeans) {
  for (bool mean : {false, true}) {
    OwningOpRef<ModuleOp> module = parse(writeLayers(3));
    const std::vector<double> first = read(*module, "key0"), second = read(*module, "key1");
    FailureOr<std::vector<Layer>> layers = findStepLayers(*module);
    ASSERT_TRUE(succeeded(layers));
    ASSERT_TRUE(succeeded(shareParameters(ArrayRef(*layers).take_front(2), mean)));
    ASSERT_TRUE(succeeded(mlir::verify(*module)));
    EXPECT_FALSE(module->lookupSymbol("key1"));
    EXPECT_TRUE(module->lookupSymbol("key2"));
    EXPECT_EQ(getStep(*module).getNumArguments(), 5U);
    for (auto [a, b, found] : llvm::zip_equal(first, second, read(*module, "key0")))
      EXPECT_EQ(found, mean ? static_cast<float>((a + b) / 2) : a);
  }
}

TEST_F(StructuredPruning, SharingIsHavingTheSameWeights) {
  OwningOpRef<ModuleOp> module = parse(writeLayers(3));
  auto expected = compute(*module, [&](ParameterRewrite &rewrite) {
    for (StringRef name : {"norm", "key", "out"}) {
      auto first = module->lookupSymbol<ParameterOp>((name + "0").str());
      auto second = module->lookupSymbol<ParameterOp>((name + "1").str());
      rewrite.add(second, [values = rewrite.evaluate(first)->data](ExactValues &all) {
        all.data = values;
      });
    }
  });
  FailureOr<std::vector<Layer>> layers = findStepLayers(*module);
  ASSERT_TRUE(succeeded(layers));
  ASSERT_TRUE(succeeded(shareParameters(ArrayRef(*layers).take_front(2), /*mean=*/false)));
  EXPECT_LT(getRelativeDifference(*expected, *compute(*module)), pruningTolerance);
}

// A layer whose input is that of the one before makes the same keys and values with the same
// weights.
TEST_F(StructuredPruning, SharingACacheIsReadingTheSameKeysAndValues) {
  OwningOpRef<ModuleOp> module = parse(writeLayers(3));
  ParameterRewrite rewrite(*module);
  auto copy = [&](StringRef from, StringRef to) {
    std::vector<double> values = rewrite.evaluate(module->lookupSymbol<ParameterOp>(from))->data;
    rewrite.add(module->lookupSymbol<ParameterOp>(to),
                [values](ExactValues &all) { all.data = values; });
  };
  copy("norm0", "norm1");
  copy("key0", "key1");
  rewrite.add(module->lookupSymbol<ParameterOp>("out0"), fill(0));
  ASSERT_TRUE(succeeded(rewrite.store()));
  auto expected = compute(*module);
  ShareKVCacheOptions options;
  options.layers = {"0-1"};
  options.table = false;
  PassManager manager(&context);
  manager.addPass(createShareKVCache(options));
  ASSERT_TRUE(succeeded(manager.run(*module)));
  EXPECT_EQ(getStep(*module).getNumArguments(), 4U);
  EXPECT_EQ(llvm::range_size(getStep(*module).getOps<CacheAppendOp>()), 2);
  EXPECT_LT(getRelativeDifference(*expected, *compute(*module)), pruningTolerance);
}

// Where layers begin and end in models of many families.
TEST_F(StructuredPruning, EveryFamilyHasItsLayers) {
  for (auto &[name, text] : readFamilyModels()) {
    SCOPED_TRACE(name);
    OwningOpRef<ModuleOp> module = parse(text);
    ASSERT_TRUE(module);
    auto step = getStep(*module);
    const Structure structure(step);
    const std::vector<Layer> layers = findLayers(step);
    for (const Layer &layer : layers) {
      EXPECT_TRUE(layer.input && layer.output);
      EXPECT_TRUE(llvm::any_of(layer.operations, llvm::IsaPred<AttentionOp>));
    }
    EXPECT_LE(static_cast<int64_t>(layers.size()), structure.getNumBlocks());
  }
}

} // namespace
