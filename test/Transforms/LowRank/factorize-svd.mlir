// Linears become two of a lower rank.

// RUN: rm -rf %t && mkdir %t && cp %s %t/model.mlir && %python %S/../../Translate/Inputs/make_weights.py %t/weights.bin

// RUN: llmc-opt %t/model.mlir --factorize-svd="rank=2 report=%t/report.json" -o %t/svd.mlir 2>&1 | FileCheck %s --check-prefix=TABLE
// RUN: FileCheck %s --input-file=%t/svd.mlir
// RUN: FileCheck %s --check-prefix=REPORT --input-file=%t/report.json

// A share of the parameters: 8 of 32 are rank 0.67, of which there is one. Half of them, where it costs
// least, is one of rank 1 as well.
// RUN: llmc-opt %t/model.mlir --factorize-svd="keep=0.25 table=false" | FileCheck %s --check-prefix=SHARE
// RUN: llmc-opt %t/model.mlir --factorize-svd="keep=0.5 allocation=loss table=false" | FileCheck %s --check-prefix=SHARE
// SHARE: @key.factors.A : tensor<1x8xf32>
// SHARE: @key.factors.B : tensor<4x1xf32>

// Passes that round find the factors, and their roles are those of the weight.
// RUN: llmc-opt %t/model.mlir --factorize-svd="rank=2 type=f16 table=false" \
// RUN:   --quantize-rtn="bits=8 group-size=channel activation=none only=factors table=false" --print-structure 2>&1 \
// RUN:   | FileCheck %s --check-prefix=ROUNDED
// ROUNDED: key+value @key.factors.A in block 0
// ROUNDED: key+value @key.factors.B in block 0
// ROUNDED: @key.factors.A : tensor<2x8xf32, #llmc.grouped<bits = 8
// ROUNDED-SAME: llmc.original = [tensor<2x8xf16>

// TABLE: parameter shape encoding inputs bits/weight weight error seconds
// TABLE: key 4x8 f32, rank 2 exact 24.000
// TABLE: factorize-svd: 1 parameters

// REPORT: "encoding": "f32, rank 2"
// REPORT: "rank": 2

// CHECK-DAG: @table : tensor<32x8xf32> = #llmc.file<"{{.*}}weights.bin", offset = 0>
// CHECK-DAG: @key.factors.A : tensor<2x8xf32> =
// CHECK-DAG: @key.factors.B : tensor<4x2xf32> =
// CHECK-NOT: @key :
// CHECK: %[[A:.*]] = llmc.parameter_value @key.factors.A
// CHECK: %[[T:.*]] = llmc.linear %{{.*}}, %[[A]] : (tensor<?x8xf32>, tensor<2x8xf32>) -> tensor<?x2xf32>
// CHECK: %[[B:.*]] = llmc.parameter_value @key.factors.B
// CHECK: llmc.linear %[[T]], %[[B]] bias %{{.*}} : (tensor<?x2xf32>, tensor<4x2xf32>, tensor<4xf32>) -> tensor<?x4xf32>

!cache = !llmc.kv_cache<1x4, capacity = 8, keys = f32, values = f32>

llmc.parameter @table : tensor<32x8xf32> = #llmc.file<"weights.bin", offset = 0>
llmc.parameter @bias : tensor<4xf32> = #llmc.file<"weights.bin", offset = 1024>
llmc.parameter @key : tensor<4x8xf32> = #llmc.file<"weights.bin", offset = 1056>
llmc.parameter @head : tensor<32x8xf32> = #llmc.file<"weights.bin", offset = 1184>

func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache: !cache) -> tensor<?x32xf32> {
  %table = llmc.parameter_value @table : tensor<32x8xf32>
  %bias = llmc.parameter_value @bias : tensor<4xf32>
  %key = llmc.parameter_value @key : tensor<4x8xf32>
  %head = llmc.parameter_value @head : tensor<32x8xf32>
  %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<32x8xf32>) -> tensor<?x8xf32>
  %k = llmc.linear %h, %key bias %bias : (tensor<?x8xf32>, tensor<4x8xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %full = llmc.cache_append %cache, %k, %k, %rows : !cache, tensor<?x4xf32>, tensor<?x4xf32>
  %a = llmc.attention %h, %full, %rows : tensor<?x8xf32>, !cache {heads = 2 : i64, scale = 0.5 : f32}
  %sum = arith.addf %h, %a : tensor<?x8xf32>
  %o = llmc.output_rows %sum, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  %y = llmc.linear %o, %head : (tensor<?x8xf32>, tensor<32x8xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}
