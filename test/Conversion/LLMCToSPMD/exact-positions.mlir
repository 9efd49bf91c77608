// RUN: llmc-opt %s --convert-llmc-to-spmd=max-rows=16 | FileCheck %s

// A plan says how many exact positions steps of 16 rows need beside those that one reads, 9 and the
// 15 of a group that is not full, and rounds groups between what is appended and what is read. The
// last two regions are the newest 48 positions behind the first 16, of a key and of a value.

// CHECK: spmd.program
// CHECK-SAME: #spmd.region<offset = {{[0-9]+}}, stride = 64, block = 16, kept = 16>, #spmd.region<offset = {{[0-9]+}}, stride = 64, block = 16, kept = 48, recent = 24>
// CHECK-SAME: #spmd.region<offset = {{[0-9]+}}, stride = 64, block = 1, kept = 16>, #spmd.region<offset = {{[0-9]+}}, stride = 64, block = 1, kept = 48, recent = 24>
// CHECK-SAME: cache 0: keys position_grouped<bits = 4, group = 16, scale = f16>, values grouped<bits = 8, group = channel, zero = none, scale = f16>, the newest 9 and the first 4 positions in f16
// CHECK: func.func private @step_rows
// CHECK: spmd.stage "embedding+cache_append"
// CHECK: spmd.barrier
// CHECK-NEXT: spmd.stage "cache_round" reads(%[[STATE:.*]], %{{.*}} : !spmd.buffer<!llmc.kv_cache<1x32, capacity = 256, {{.*}}, residual = 9, sinks = 4, ring = 48>>, !spmd.buffer<!llmc.rows>) writes(%[[STATE]] :
// CHECK: llmc.cache_round
// CHECK: spmd.barrier
// CHECK: spmd.stage "attention"

#keys = #llmc.position_grouped<bits = 4, group = 16, scale = f16>
#values = #llmc.grouped<bits = 8, group = channel, zero = none, scale = f16>
!cache = !llmc.kv_cache<1x32, capacity = 256, keys = #keys, values = #values, residual = 9, sinks = 4>
llmc.parameter @table : tensor<64x32xf32> = #llmc.file<"w", offset = 0>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache: !cache) -> tensor<?x32xf32> {
  %table = llmc.parameter_value @table : tensor<64x32xf32>
  %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<64x32xf32>) -> tensor<?x32xf32>
  %c = llmc.cache_append %cache, %h, %h, %rows : !cache, tensor<?x32xf32>, tensor<?x32xf32>
  %a = llmc.attention %h, %c, %rows : tensor<?x32xf32>, !cache {heads = 1 : i64, scale = 0.5 : f32}
  %out = llmc.output_rows %a, %rows : tensor<?x32xf32> -> tensor<?x32xf32>
  return %out : tensor<?x32xf32>
}
