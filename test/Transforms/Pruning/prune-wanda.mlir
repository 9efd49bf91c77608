// Of each four weights the two that count most for the outputs are kept, as they are.

// RUN: rm -rf %t && mkdir %t && cp %s %t/model.mlir && %python %S/../../Translate/Inputs/make_weights.py %t/weights.bin
// RUN: %python -c "import numpy; numpy.save('%t/tokens.npy', numpy.arange(64) * 5 %% 32)"
// RUN: llmc-opt %t/model.mlir -o %t/p.mlir \
// RUN:   --prune-wanda="calibration=%t/tokens.npy samples=8 sequence-length=8 report=%t/report.json save-statistics=%t/statistics" \
// RUN:   2>&1 | FileCheck %s --check-prefix=TABLE
// RUN: FileCheck %s --input-file=%t/p.mlir
// RUN: FileCheck %s --check-prefix=REPORT --input-file=%t/report.json

// Twice the same bytes, without threads, and from statistics.
// RUN: llmc-opt %t/model.mlir -o %t/again.mlir --mlir-disable-threading \
// RUN:   --prune-wanda="calibration=%t/tokens.npy samples=8 sequence-length=8 table=false threads=1"
// RUN: cmp %t/p.safetensors %t/again.safetensors
// RUN: llmc-opt %t/model.mlir -o %t/read.mlir --prune-wanda="statistics=%t/statistics table=false"
// RUN: cmp %t/p.safetensors %t/read.safetensors

// Rounding keeps what is pruned, and pruning what is rounded.
// RUN: llmc-opt %t/p.mlir --quantize-rtn="group-size=channel table=false" | FileCheck %s --check-prefix=ROUNDED
// RUN: llmc-opt %t/model.mlir --quantize-rtn="group-size=channel only=key table=false" \
// RUN:   --prune-wanda="calibration=%t/tokens.npy samples=8 sequence-length=8 table=false only=key" | FileCheck %s --check-prefix=ROUNDED

// What is pruned is left alone, and a head is pruned if asked for.
// RUN: llmc-opt %t/p.mlir --prune-wanda="calibration=%t/tokens.npy samples=8 sequence-length=8 pattern=1:4 include-head table=false" -o %t/head.mlir 2>&1 \
// RUN:   | FileCheck %s --check-prefix=AGAIN
// RUN: FileCheck %s --check-prefix=HEAD --input-file=%t/head.mlir

// Of each row half, wherever it is.
// RUN: llmc-opt %t/model.mlir --prune-wanda="statistics=%t/statistics sparsity=0.5 table=false" | FileCheck %s --check-prefix=HALF
// HALF: @key : tensor<4x8xf32, #llmc.masked<16, f32>>

// TABLE: parameter shape encoding inputs bits/weight weight error output error seconds
// TABLE: key 4x8 sparse<2:4, f32> exact 17.000
// TABLE: prune-wanda: 1 parameters
// TABLE: prune-wanda: tokens {{.*}} s, compile {{.*}} s, forward {{.*}} s, statistics {{.*}} s, pruning {{.*}} s

// CHECK-DAG: @table : tensor<32x8xf32> = #llmc.file<"weights.bin", offset = 0>
// CHECK-DAG: @key : tensor<4x8xf32, #llmc.sparse<2:4, f32>> = #llmc.file<"p.safetensors"
// CHECK-DAG: @head : tensor<32x8xf32> = #llmc.file<"weights.bin", offset = 1184>

// REPORT: "name": "key"
// REPORT: "output_error": 0.
// REPORT: "pass": "prune-wanda"

// ROUNDED: @key : tensor<4x8xf32, #llmc.sparse<2:4, #llmc.grouped<bits = 4, group = channel, zero = none, scale = f16>>>

// AGAIN: remark: left alone what is pruned already: 'key'
// HEAD-DAG: @table : tensor<32x8xf32> = #llmc.file
// HEAD-DAG: @key : tensor<4x8xf32, #llmc.sparse<2:4, f32>>
// HEAD-DAG: @head : tensor<32x8xf32, #llmc.sparse<1:4, f32>>

!cache = !llmc.kv_cache<1x4, capacity = 8, keys = f32, values = f32>

llmc.parameter @table : tensor<32x8xf32> = #llmc.file<"weights.bin", offset = 0>
llmc.parameter @key : tensor<4x8xf32> = #llmc.file<"weights.bin", offset = 1056>
llmc.parameter @head : tensor<32x8xf32> = #llmc.file<"weights.bin", offset = 1184>

func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache: !cache) -> tensor<?x32xf32> {
  %table = llmc.parameter_value @table : tensor<32x8xf32>
  %key = llmc.parameter_value @key : tensor<4x8xf32>
  %head = llmc.parameter_value @head : tensor<32x8xf32>
  %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<32x8xf32>) -> tensor<?x8xf32>
  %k = llmc.linear %h, %key : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
  %full = llmc.cache_append %cache, %k, %k, %rows : !cache, tensor<?x4xf32>, tensor<?x4xf32>
  %a = llmc.attention %h, %full, %rows : tensor<?x8xf32>, !cache {heads = 2 : i64, scale = 0.5 : f32}
  %sum = arith.addf %h, %a : tensor<?x8xf32>
  %o = llmc.output_rows %sum, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  %y = llmc.linear %o, %head : (tensor<?x8xf32>, tensor<32x8xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}
