//===- PlannerTest.cpp - plans of models with and without blocks ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BytesEncoding.h"
#include "llmc/Conversion/SPMDToCPU/SPMDToCPU.h"
#include "llmc/Dialect/SPMD/IR/SPMD.h"
#include "llmc/Transforms/Blocks.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

#include "gtest/gtest.h"

#include <cstring>
#include <map>

using namespace mlir;
using namespace llmc;

namespace {

/// What one run of a planned function does, the functions that it calls included.
struct Trace {
  int64_t barriers = 0;
  std::map<std::string, int64_t> stages; ///< by name, each that shares one
};

void trace(ModuleOp code, StringRef name, Trace &result) {
  auto function = code.lookupSymbol<func::FuncOp>(name);
  for (Operation &op : function.front()) {
    if (isa<spmd::BarrierOp>(op))
      ++result.barriers;
    else if (auto stage = dyn_cast<cpu::StageOp>(op))
      for (llvm::StringRef name : llvm::split(stage.getName(), "+"))
        ++result.stages[name.str()];
    else if (auto call = dyn_cast<func::CallOp>(op))
      trace(code, call.getCallee(), result);
  }
}

class PlannerTest : public testing::Test {
protected:
  PlannerTest() { context.loadDialect<LLMCDialect, arith::ArithDialect, func::FuncDialect>(); }

  OwningOpRef<ModuleOp> parse(const std::string &body) {
    return parseSourceString<ModuleOp>(prologue + body, &context);
  }

  static spmd::EntryOp getEntry(ModuleOp planned) {
    return *planned.getOps<spmd::EntryOp>().begin();
  }

  FailureOr<OwningOpRef<ModuleOp>> lower(ModuleOp module) {
    FailureOr<WeightTable> weights = WeightTable::plan(module);
    if (failed(weights))
      return failure();
    llvm::Triple triple("x86_64-linux-gnu");
    return lowerToCPU(module, *weights, {triple, {&getKernelTargets(triple).back()}},
                      /*maxRows=*/128);
  }

  /// The error that planning a module ends in.
  std::string explain(const std::string &body) {
    std::string message;
    ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
      message += diagnostic.str();
      return success();
    });
    OwningOpRef<ModuleOp> module = parse(body);
    if (module && succeeded(lower(*module)))
      return "planned";
    return message;
  }

  const std::string prologue = R"(
    #file = #llmc.file<"none", offset = 0>
    !rows = tensor<?x32xf32>
    !cache = !llmc.kv_cache<1x32, capacity = 16, keys = f32, values = f32>
    llmc.parameter @table : tensor<32x32xf32> = #file
  )";
  MLIRContext context;
};

/// The text with the layer's number for [i], the next one's for [i+1].
std::string forLayer(std::string text, int64_t layer) {
  for (auto [mark, number] : {std::pair("[i]", layer), std::pair("[i+1]", layer + 1)})
    for (size_t at; (at = text.find(mark)) != std::string::npos;)
      text.replace(at, strlen(mark), std::to_string(number));
  return text;
}

/// A model of `layers` layers, flat.
std::string writeModel(int64_t layers) {
  std::string parameters, body, caches;
  for (int64_t layer = 0; layer < layers; ++layer) {
    parameters += forLayer(R"(
      llmc.parameter @layers.[i].query : tensor<32x32xf32> = #file
      llmc.parameter @layers.[i].down : tensor<32x32xf32> = #file
      llmc.parameter @layers.[i].norm : tensor<32xf32> = #file)",
                           layer);
    caches += forLayer(", %c[i]: !cache", layer);
    body += forLayer(R"(
      %norm[i] = llmc.parameter_value @layers.[i].norm : tensor<32xf32>
      %wq[i] = llmc.parameter_value @layers.[i].query : tensor<32x32xf32>
      %wd[i] = llmc.parameter_value @layers.[i].down : tensor<32x32xf32>
      %n[i] = llmc.rms_norm %h[i], %norm[i] : !rows, tensor<32xf32> {epsilon = 1.0e-5 : f32}
      %q[i] = llmc.linear %n[i], %wq[i] : (!rows, tensor<32x32xf32>) -> !rows
      %r[i] = llmc.rope %q[i], %rows : !rows {heads = 1 : i64, frequencies = array<f32: 1.0, 0.5>}
      %full[i] = llmc.cache_append %c[i], %r[i], %q[i], %rows : !cache, !rows, !rows
      %a[i] = llmc.attention %r[i], %full[i], %rows : !rows, !cache {heads = 1 : i64, scale = 0.5 : f32}
      %d[i] = llmc.linear %a[i], %wd[i] : (!rows, tensor<32x32xf32>) -> !rows
      %h[i+1] = arith.addf %h[i], %d[i] : !rows)",
                     layer);
  }
  std::string last = std::to_string(layers);
  return parameters + "\nfunc.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows" + caches +
         R"() -> !rows {
      %table = llmc.parameter_value @table : tensor<32x32xf32>
      %h0 = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<32x32xf32>) -> !rows)" +
         body + "\n%o = llmc.output_rows %h" + last + R"(, %rows : !rows -> !rows
      %y = llmc.linear %o, %table : (!rows, tensor<32x32xf32>) -> !rows
      return %y : !rows
    })";
}

TEST_F(PlannerTest, BlocksNeedTheBarriersOfFlatCode) {
  OwningOpRef<ModuleOp> flat = parse(writeModel(3)), blocks = parse(writeModel(3));
  ASSERT_TRUE(flat && blocks);
  outlineBlocks(*blocks);
  ASSERT_TRUE(blocks->lookupSymbol("block"));
  FailureOr<OwningOpRef<ModuleOp>> flatProgram = lower(*flat), blocksProgram = lower(*blocks);
  ASSERT_TRUE(succeeded(flatProgram) && succeeded(blocksProgram));
  for (bool oneRow : {true, false}) {
    auto run = [&](ModuleOp planned) {
      Trace result;
      spmd::EntryOp entry = getEntry(planned);
      trace(planned, (oneRow ? entry.getRow() : entry.getRows()).str(), result);
      return result;
    };
    Trace flatTrace = run(**flatProgram), blocksTrace = run(**blocksProgram);
    EXPECT_EQ(flatTrace.barriers, blocksTrace.barriers);
    EXPECT_GT(flatTrace.barriers, 3);
    // The step computes the table that all blocks read.
    EXPECT_EQ(flatTrace.stages["rotation_table"], 1);
    EXPECT_EQ(blocksTrace.stages["rotation_table"], 1);
    EXPECT_EQ(flatTrace.stages["rotate"], blocksTrace.stages["rotate"]);
    // A shared stage has the name of all that it computes.
    EXPECT_EQ(flatTrace.stages["layers.1.query"], 1);
    EXPECT_EQ(blocksTrace.stages["layers.*.query"], 3);
  }
  EXPECT_EQ(getProgram(**flatProgram).getState(), getProgram(**blocksProgram).getState());
}

TEST_F(PlannerTest, FunctionsWorkOnAllRowsAndOnOutputRows) {
  OwningOpRef<ModuleOp> module = parse(R"(
    func.func private @twice(%x: !rows) -> !rows {
      %y = arith.addf %x, %x : !rows
      return %y : !rows
    }
    func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache: !cache) -> !rows {
      %table = llmc.parameter_value @table : tensor<32x32xf32>
      %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<32x32xf32>) -> !rows
      %a = call @twice(%h) : (!rows) -> !rows
      %o = llmc.output_rows %a, %rows : !rows -> !rows
      %b = call @twice(%o) : (!rows) -> !rows
      %y = llmc.linear %b, %table : (!rows, tensor<32x32xf32>) -> !rows
      return %y : !rows
    })");
  ASSERT_TRUE(module);
  FailureOr<OwningOpRef<ModuleOp>> program = lower(*module);
  ASSERT_TRUE(succeeded(program));
  llvm::StringSet<> callees;
  auto step = (*program)->lookupSymbol<func::FuncOp>(getEntry(**program).getRow());
  for (auto call : step.getOps<func::CallOp>())
    callees.insert(call.getCallee());
  EXPECT_EQ(callees.size(), 2u);
}

/// A step whose one call is of @f.
std::string writeCall(const std::string &functions) {
  return functions + R"(
    func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache: !cache) -> !rows {
      %table = llmc.parameter_value @table : tensor<32x32xf32>
      %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<32x32xf32>) -> !rows
      %o = llmc.output_rows %h, %rows : !rows -> !rows
      %a = call @f(%o) : (!rows) -> !rows
      %y = llmc.linear %a, %table : (!rows, tensor<32x32xf32>) -> !rows
      return %y : !rows
    })";
}

TEST_F(PlannerTest, RefusesWhatCannotBeCalled) {
  EXPECT_EQ(explain(writeCall("func.func private @f(!rows) -> !rows")),
            "'func.call' op expected a function with a body, found @f");
  EXPECT_EQ(explain(writeCall(R"(
              func.func private @f(%x: !rows) -> !rows {
                %y = call @f(%x) : (!rows) -> !rows
                return %y : !rows
              })")),
            "'func.call' op expected functions that do not call themselves, found @f");
  // A weight that a function hands to itself.
  EXPECT_EQ(explain(R"(
              func.func private @f(%x: !rows, %w: tensor<32x32xf32>) -> !rows {
                %y = llmc.linear %x, %w : (!rows, tensor<32x32xf32>) -> !rows
                %z = call @f(%y, %w) : (!rows, tensor<32x32xf32>) -> !rows
                return %z : !rows
              }
              func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %c: !cache) -> !rows {
                %table = llmc.parameter_value @table : tensor<32x32xf32>
                %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<32x32xf32>) -> !rows
                %a = call @f(%h, %table) : (!rows, tensor<32x32xf32>) -> !rows
                return %a : !rows
              })"),
            "'func.call' op expected functions that do not call themselves, found @f");
  EXPECT_EQ(explain(writeCall("func.func private @f(%x: !rows) -> !rows { return %x : !rows }")),
            "'func.func' op expected functions to compute each of their results");
  std::string chain = R"(
    func.func private @f(%x: !rows) -> !rows {
      %y = call @f1(%x) : (!rows) -> !rows
      return %y : !rows
    })";
  for (int i = 1; i < 70; ++i)
    chain += "func.func private @f" + std::to_string(i) + "(%x: !rows) -> !rows { %y = call @f" +
             std::to_string(i + 1) + "(%x) : (!rows) -> !rows\n return %y : !rows }\n";
  chain += R"(
    func.func private @f70(%x: !rows) -> !rows {
      %y = arith.addf %x, %x : !rows
      return %y : !rows
    })";
  EXPECT_EQ(explain(writeCall(chain)), "'func.call' op expected calls nested at most 64 deep");
}

TEST_F(PlannerTest, RefusesFunctionsThatGiveNoActivations) {
  EXPECT_EQ(explain(R"(
    func.func private @f(%cache: !cache) -> !cache { return %cache : !cache }
    func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache: !cache) -> !rows {
      %table = llmc.parameter_value @table : tensor<32x32xf32>
      %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<32x32xf32>) -> !rows
      %after = call @f(%cache) : (!cache) -> !cache
      %o = llmc.output_rows %h, %rows : !rows -> !rows
      %y = llmc.linear %o, %table : (!rows, tensor<32x32xf32>) -> !rows
      return %y : !rows
    })"),
            "'func.func' op expected functions to give activations, found "
            "'!llmc.kv_cache<1x32, capacity = 16, keys = f32, values = f32>'");
}

TEST_F(PlannerTest, PlansWhatOnlyItsEncodingKnows) {
  context.loadDialect<test::BytesDialect>();
  auto explainTypes = [&](const std::string &table, const std::string &head) {
    return explain("!table = " + table + "\n!head = " + head + R"(
      llmc.parameter @first : !table = #file
      llmc.parameter @last : !head = #file
      func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache: !cache) -> !rows {
        %first = llmc.parameter_value @first : !table
        %last = llmc.parameter_value @last : !head
        %h = llmc.embedding %tokens, %first : (tensor<?xi32>, !table) -> !rows
        %o = llmc.output_rows %h, %rows : !rows -> !rows
        %y = llmc.linear %o, %last : (!rows, !head) -> !rows
        return %y : !rows
      })");
  };
  const std::string plain = "tensor<32x32xf32>", bytes = "tensor<32x32xf32, #test.bytes>";
  EXPECT_EQ(explainTypes(plain, plain), "planned");
  EXPECT_EQ(explainTypes(bytes, plain), "planned");
  EXPECT_EQ(explainTypes(plain, bytes), "planned");
}

TEST_F(PlannerTest, RefusesLogitsThatKernelsWouldOverrun) {
  EXPECT_EQ(
      explain(R"(
    llmc.parameter @head : tensor<40x32xf32> = #file
    func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache: !cache) -> tensor<?x40xf32> {
      %table = llmc.parameter_value @table : tensor<32x32xf32>
      %head = llmc.parameter_value @head : tensor<40x32xf32>
      %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<32x32xf32>) -> !rows
      %o = llmc.output_rows %h, %rows : !rows -> !rows
      %y = llmc.linear %o, %head : (!rows, tensor<40x32xf32>) -> tensor<?x40xf32>
      %z = llmc.activation <relu> %y : tensor<?x40xf32>
      return %z : tensor<?x40xf32>
    })"),
      "'llmc.activation' op expected logits that a linear computes, or a multiple of 32 of them, "
      "found 40");
}

} // namespace
