//===- ModelMeaningTest.cpp - what a model means against what ships ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MeaningFixture.h"
#include "StepsEncoding.h"
#include "llmc/Transforms/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "llvm/TargetParser/Host.h"

#include <vector>

using namespace llmc;
using namespace llmc::test;

namespace {

/// Two layers of a decoder of width 64 as one function, called twice.
class ModelWriter {
public:
  /// `encoding` of matrices, or nothing, and the rounding of linears' inputs, or nothing.
  ModelWriter(std::string encoding, std::string activation)
      : encoding(std::move(encoding)), activation(std::move(activation)) {}

  std::string write() {
    std::string block = writeBlock(), step;
    std::string table = read(step, "table", "tensor<48x64xf32>");
    step += "%h0 = llmc.embedding %tokens, %table : (tensor<?xi32>, " + table + ") -> " + hidden;
    for (int layer = 0; layer < 2; ++layer) {
      std::string n = std::to_string(layer), next = std::to_string(layer + 1), values, types;
      for (auto [name, type] : blockParameters) {
        read(step, name + n, type);
        values += ", %" + name + n;
        types += ", " + type;
      }
      step += "\n%h" + next + " = call @block(%h" + n + ", %rows, %cache" + n + values + ") : (" +
              hidden + ", !llmc.rows, !cache" + types + ") -> " + hidden;
    }
    step += "\n%kept = llmc.output_rows %h2, %rows : " + hidden + " -> " + hidden + "\n";
    read(step, "head", matrix(48, 64));
    step += linear("logits", "kept", "head", 48, 64);
    return "!cache = !llmc.kv_cache<2x16, capacity = 16, keys = f32, values = f16>\n" + parameters +
           block +
           "func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache0: !cache, "
           "%cache1: !cache) -> tensor<?x48xf32> {\n" +
           step + "return %logits : tensor<?x48xf32>\n}\n";
  }

private:
  std::string matrix(int rows, int columns) {
    return "tensor<" + std::to_string(rows) + "x" + std::to_string(columns) + "xf32" +
           (encoding.empty() ? "" : ", #llmc.grouped" + encoding) + ">";
  }

  /// Declares a parameter and reads it; gives its type.
  std::string read(std::string &body, const std::string &name, const std::string &type) {
    parameters += parameter(name, type);
    body += "\n%" + name + " = llmc.parameter_value @" + name + " : " + type + "\n";
    return type;
  }

  std::string linear(const std::string &result, const std::string &x, const std::string &weight,
                     int rows, int columns) {
    return "%" + result + " = llmc.linear %" + x + ", %" + weight + activation + " : (tensor<?x" +
           std::to_string(columns) + "xf32>, " + matrix(rows, columns) + ") -> tensor<?x" +
           std::to_string(rows) + "xf32>\n";
  }

  std::string writeBlock() {
    blockParameters = {{"norm", "tensor<64xf32>"}, {"query", matrix(64, 64)},
                       {"key", matrix(32, 64)},    {"value", matrix(32, 64)},
                       {"output", matrix(64, 64)}, {"gate", matrix(96, 64)},
                       {"up", matrix(96, 64)},     {"down", matrix(64, 96)}};
    std::string arguments;
    for (auto [name, type] : blockParameters)
      arguments += ", %" + name + ": " + type;
    auto norm = [&](const std::string &result, const std::string &x) {
      return "%" + result + " = llmc.rms_norm %" + x + ", %norm : " + hidden +
             ", tensor<64xf32> {epsilon = 1.0e-5 : f32}\n";
    };
    return "func.func private @block(%h: " + hidden + ", %rows: !llmc.rows, %cache: !cache" +
           arguments + ") -> " + hidden + " {\n" + norm("a", "h") +
           linear("q", "a", "query", 64, 64) + linear("k", "a", "key", 32, 64) +
           linear("v", "a", "value", 32, 64) + R"(
      %qr = llmc.rope %q, %rows : tensor<?x64xf32>
        {heads = 4 : i64, frequencies = array<f32: 1.0, 0.1, 0.01, 0.001>}
      %kr = llmc.rope %k, %rows : tensor<?x32xf32>
        {heads = 2 : i64, frequencies = array<f32: 1.0, 0.1, 0.01, 0.001>}
      %full = llmc.cache_append %cache, %kr, %v, %rows : !cache, tensor<?x32xf32>, tensor<?x32xf32>
      %at = llmc.attention %qr, %full, %rows : tensor<?x64xf32>, !cache
        {heads = 4 : i64, scale = 0.25 : f32}
      )" + linear("o", "at", "output", 64, 64) +
           "%r = arith.addf %h, %o : tensor<?x64xf32>\n" + norm("b", "r") +
           linear("g", "b", "gate", 96, 64) + linear("u", "b", "up", 96, 64) +
           "%m = llmc.gate <silu> %g, %u : tensor<?x96xf32>\n" + linear("d", "m", "down", 64, 96) +
           "%y = arith.addf %r, %d : tensor<?x64xf32>\nreturn %y : tensor<?x64xf32>\n}\n";
  }

  const std::string hidden = "tensor<?x64xf32>";
  std::string encoding, activation, parameters;
  std::vector<std::pair<std::string, std::string>> blockParameters;
};

class MeaningOfModel : public Meaning {
protected:
  /// Compares the logits of a prompt and of two tokens more.
  void compareModel(ModelWriter writer, double allowed) {
    mlir::OwningOpRef<mlir::ModuleOp> module = parseModel(*context, writer.write());
    compareModel(*module, allowed);
  }
  void compareModel(mlir::ModuleOp module, double allowed) {
    step(module,
         {StepRows::sequence({17, 4, 23, 9, 9, 3}), StepRows::sequence({41}, 6),
          StepRows::sequence({7}, 7)},
         allowed);
  }
};

const char *const modelEncoding = "<bits = 4, group = 32, zero = float, scale = f16>";

} // namespace

TEST_F(MeaningOfModel, Floats) { compareModel({"", ""}, tolerance); }

// A variant that the library has no row for: other register tiles, and nothing but plain arithmetic
// on any machine.
TEST_F(MeaningOfModel, ForeignTarget) {
  static constexpr KernelTarget variant{"foreign",
                                        "generic",
                                        "",
                                        /*features=*/0,
                                        /*floatRows=*/5,
                                        /*floatTiles=*/2,
                                        /*integerRows=*/3,
                                        /*integerTiles=*/2,
                                        /*fma=*/false,
                                        /*halfConversion=*/false,
                                        /*warps=*/0,
                                        cpu::DotLowering::Plain};
  Target target{llvm::Triple(llvm::sys::getDefaultTargetTriple()), {&variant}};
  mlir::OwningOpRef<mlir::ModuleOp> module =
      parseModel(*context, ModelWriter(modelEncoding, "").write());
  Comparison comparison(*module, /*sequences=*/1, "all", /*workers=*/2, target);
  comparison.step(StepRows::sequence({17, 4, 23, 9, 9, 3, 8}), tolerance);
  comparison.step(StepRows::sequence({41}, 7), tolerance);
}

// From the pass to logits: an encoding of caches that only its dialect knows.
TEST_F(MeaningOfModel, ForeignCaches) {
  context->loadDialect<StepsDialect>();
  mlir::OwningOpRef<mlir::ModuleOp> module = parseModel(*context, ModelWriter("", "").write());
  mlir::PassManager manager(context.get());
  QuantizeKVCacheOptions options;
  options.keys = options.values = "#steps.hundred";
  options.residual = options.sinks = 0;
  options.table = false;
  manager.addPass(createQuantizeKVCache(options));
  ASSERT_TRUE(succeeded(manager.run(*module)));
  // A number near the middle of two codes may be rounded either way: one step, a hundredth of the
  // largest, apart.
  compareModel(*module, 1e-2);
}

// Some positions exactly, others in integers that share a scale along channels or positions.
TEST_F(MeaningOfModel, ExactPositions) {
  const std::string along = "#llmc.position_grouped<bits = 8, group = 16, scale = f16>",
                    values = "#llmc.grouped<bits = 8, group = 8, zero = float, scale = f16>";
  const std::string caches[] = {
      "keys = " + values + ", values = " + values + ", residual = 3, sinks = 2",
      "keys = " + along + ", values = f16, residual = 1",
      "keys = " + along + ", values = " + values + ", residual = 9, sinks = 5",
      "keys = f32, values = f16, budget = 20, first = 3",
      "keys = " + along + ", values = f16, residual = 2, sinks = 5, budget = 21, first = 4"};
  for (const std::string &cache : caches) {
    SCOPED_TRACE(cache);
    std::string text = ModelWriter("", "").write(),
                before = "capacity = 16, keys = f32, values = f16";
    text.replace(text.find(before), before.size(), "capacity = 64, " + cache);
    mlir::OwningOpRef<mlir::ModuleOp> module = parseModel(*context, text);
    std::vector<int32_t> prompt;
    for (int32_t i = 0; i < 37; ++i)
      prompt.push_back(i * 7 % 48);
    // A number in the middle of two codes may be rounded either way.
    step(*module,
         {StepRows::sequence(prompt), StepRows::sequence({41}, 37),
          StepRows::sequence({7, 9, 11, 2, 5, 40, 13, 21, 22, 23, 24}, 38)},
         1e-2);
  }
}

/// Two steps of two sequences, longer than what is kept.
static std::vector<StepRows> getLongSteps() {
  StepRows first, second;
  for (int32_t i = 0; i < 50; ++i) {
    first.tokens.push_back(i * i % 47);
    first.sequences.push_back(i < 30 ? 1 : 0);
    first.positions.push_back(i < 30 ? i : i - 30);
  }
  first.outputs = {0, 11, 29, 30, 49};
  for (int32_t i = 0; i < 9; ++i) {
    second.tokens.push_back(46 - i);
    second.sequences.push_back(i < 8 ? 0 : 1);
    second.positions.push_back(i < 8 ? 20 + i : 30);
  }
  second.outputs = {0, 7, 8};
  return {first, second};
}

// From the pass to logits: positions that are chosen by what attention gave weight to, in two
// sequences and several steps.
TEST_F(MeaningOfModel, ChosenPositions) {
  std::string text = ModelWriter("", "").write(), before = "capacity = 16, keys = f32";
  text.replace(text.find(before), before.size(), "capacity = 64, keys = f32");
  EvictKVCacheOptions options;
  options.budget = 12;
  options.sinks = 2;
  options.table = false;
  EvictKVCacheOptions heavy = options, observed = options;
  heavy.policy = "h2o";
  heavy.recent = 4;
  observed.policy = "snapkv";
  observed.observe = 3;
  for (const EvictKVCacheOptions &chosen : {heavy, observed}) {
    SCOPED_TRACE(chosen.policy);
    mlir::OwningOpRef<mlir::ModuleOp> module = parseModel(*context, text);
    mlir::PassManager manager(context.get());
    manager.addPass(createEvictKVCache(chosen));
    ASSERT_TRUE(succeeded(manager.run(*module)));
    step(*module, getLongSteps(), tolerance, /*sequences=*/2);
  }
}

TEST_F(MeaningOfModel, GroupedIntegers) { compareModel({modelEncoding, ""}, tolerance); }

// An activation that the two see a rounding error apart may lie on both sides of a half: it is then
// a whole step apart, at most 1/127 of itself and of its 31 neighbours' largest. As one of 64
// products, such a step stays well below a hundredth of the largest logit.
TEST_F(MeaningOfModel, RoundedActivations) {
  compareModel({modelEncoding, " activation <bits = 8, group = 32>"}, 1e-2);
}
