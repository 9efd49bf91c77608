// RUN: rm -rf %t && mkdir %t && cp %s %t/model.mlir && %python %S/../../Translate/Inputs/make_weights.py %t/weights.bin
// RUN: %python -c "import numpy; numpy.save('%t/tokens.npy', numpy.arange(64) * 5 %% 32)"
// RUN: llmc-opt %t/model.mlir -o %t/q.mlir \
// RUN:   --quantize-gptq="calibration=%t/tokens.npy samples=8 sequence-length=8 group-size=channel report=%t/report.json save-statistics=%t/statistics" \
// RUN:   2>&1 | FileCheck %s --check-prefix=TABLE
// RUN: FileCheck %s --input-file=%t/q.mlir
// RUN: FileCheck %s --check-prefix=REPORT --input-file=%t/report.json

// Twice the same bytes, and without threads too.
// RUN: llmc-opt %t/model.mlir -o %t/again.mlir --mlir-disable-threading \
// RUN:   --quantize-gptq="calibration=%t/tokens.npy samples=8 sequence-length=8 group-size=channel table=false threads=1"
// RUN: cmp %t/q.safetensors %t/again.safetensors

// The first layer's statistics do not depend on other weights, so neither does what they give.
// RUN: llmc-opt %t/model.mlir -o %t/read.mlir \
// RUN:   --quantize-gptq="statistics=%t/statistics group-size=channel table=false"
// RUN: cmp %t/q.safetensors %t/read.safetensors

// With no data at all the model writes its own.
// RUN: llmc-opt %t/model.mlir --quantize-gptq="samples=2 sequence-length=8 group-size=channel bits=3 act-order head-format=same table=false" \
// RUN:   | FileCheck %s --check-prefix=HEAD

// TABLE: parameter shape encoding inputs bits/weight weight error output error seconds
// TABLE: key 4x8 grouped<bits = 4, group = channel, zero = none, scale = f16>
// TABLE: quantize-gptq: 3 parameters
// TABLE: quantize-gptq: tokens {{.*}} s, compile {{.*}} s, forward {{.*}} s, statistics {{.*}} s, factorization {{.*}} s, update {{.*}} s

// CHECK-DAG: llmc.parameter @table : tensor<32x8xf32, #llmc.grouped<bits = 8, group = channel, zero = none, scale = f16>> = #llmc.file<"q.safetensors"
// CHECK-DAG: llmc.parameter @head : tensor<32x8xf32, #llmc.grouped<bits = 8, group = channel, zero = none, scale = f16>> = #llmc.file<"q.safetensors"
// CHECK-DAG: llmc.parameter @key : tensor<4x8xf32, #llmc.grouped<bits = 4, group = channel, zero = none, scale = f16>> = #llmc.file<"q.safetensors"
// CHECK: llmc.linear {{.*}} activation <bits = 8, group = 32> : (tensor<?x8xf32>, tensor<4x8xf32, #llmc.grouped

// REPORT: "name": "key"
// REPORT: "output_error": 0.
// REPORT: "pass": "quantize-gptq"
// REPORT: "factorization":

// HEAD-DAG: @head : tensor<32x8xf32, #llmc.grouped<bits = 3, group = channel
// HEAD-DAG: @table : tensor<32x8xf32, #llmc.grouped<bits = 3, group = channel

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
