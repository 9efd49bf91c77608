//===- MeaningTest.cpp - what operations mean against what ships ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BilevelTestSupport.h"
#include "BytesEncoding.h"
#include "CodebookTestSupport.h"
#include "EncodingTestSupport.h"
#include "ForeignOp.h"
#include "MaskedTestSupport.h"
#include "MeaningFixture.h"
#include "NF4TestSupport.h"
#include "OutliersTestSupport.h"
#include "SmallFloatTestSupport.h"
#include "SparseTestSupport.h"
#include "StepsEncoding.h"
#include "TrellisTestSupport.h"

#include <random>

using namespace llmc;
using namespace llmc::test;

namespace {

const char *const groupedEncodings[] = {
    "<bits = 4, group = 32, zero = none, scale = f16>",
    "<bits = 3, group = 64, zero = integer, scale = f32>",
    "<bits = 4, group = 32, zero = float, scale = f16>",
    "<bits = 8, group = channel, zero = none, scale = bf16>",
    "<bits = 5, group = tensor, zero = integer, scale = f32>",
    "<bits = 2, group = 24, zero = float, scale = bf16>",
};

/// Linears of 72 inputs, which makes a last group shorter, one for each encoding.
std::string writeGroupedLinears(const std::string &activation) {
  // Kernels for rounded activations take groups of a multiple of 32 alone: all but the last.
  size_t count = std::size(groupedEncodings) - !activation.empty();
  std::string parameters, body;
  for (size_t index = 0; index < count; ++index) {
    std::string encoding = groupedEncodings[index];
    std::string n = std::to_string(index),
                type = "tensor<20x72xf32, #llmc.grouped" + encoding + ">";
    parameters += parameter("w" + n, type);
    body += "%w" + n + " = llmc.parameter_value @w" + n + " : " + type + "\n%" + n +
            " = llmc.linear %x, %w" + n + activation + " : (tensor<?x72xf32>, " + type +
            ") -> tensor<?x20xf32>\n";
  }
  std::string types = list("tensor<?x20xf32>", count, /*numbered=*/false);
  return parameters + "func.func @step(%x: tensor<?x72xf32>) -> (" + types + ") {\n" + body +
         "return " + list("%", count) + " : " + types + "\n}\n";
}

} // namespace

TEST_F(Meaning, LinearsOfFloats) {
  compare(R"(
    llmc.parameter @a : tensor<24x40xf32> = #llmc.file<"random", offset = 0>
    llmc.parameter @b : tensor<17x40xf16> = #llmc.file<"random", offset = 0>
    llmc.parameter @bias : tensor<17xf32> = #llmc.file<"random", offset = 0>
    func.func @step(%x: tensor<?x40xf32>) -> (tensor<?x24xf32>, tensor<?x17xf32>, tensor<?x17xf32>) {
      %a = llmc.parameter_value @a : tensor<24x40xf32>
      %b = llmc.parameter_value @b : tensor<17x40xf16>
      %bias = llmc.parameter_value @bias : tensor<17xf32>
      %0 = llmc.linear %x, %a : (tensor<?x40xf32>, tensor<24x40xf32>) -> tensor<?x24xf32>
      %1 = llmc.linear %x, %b : (tensor<?x40xf32>, tensor<17x40xf16>) -> tensor<?x17xf32>
      %2 = llmc.linear %x, %b bias %bias
        : (tensor<?x40xf32>, tensor<17x40xf16>, tensor<17xf32>) -> tensor<?x17xf32>
      return %0, %1, %2 : tensor<?x24xf32>, tensor<?x17xf32>, tensor<?x17xf32>
    })");
}

TEST_F(Meaning, Norms) {
  compare(R"(
    llmc.parameter @gain : tensor<40xf32> = #llmc.file<"random", offset = 0>
    llmc.parameter @part : tensor<8xf32> = #llmc.file<"random", offset = 0>
    llmc.parameter @bias : tensor<40xf32> = #llmc.file<"random", offset = 0>
    func.func @step(%x: tensor<?x40xf32>)
        -> (tensor<?x40xf32>, tensor<?x40xf32>, tensor<?x40xf32>, tensor<?x40xf32>) {
      %gain = llmc.parameter_value @gain : tensor<40xf32>
      %part = llmc.parameter_value @part : tensor<8xf32>
      %bias = llmc.parameter_value @bias : tensor<40xf32>
      %0 = llmc.rms_norm %x, %gain : tensor<?x40xf32>, tensor<40xf32> {epsilon = 0.1 : f32}
      %1 = llmc.rms_norm %x, %part : tensor<?x40xf32>, tensor<8xf32>
        {epsilon = 1.0e-5 : f32, groups = 5 : i64}
      %2 = llmc.layer_norm %x, %gain : tensor<?x40xf32>, tensor<40xf32> {epsilon = 0.1 : f32}
      %3 = llmc.layer_norm %x, %gain bias %bias
        : tensor<?x40xf32>, tensor<40xf32>, tensor<40xf32> {epsilon = 1.0e-5 : f32}
      return %0, %1, %2, %3 : tensor<?x40xf32>, tensor<?x40xf32>, tensor<?x40xf32>, tensor<?x40xf32>
    })");
}

TEST_F(Meaning, HadamardMatrices) {
  // With a kernel, in blocks, and one whose core is too large for one (76).
  compare(R"(
    func.func @step(%x: tensor<?x192xf32>, %y: tensor<?x152xf32>)
        -> (tensor<?x192xf32>, tensor<?x192xf32>, tensor<?x192xf32>, tensor<?x152xf32>) {
      %0 = llmc.hadamard %x : tensor<?x192xf32> {order = 192 : i64}
      %1 = llmc.hadamard %x : tensor<?x192xf32> {order = 24 : i64, transposed}
      %2 = llmc.hadamard %x : tensor<?x192xf32> {order = 64 : i64}
      %3 = llmc.hadamard %y : tensor<?x152xf32> {order = 152 : i64}
      return %0, %1, %2, %3
        : tensor<?x192xf32>, tensor<?x192xf32>, tensor<?x192xf32>, tensor<?x152xf32>
    })");
}

TEST_F(Meaning, ChoicesOfColumns) {
  compare(parameter("w", "tensor<24x3xf32>") + R"(
    func.func @step(%x: tensor<?x72xf32>)
        -> (tensor<?x3xf32>, tensor<?x40xf32>, tensor<?x72xf32>, tensor<?x24xf32>) {
      %w = llmc.parameter_value @w : tensor<24x3xf32>
      %0 = llmc.take_columns %x [0, 17, 71] : tensor<?x72xf32> -> tensor<?x3xf32>
      %1 = llmc.take_columns %x [)" +
          list("", 40) + R"(] : tensor<?x72xf32> -> tensor<?x40xf32>
      %2 = llmc.clear_columns %x [0, 17, 71] : tensor<?x72xf32>
      %3 = llmc.linear %0, %w : (tensor<?x3xf32>, tensor<24x3xf32>) -> tensor<?x24xf32>
      return %0, %1, %2, %3
        : tensor<?x3xf32>, tensor<?x40xf32>, tensor<?x72xf32>, tensor<?x24xf32>
    })");
}

TEST_F(Meaning, LinearsOfGroupedIntegers) { compare(writeGroupedLinears("")); }

TEST_F(Meaning, LinearsOfRoundedActivations) {
  compare(writeGroupedLinears(" activation <bits = 8, group = 32>"));
  compare(writeGroupedLinears(" activation <bits = 8, group = 64>"));
  compare(writeGroupedLinears(" activation <bits = 4, group = row, range = 0.7>"));
  compare(writeGroupedLinears(" activation <bits = 8, group = row, numbers = f8E4M3FN>"));
}

TEST_F(Meaning, ActivationsGatesAndScales) {
  std::string body = "%0 = llmc.scale %x by 0.3 : tensor<?x40xf32>\n";
  size_t count = 1;
  for (uint32_t number = 0; number <= getMaxEnumValForNonlinearity(); ++number) {
    std::string function = stringifyNonlinearity(*symbolizeNonlinearity(number)).str();
    body += "%" + std::to_string(count++) + " = llmc.activation <" + function +
            "> %x : tensor<?x40xf32>\n";
    body += "%" + std::to_string(count++) + " = llmc.gate <" + function +
            "> %x, %y : tensor<?x40xf32>\n";
  }
  std::string types = list("tensor<?x40xf32>", count, /*numbered=*/false);
  compare("func.func @step(%x: tensor<?x40xf32>, %y: tensor<?x40xf32>) -> (" + types + ") {\n" +
          body + "return " + list("%", count) + " : " + types + "\n}");
}

// An operation that says what it means has no kernel, and is compiled.
TEST_F(Meaning, ForeignOperations) {
  context->loadDialect<ForeignDialect>();
  compare(parameter("w", "tensor<24x40xf32>") + R"(
    func.func @step(%x: tensor<?x40xf32>) -> (tensor<?x40xf32>, tensor<?x24xf32>) {
      %w = llmc.parameter_value @w : tensor<24x40xf32>
      %0 = "foreign.softsign"(%x) : (tensor<?x40xf32>) -> tensor<?x40xf32>
      %1 = arith.addf %0, %x : tensor<?x40xf32>
      %2 = llmc.linear %1, %w : (tensor<?x40xf32>, tensor<24x40xf32>) -> tensor<?x24xf32>
      return %0, %2 : tensor<?x40xf32>, tensor<?x24xf32>
    })");
}

TEST_F(Meaning, ChosenRows) {
  mlir::OwningOpRef<mlir::ModuleOp> module = parseModel(
      *context, parameter("words", "tensor<16x8xf32>") + parameter("places", "tensor<9x8xf16>") +
                    parameter("codes", "tensor<16x8xf32, #llmc.grouped<bits = 4, group = 8, zero = "
                                       "integer, scale = f16>>") +
                    R"(
    #codes = #llmc.grouped<bits = 4, group = 8, zero = integer, scale = f16>
    func.func @step(%tokens: tensor<?xi32>, %x: tensor<?x8xf32>, %rows: !llmc.rows)
        -> (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>) {
      %words = llmc.parameter_value @words : tensor<16x8xf32>
      %places = llmc.parameter_value @places : tensor<9x8xf16>
      %codes = llmc.parameter_value @codes : tensor<16x8xf32, #codes>
      %positions = llmc.positions %rows : tensor<?xi32>
      %0 = llmc.embedding %tokens, %words : (tensor<?xi32>, tensor<16x8xf32>) -> tensor<?x8xf32>
      %1 = llmc.embedding %positions, %places : (tensor<?xi32>, tensor<9x8xf16>) -> tensor<?x8xf32>
      %2 = llmc.embedding %tokens, %codes
        : (tensor<?xi32>, tensor<16x8xf32, #codes>) -> tensor<?x8xf32>
      %3 = llmc.output_rows %x, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
      return %0, %1, %2, %3 : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>
    })");
  StepRows rows = StepRows::sequence({15, 0, 3, 3}, 5);
  rows.outputs = {3, 1};
  // No arithmetic, no difference.
  step(*module, {rows}, 0);
}

TEST_F(Meaning, Rotations) {
  mlir::OwningOpRef<mlir::ModuleOp> module = parseModel(*context, R"(
    func.func @step(%x: tensor<?x48xf32>, %rows: !llmc.rows)
        -> (tensor<?x48xf32>, tensor<?x48xf32>, tensor<?x48xf32>) {
      %0 = llmc.rope %x, %rows : tensor<?x48xf32>
        {heads = 4 : i64, frequencies = array<f32: 1.0, 0.3, 0.1, 0.03, 0.01, 0.003>}
      %1 = llmc.rope %x, %rows : tensor<?x48xf32>
        {heads = 3 : i64, frequencies = array<f32: 1.0, 0.3, 0.1>, scaling = 1.25 : f32}
      %2 = llmc.rope %x, %rows : tensor<?x48xf32>
        {heads = 3 : i64, frequencies = array<f32: 1.0, 0.3, 0.1>, interleaved}
      return %0, %1, %2 : tensor<?x48xf32>, tensor<?x48xf32>, tensor<?x48xf32>
    })");
  step(*module, {StepRows::sequence({0, 0, 0}), StepRows::sequence({0, 0, 0}, 1000)});
}

// What materialize-shared-values makes of rotations and of rounding.
TEST_F(Meaning, SharedValues) {
  mlir::OwningOpRef<mlir::ModuleOp> module = parseModel(*context, R"(
    #w = #llmc.grouped<bits = 4, group = 32, zero = none, scale = f16>
    #a = #llmc.dynamic<bits = 8, group = 32>
    llmc.parameter @w : tensor<20x48xf32, #w> = #llmc.file<"random", offset = 0>
    func.func @step(%x: tensor<?x48xf32>, %rows: !llmc.rows)
        -> (tensor<?x32xf32>, tensor<?x48xf32>, tensor<?x48xf32>, tensor<?x20xf32>) {
      %w = llmc.parameter_value @w : tensor<20x48xf32, #w>
      %t = llmc.rotation_table %rows : tensor<?x32xf32>
        {frequencies = array<f32: 1.0, 0.3, 0.1>, scaling = 1.25 : f32}
      %0 = llmc.rotate %x, %t : tensor<?x48xf32>, tensor<?x32xf32> {heads = 4 : i64, pairs = 3 : i64}
      %1 = llmc.rotate %x, %t : tensor<?x48xf32>, tensor<?x32xf32>
        {heads = 3 : i64, pairs = 3 : i64, interleaved}
      %r = llmc.round %x : tensor<?x48xf32> -> tensor<?x48xf32, #a>
      %2 = llmc.linear %r, %w : (tensor<?x48xf32, #a>, tensor<20x48xf32, #w>) -> tensor<?x20xf32>
      return %t, %0, %1, %2 : tensor<?x32xf32>, tensor<?x48xf32>, tensor<?x48xf32>, tensor<?x20xf32>
    })");
  step(*module, {StepRows::sequence({0, 0, 0}), StepRows::sequence({0, 0, 0}, 1000)});
}

// Row by row, what only the next operation reads has no place of its own.
TEST_F(Meaning, RowsThatStayInAStage) {
  compare(R"(
    #a = #llmc.dynamic<bits = 8, group = 32>
    #w = #llmc.grouped<bits = 4, group = 32, zero = none, scale = f16>
    llmc.parameter @norm : tensor<72xf32> = #llmc.file<"random", offset = 0>
    llmc.parameter @w : tensor<20x72xf32, #w> = #llmc.file<"random", offset = 0>
    func.func @step(%x: tensor<?x72xf32>, %y: tensor<?x72xf32>, %rows: !llmc.rows)
        -> (tensor<?x72xf32>, tensor<?x20xf32>, tensor<?x72xf32>) {
      %norm = llmc.parameter_value @norm : tensor<72xf32>
      %w = llmc.parameter_value @w : tensor<20x72xf32, #w>
      %a = llmc.rms_norm %x, %norm : tensor<?x72xf32>, tensor<72xf32> {epsilon = 1.0e-5 : f32}
      %b = llmc.gate <silu> %a, %y : tensor<?x72xf32>
      %c = arith.addf %a, %b : tensor<?x72xf32>
      %0 = llmc.activation <tanh> %c : tensor<?x72xf32>
      %1 = llmc.linear %b, %w activation <bits = 8, group = 32>
        : (tensor<?x72xf32>, tensor<20x72xf32, #w>) -> tensor<?x20xf32>
      %o = llmc.output_rows %c, %rows : tensor<?x72xf32> -> tensor<?x72xf32>
      %p = llmc.scale %o by 2.0 : tensor<?x72xf32>
      %2 = llmc.activation <silu> %p : tensor<?x72xf32>
      return %0, %1, %2 : tensor<?x72xf32>, tensor<?x20xf32>, tensor<?x72xf32>
    })");
}

// What llmc has no operation for runs by what it means.
TEST_F(Meaning, TensorAlgebra) {
  compare(R"(
    #rk = affine_map<(r, m, n, k) -> (r, m, k)>
    #kn = affine_map<(r, m, n, k) -> (r, k, n)>
    #mn = affine_map<(r, m, n, k) -> (r, m, n)>
    #rc = affine_map<(r, c) -> (r, c)>
    #c = affine_map<(r, c) -> (c)>
    llmc.parameter @offset : tensor<12xf32> = #llmc.file<"random", offset = 0>
    llmc.parameter @gain : tensor<12xf32> = #llmc.file<"random", offset = 0>
    func.func @step(%x: tensor<?x24xf32>, %y: tensor<?x24xf32>)
        -> (tensor<?x24xf32>, tensor<?x16xf32>, tensor<?x12xf32>, tensor<?x24xf32>) {
      %zero = arith.constant 0.0 : f32
      %0 = arith.constant 0 : index
      %rows = tensor.dim %x, %0 : tensor<?x24xf32>
      // A softmax of each of six heads.
      %heads = tensor.expand_shape %x [[0], [1, 2]] output_shape [%rows, 6, 4]
        : tensor<?x24xf32> into tensor<?x6x4xf32>
      %empty = tensor.empty(%rows) : tensor<?x6x4xf32>
      %s = linalg.softmax dimension(2) ins(%heads : tensor<?x6x4xf32>)
        outs(%empty : tensor<?x6x4xf32>) -> tensor<?x6x4xf32>
      %softmax = tensor.collapse_shape %s [[0], [1, 2]] : tensor<?x6x4xf32> into tensor<?x24xf32>
      // A product of two matrices of each row.
      %left = tensor.expand_shape %softmax [[0], [1, 2]] output_shape [%rows, 4, 6]
        : tensor<?x24xf32> into tensor<?x4x6xf32>
      %right = tensor.expand_shape %y [[0], [1, 2]] output_shape [%rows, 6, 4]
        : tensor<?x24xf32> into tensor<?x6x4xf32>
      %place = tensor.empty(%rows) : tensor<?x4x4xf32>
      %zeros = linalg.fill ins(%zero : f32) outs(%place : tensor<?x4x4xf32>) -> tensor<?x4x4xf32>
      %p = linalg.generic {indexing_maps = [#rk, #kn, #mn],
                           iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
          ins(%left, %right : tensor<?x4x6xf32>, tensor<?x6x4xf32>)
          outs(%zeros : tensor<?x4x4xf32>) {
      ^bb0(%a: f32, %b: f32, %sum: f32):
        %ab = arith.mulf %a, %b : f32
        %next = arith.addf %sum, %ab : f32
        linalg.yield %next : f32
      } -> tensor<?x4x4xf32>
      %product = tensor.collapse_shape %p [[0], [1, 2]] : tensor<?x4x4xf32> into tensor<?x16xf32>
      // Part of a row, and vectors of weights.
      %offset = llmc.parameter_value @offset : tensor<12xf32>
      %gain = llmc.parameter_value @gain : tensor<12xf32>
      %part = tensor.extract_slice %y[0, 6] [%rows, 12] [1, 1]
        : tensor<?x24xf32> to tensor<?x12xf32>
      %room = tensor.empty(%rows) : tensor<?x12xf32>
      %moved = linalg.generic {indexing_maps = [#rc, #c, #c, #rc],
                               iterator_types = ["parallel", "parallel"]}
          ins(%part, %gain, %offset : tensor<?x12xf32>, tensor<12xf32>, tensor<12xf32>)
          outs(%room : tensor<?x12xf32>) {
      ^bb0(%v: f32, %g: f32, %o: f32, %unused: f32):
        %vg = arith.mulf %v, %g : f32
        %vo = arith.addf %vg, %o : f32
        %t = math.tanh %vo : f32
        linalg.yield %t : f32
      } -> tensor<?x12xf32>
      // Elements alone.
      %xy = arith.mulf %x, %y : tensor<?x24xf32>
      %e = math.absf %xy : tensor<?x24xf32>
      %root = math.sqrt %e : tensor<?x24xf32>
      return %softmax, %product, %moved, %root
        : tensor<?x24xf32>, tensor<?x16xf32>, tensor<?x12xf32>, tensor<?x24xf32>
    })");
}

TEST_F(Meaning, AttentionOverCaches) {
  mlir::OwningOpRef<mlir::ModuleOp> module = parseModel(*context, R"(
    !wide = !llmc.kv_cache<2x8, capacity = 20, keys = f32, values = f32>
    !narrow = !llmc.kv_cache<1x16, capacity = 24, keys = f16, values = f16>
    llmc.parameter @sinks : tensor<4xf32> = #llmc.file<"random", offset = 0>
    func.func @step(%q: tensor<?x32xf32>, %k: tensor<?x16xf32>, %v: tensor<?x16xf32>,
                    %rows: !llmc.rows, %wide: !wide, %narrow: !narrow)
        -> (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?x32xf32>) {
      %sinks = llmc.parameter_value @sinks : tensor<4xf32>
      %a = llmc.cache_append %wide, %k, %v, %rows : !wide, tensor<?x16xf32>, tensor<?x16xf32>
      %b = llmc.cache_append %narrow, %k, %v, %rows : !narrow, tensor<?x16xf32>, tensor<?x16xf32>
      %0 = llmc.attention %q, %a, %rows : tensor<?x32xf32>, !wide
        {heads = 4 : i64, scale = 0.35 : f32}
      %1 = llmc.attention %q, %b, %rows : tensor<?x32xf32>, !narrow
        {heads = 2 : i64, scale = 0.25 : f32, window = 4 : i64, softcap = 5.0 : f32,
         slopes = array<f32: 0.5, -0.25>}
      %2 = llmc.attention %q, %a, %rows sinks %sinks : tensor<?x32xf32>, !wide, tensor<4xf32>
        {heads = 4 : i64, scale = 0.35 : f32, window = 3 : i64}
      return %0, %1, %2 : tensor<?x32xf32>, tensor<?x32xf32>, tensor<?x32xf32>
    })");
  // Two sequences side by side, each from its own position on.
  StepRows first, second;
  first.tokens.resize(9);
  first.sequences = {0, 0, 0, 0, 0, 0, 1, 1, 1};
  first.positions = {0, 1, 2, 3, 4, 5, 0, 1, 2};
  second.tokens.resize(2);
  second.sequences = {0, 1};
  second.positions = {6, 3};
  step(*module, {first, second}, tolerance, /*sequences=*/2);
}

/// Attention over a cache of these keys and values, in two sequences and steps.
static std::string writeAttention(const std::string &encodings) {
  // Integers that share bytes need whole vectors; groups of 10 numbers end early.
  auto has = [&](llvm::StringRef text) { return llvm::StringRef(encodings).contains(text); };
  std::string size = has("bits = 1")                                    ? "128"
                     : has("bits = 4") || has("bits = 3") || has("nf4") ? "64"
                                                                        : "10";
  std::string queries = "tensor<?x" + std::to_string(4 * std::stoi(size)) + "xf32>",
              keys = "tensor<?x" + std::to_string(2 * std::stoi(size)) + "xf32>";
  return "!cache = !llmc.kv_cache<2x" + size + ", capacity = 20, " + encodings +
         ">\n!q = " + queries + "\n!kv = " + keys + R"(
    func.func @step(%q: !q, %k: !kv, %v: !kv, %rows: !llmc.rows, %cache: !cache) -> !q {
      %a = llmc.cache_append %cache, %k, %v, %rows : !cache, !kv, !kv
      %0 = llmc.attention %q, %a, %rows : !q, !cache
        {heads = 4 : i64, scale = 0.35 : f32)" +
         (has("first") ? "" : ", window = 4 : i64") + R"(}
      return %0 : !q
    })";
}

TEST_F(Meaning, CachesOfEveryEncoding) {
  context->loadDialect<StepsDialect>();
  for (const char *encodings :
       {"keys = bf16, values = bf16", "keys = #steps.hundred, values = f16",
        "keys = f32, values = #steps.hundred", "keys = #steps.hundred, values = #steps.hundred",
        "keys = #llmc.grouped<bits = 8, group = channel, zero = none, scale = f16>, values = "
        "#llmc.grouped<bits = 8, group = channel, zero = none, scale = f16>",
        "keys = #llmc.grouped<bits = 8, group = 4, zero = none, scale = f32>, values = "
        "#llmc.grouped<bits = 8, group = 3, zero = none, scale = bf16>",
        "keys = #llmc.grouped<bits = 4, group = 32, zero = none, scale = f16>, values = "
        "#llmc.grouped<bits = 4, group = channel, zero = none, scale = f16>",
        "keys = #llmc.nf4<group = 32, scale = f16>, values = #llmc.nf4<group = channel, scale = "
        "f32>",
        "keys = #llmc.float<f8E4M3FN, group = channel, scale = f16>, values = #llmc.float<f8E5M2, "
        "group = 4, scale = bf16>",
        "keys = #llmc.lloyd_max<bits = 4, group = 64, scale = f16>, values = #llmc.lloyd_max<bits "
        "= "
        "2, group = 128, scale = f32>",
        "keys = f16, values = #llmc.lloyd_max<bits = 1, group = 128, scale = f16>",
        "keys = #llmc.grouped<bits = 3, group = 32, zero = float, scale = f16>, values = "
        "#llmc.lloyd_max<bits = 3, group = channel, scale = f16>",
        "keys = f16, values = f32, budget = 3, first = 1",
        "keys = bf16, values = #llmc.grouped<bits = 8, group = channel, zero = none, scale = f16>, "
        "residual = 1, sinks = 2, budget = 3"}) {
    SCOPED_TRACE(encodings);
    mlir::OwningOpRef<mlir::ModuleOp> module = parseModel(*context, writeAttention(encodings));
    StepRows first, second;
    first.tokens.resize(9);
    first.sequences = {0, 0, 0, 0, 0, 0, 1, 1, 1};
    first.positions = {0, 1, 2, 3, 4, 5, 0, 1, 2};
    second.tokens.resize(2);
    second.sequences = {0, 1};
    second.positions = {6, 3};
    step(*module, {first, second}, tolerance, /*sequences=*/2);
  }
}

TEST_F(Meaning, DecodesEveryEncoding) {
  constexpr int64_t matrixRows = 3, columns = 45;
  const int64_t groups[] = {GroupedAttr::channelGroup, 16, 7, GroupedAttr::tensorGroup};
  mlir::Builder builder(context.get());
  const mlir::Type scales[] = {builder.getF32Type(), builder.getF16Type(), builder.getBF16Type()};
  // Every width with every kind of zero point; groups and scales in turn.
  std::vector<EncodingCase> cases;
  for (unsigned bits = 1; bits <= 8; ++bits)
    for (ZeroPoint zero : {ZeroPoint::None, ZeroPoint::Integer, ZeroPoint::Float})
      if (size_t n = cases.size(); bits > 1 || zero != ZeroPoint::None)
        cases.push_back({bits, groups[n % std::size(groups)], zero, scales[n % std::size(scales)],
                         matrixRows, columns});
  std::string parameters, body, types;
  for (auto [index, spec] : llvm::enumerate(cases)) {
    std::string n = std::to_string(index), type;
    llvm::raw_string_ostream(type)
        << mlir::RankedTensorType::get({matrixRows, columns}, builder.getF32Type(), spec.getAttr());
    parameters += parameter("w" + n, type);
    body += "%" + n + " = llmc.parameter_value @w" + n + " : " + type + "\n";
    types += (index ? ", " : "") + type;
  }
  std::vector<HostTensor> found =
      evaluate(parameters + "func.func @step() -> (" + types + ") {\n" + body + "return " +
               list("%", cases.size()) + " : " + types + "\n}");
  ASSERT_EQ(found.size(), cases.size());
  for (auto [index, spec] : llvm::enumerate(cases)) {
    // The seed that parseModel gives the parameter.
    GroupedMatrix matrix = GroupedMatrix::random(spec, index + 1, /*moderate=*/true);
    for (int64_t row = 0; row < matrixRows; ++row)
      for (int64_t column = 0; column < columns; ++column)
        ASSERT_EQ(found[index].as<float>()[row * columns + column],
                  static_cast<float>(matrix.getValue(row, column)))
            << spec.describe() << ", row " << row << ", column " << column;
  }
}

TEST_F(Meaning, DecodesWhatOnlyItsEncodingKnows) {
  context->loadDialect<BytesDialect>();
  std::vector<uint8_t> bytes(3 * 5);
  for (size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<uint8_t>(17 * i);
  ParameterFile file(bytes);
  std::vector<HostTensor> found =
      evaluate("llmc.parameter @w : tensor<3x5xf32, #test.bytes> = #llmc.file<\"" + file.path +
               "\", offset = 0>\n"
               "func.func @step() -> tensor<3x5xf32, #test.bytes> {\n"
               "%0 = llmc.parameter_value @w : tensor<3x5xf32, #test.bytes>\n"
               "return %0 : tensor<3x5xf32, #test.bytes>\n}");
  for (size_t i = 0; i < bytes.size(); ++i)
    EXPECT_EQ(found[0].as<float>()[i], bytes[i]);
}

TEST_F(Meaning, ComputesWithWhatOnlyItsEncodingKnows) {
  context->loadDialect<BytesDialect>();
  compare(R"(
    llmc.parameter @w : tensor<20x72xf32, #test.bytes> = #llmc.file<"random", offset = 0>
    func.func @step(%x: tensor<?x72xf32>) -> tensor<?x20xf32> {
      %w = llmc.parameter_value @w : tensor<20x72xf32, #test.bytes>
      %0 = llmc.linear %x, %w : (tensor<?x72xf32>, tensor<20x72xf32, #test.bytes>) -> tensor<?x20xf32>
      return %0 : tensor<?x20xf32>
    })");
}

TEST_F(Meaning, LinearsOfNF4) {
  compare(parameter("a", "tensor<20x72xf32, #llmc.nf4<group = 64, scale = f16>>") +
          parameter("b", "tensor<33x72xf32, #llmc.nf4<group = channel, scale = bf16>>") + R"(
    #a = #llmc.nf4<group = 64, scale = f16>
    #b = #llmc.nf4<group = channel, scale = bf16>
    func.func @step(%x: tensor<?x72xf32>) -> (tensor<?x20xf32>, tensor<?x33xf32>) {
      %a = llmc.parameter_value @a : tensor<20x72xf32, #a>
      %b = llmc.parameter_value @b : tensor<33x72xf32, #b>
      %0 = llmc.linear %x, %a : (tensor<?x72xf32>, tensor<20x72xf32, #a>) -> tensor<?x20xf32>
      %1 = llmc.linear %x, %b : (tensor<?x72xf32>, tensor<33x72xf32, #b>) -> tensor<?x33xf32>
      return %0, %1 : tensor<?x20xf32>, tensor<?x33xf32>
    })");
}

TEST_F(Meaning, LinearsOfSmallFloats) {
  mlir::Builder builder(context.get());
  for (SmallFloatAttr encoding : getSmallFloats(builder, 32)) {
    std::string type;
    llvm::raw_string_ostream(type)
        << mlir::RankedTensorType::get({20, 72}, builder.getF32Type(), encoding);
    compare(parameter("w", type) + "func.func @step(%x: tensor<?x72xf32>) -> tensor<?x20xf32> {\n" +
            "%w = llmc.parameter_value @w : " + type +
            "\n%0 = llmc.linear %x, %w : (tensor<?x72xf32>, " + type +
            ") -> tensor<?x20xf32>\nreturn %0 : tensor<?x20xf32>\n}");
  }
}

TEST_F(Meaning, DecodesSmallFloats) {
  mlir::Builder builder(context.get());
  for (int64_t group : {int64_t(16), GroupedAttr::tensorGroup})
    for (SmallFloatAttr encoding : getSmallFloats(builder, group))
      expectDecodes(SmallFloatMatrix::random(encoding, 3, 45, 1), 3, 45);
}

TEST_F(Meaning, LinearsOfTrellises) {
  compare(parameter("a", "tensor<20x72xf32, #llmc.trellis<bits = 3, scale = f16>>") +
          parameter("b", "tensor<33x72xf32, #llmc.trellis<bits = 4, scale = bf16>>") + R"(
    #a = #llmc.trellis<bits = 3, scale = f16>
    #b = #llmc.trellis<bits = 4, scale = bf16>
    func.func @step(%x: tensor<?x72xf32>) -> (tensor<?x20xf32>, tensor<?x33xf32>) {
      %a = llmc.parameter_value @a : tensor<20x72xf32, #a>
      %b = llmc.parameter_value @b : tensor<33x72xf32, #b>
      %0 = llmc.linear %x, %a : (tensor<?x72xf32>, tensor<20x72xf32, #a>) -> tensor<?x20xf32>
      %1 = llmc.linear %x, %b activation <bits = 8, group = 32>
        : (tensor<?x72xf32>, tensor<33x72xf32, #b>) -> tensor<?x33xf32>
      return %0, %1 : tensor<?x20xf32>, tensor<?x33xf32>
    })");
}

TEST_F(Meaning, LinearsOfCodebooks) {
  compare(parameter("a", "tensor<20x72xf32, #llmc.codebook<bits = 3, rows = 1, scale = f16>>") +
          parameter("b", "tensor<33x72xf32, #llmc.codebook<bits = 5, rows = 16, scale = bf16>>") +
          R"(
    #a = #llmc.codebook<bits = 3, rows = 1, scale = f16>
    #b = #llmc.codebook<bits = 5, rows = 16, scale = bf16>
    func.func @step(%x: tensor<?x72xf32>) -> (tensor<?x20xf32>, tensor<?x33xf32>) {
      %a = llmc.parameter_value @a : tensor<20x72xf32, #a>
      %b = llmc.parameter_value @b : tensor<33x72xf32, #b>
      %0 = llmc.linear %x, %a : (tensor<?x72xf32>, tensor<20x72xf32, #a>) -> tensor<?x20xf32>
      %1 = llmc.linear %x, %b activation <bits = 8, group = row>
        : (tensor<?x72xf32>, tensor<33x72xf32, #b>) -> tensor<?x33xf32>
      return %0, %1 : tensor<?x20xf32>, tensor<?x33xf32>
    })");
}

TEST_F(Meaning, DecodesCodebooks) {
  for (int64_t sharing : {int64_t(1), int64_t(16), CodebookAttr::allRows}) {
    // A file is mapped once in a context.
    context = makeMeaningContext();
    expectDecodes(
        CodebookMatrix::random(3, sharing, mlir::Builder(context.get()).getF16Type(), 35, 45, 1),
        35, 45);
  }
}

TEST_F(Meaning, LinearsOfTernaryWeights) {
  compare(parameter("w", "tensor<20x72xf32, #llmc.ternary<group = channel, scale = f16>>") + R"(
    #w = #llmc.ternary<group = channel, scale = f16>
    func.func @step(%x: tensor<?x72xf32>) -> (tensor<?x20xf32>, tensor<?x20xf32>) {
      %w = llmc.parameter_value @w : tensor<20x72xf32, #w>
      %0 = llmc.linear %x, %w : (tensor<?x72xf32>, tensor<20x72xf32, #w>) -> tensor<?x20xf32>
      %1 = llmc.linear %x, %w activation <bits = 8, group = row>
        : (tensor<?x72xf32>, tensor<20x72xf32, #w>) -> tensor<?x20xf32>
      return %0, %1 : tensor<?x20xf32>, tensor<?x20xf32>
    })");
}

TEST_F(Meaning, DecodesSparseMatrices) {
  for (auto [count, of] : {std::pair<int64_t, int64_t>(2, 4), {1, 2}, {2, 8}, {1, 16}}) {
    // A file is mapped once in a context.
    context = makeMeaningContext();
    mlir::Builder builder(context.get());
    expectDecodes(SparseMatrix::random(count, of,
                                       {4, 16, ZeroPoint::Integer, builder.getF16Type(), 3, 48}, 1),
                  3, 48);
  }
}

TEST_F(Meaning, DecodesMaskedMatrices) {
  for (unsigned bits : {3u, 8u}) {
    context = makeMeaningContext();
    mlir::Builder builder(context.get());
    expectDecodes(
        MaskedMatrix::random(0.5, {bits, 16, ZeroPoint::Integer, builder.getF16Type(), 5, 45}, 1),
        5, 45);
  }
}

TEST_F(Meaning, LinearsOfMaskedMatrices) {
  compare(
      parameter("a", "tensor<20x72xf32, #llmc.masked<700, #llmc.nf4<group = 64, scale = f16>>>") +
      parameter("b", "tensor<33x72xf32, #llmc.masked<1300, f16>>") + R"(
    #a = #llmc.masked<700, #llmc.nf4<group = 64, scale = f16>>
    #b = #llmc.masked<1300, f16>
    func.func @step(%x: tensor<?x72xf32>) -> (tensor<?x20xf32>, tensor<?x33xf32>) {
      %a = llmc.parameter_value @a : tensor<20x72xf32, #a>
      %b = llmc.parameter_value @b : tensor<33x72xf32, #b>
      %0 = llmc.linear %x, %a : (tensor<?x72xf32>, tensor<20x72xf32, #a>) -> tensor<?x20xf32>
      %1 = llmc.linear %x, %b : (tensor<?x72xf32>, tensor<33x72xf32, #b>) -> tensor<?x33xf32>
      return %0, %1 : tensor<?x20xf32>, tensor<?x33xf32>
    })");
}

TEST_F(Meaning, DecodesBilevelIntegers) {
  auto encoding =
      BilevelAttr::get(context.get(), 3, 16, 3, 2, mlir::Float16Type::get(context.get()));
  expectDecodes(BilevelMatrix::random(encoding, 5, 45, 1), 5, 45);
}

TEST_F(Meaning, DecodesOutliers) {
  for (bool wide : {false, true}) {
    // A file is mapped once in a context.
    context = makeMeaningContext();
    mlir::Builder builder(context.get());
    auto whole = NF4Matrix::random(16, builder.getF16Type(), 5, 45, 1);
    mlir::Type element = wide ? mlir::Type(builder.getF32Type()) : builder.getBF16Type();
    expectDecodes(OutliersMatrix<NF4Matrix>::random(whole, 9, element, 2), 5, 45);
  }
}

TEST_F(Meaning, LinearsBesideOutliers) {
  const std::string a = "#llmc.outliers<40 x f16, #llmc.bilevel<bits = 3, group = 16, "
                        "scale_bits = 3, scale_group = 2, scale = f16>>",
                    b = "#llmc.outliers<5 x bf16, #llmc.grouped<bits = 4, group = 32, zero = none, "
                        "scale = f16>>";
  compare("#a = " + a + "\n#b = " + b + "\n" + parameter("a", "tensor<20x72xf32, #a>") +
          parameter("b", "tensor<33x72xf32, #b>") + R"(
    func.func @step(%x: tensor<?x72xf32>) -> (tensor<?x20xf32>, tensor<?x33xf32>, tensor<?x33xf32>) {
      %a = llmc.parameter_value @a : tensor<20x72xf32, #a>
      %b = llmc.parameter_value @b : tensor<33x72xf32, #b>
      %0 = llmc.linear %x, %a : (tensor<?x72xf32>, tensor<20x72xf32, #a>) -> tensor<?x20xf32>
      %1 = llmc.linear %x, %b activation <bits = 8, group = 32>
        : (tensor<?x72xf32>, tensor<33x72xf32, #b>) -> tensor<?x33xf32>
      %2 = llmc.linear %x, %b activation <bits = 8, group = row>
        : (tensor<?x72xf32>, tensor<33x72xf32, #b>) -> tensor<?x33xf32>
      return %0, %1, %2 : tensor<?x20xf32>, tensor<?x33xf32>, tensor<?x33xf32>
    })");
}

TEST_F(Meaning, DecodesNF4) {
  mlir::Builder builder(context.get());
  expectDecodes(NF4Matrix::random(16, builder.getF16Type(), 3, 45, 1), 3, 45);
}

TEST_F(Meaning, DecodesTrellises) {
  for (unsigned halves = 4; halves <= 10; ++halves) {
    // A file is mapped once in a context.
    context = makeMeaningContext();
    mlir::Builder builder(context.get());
    expectDecodes(TrellisMatrix::random(halves, builder.getF16Type(), 3, 45, 1), 3, 45);
  }
}

TEST_F(Meaning, ReadsStridedParameters) {
  std::vector<float> values(3 + 4 * 5);
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(i);
  ParameterFile file(values);
  std::vector<HostTensor> found =
      evaluate("llmc.parameter @w : tensor<5x4xf32> = #llmc.file<\"" + file.path +
               "\", offset = 12, strides = [1, 5]>\n"
               "func.func @step() -> tensor<5x4xf32> {\n"
               "%0 = llmc.parameter_value @w : tensor<5x4xf32>\nreturn %0 : tensor<5x4xf32>\n}");
  for (int64_t row = 0; row < 5; ++row)
    for (int64_t column = 0; column < 4; ++column)
      EXPECT_EQ(found[0].as<float>()[row * 4 + column], 3 + row + 5 * column);
}

TEST_F(Meaning, GroupDot) {
  mlir::OwningOpRef<mlir::ModuleOp> module = parseModel(*context, R"(
    func.func @step(%w: tensor<128xi8>, %a: tensor<128xi8>, %out: tensor<16xi32>) -> tensor<16xi32> {
      %c0 = arith.constant 0 : index
      %c64 = arith.constant 64 : index
      %zero = arith.constant 0 : i8
      %w0 = vector.transfer_read %w[%c0], %zero {in_bounds = [true]} : tensor<128xi8>, vector<64xi8>
      %w1 = vector.transfer_read %w[%c64], %zero {in_bounds = [true]} : tensor<128xi8>, vector<64xi8>
      %a0 = vector.transfer_read %a[%c0], %zero {in_bounds = [true]} : tensor<128xi8>, vector<64xi8>
      %a1 = vector.transfer_read %a[%c64], %zero {in_bounds = [true]} : tensor<128xi8>, vector<64xi8>
      %d = llmc.group_dot (%w0, %w1), (%a0, %a1) {max_weight = 255 : i64}
        : (vector<64xi8>, vector<64xi8>), (vector<64xi8>, vector<64xi8>) -> vector<16xi32>
      %r = vector.transfer_write %d, %out[%c0] {in_bounds = [true]} : vector<16xi32>, tensor<16xi32>
      return %r : tensor<16xi32>
    })");
  std::mt19937 random(1);
  std::vector<uint8_t> weights(128);
  std::vector<int8_t> activations(128);
  for (size_t i = 0; i < weights.size(); ++i) {
    weights[i] = static_cast<uint8_t>(random() % 256);
    activations[i] = static_cast<int8_t>(static_cast<int>(random() % 255) - 127);
  }
  std::vector<HostTensor> inputs{HostTensor::vector(weights), HostTensor::vector(activations),
                                 HostTensor::vector(std::vector<int32_t>(16))};
  std::vector<HostTensor> found = PlainProgram(*module).run(inputs);
  for (int r = 0; r < 16; ++r) {
    int32_t expected = 0;
    for (int step = 0; step < 2; ++step)
      for (int j = 0; j < 4; ++j)
        expected += weights[64 * step + 4 * r + j] * activations[64 * step + 4 * r + j];
    EXPECT_EQ(found[0].as<int32_t>()[r], expected) << r;
  }
}

//===----------------------------------------------------------------------===//
// A whole model
//===----------------------------------------------------------------------===//
