// RUN: llmc-opt %s --convert-llmc-to-spmd=max-rows=16 | FileCheck %s

// A plan says how many positions steps of 16 rows need beside the 36 that one reads and the first 4,
// which stand in a block of their own: 64, in keys and in values. Keys stand in blocks of 16.

// CHECK: spmd.program
// CHECK-SAME: state_bytes = 15360
// CHECK-SAME: [#spmd.region<offset = 0, stride = 128, block = 16, kept = 16>, #spmd.region<offset = 2048, stride = 128, block = 16, kept = 64, recent = 36>,
// CHECK-SAME: #spmd.region<offset = 10240, stride = 64, block = 1, kept = 16>, #spmd.region<offset = 11264, stride = 64, block = 1, kept = 64, recent = 36>]
// CHECK-SAME: cache 0: keys f32, values f16, of 40 positions, the first 4 and the newest
// CHECK: !llmc.kv_cache<1x32, capacity = 256, keys = f32, values = f16, budget = 40, first = 4, rolling = 64>

!cache = !llmc.kv_cache<1x32, capacity = 256, keys = f32, values = f16, budget = 40, first = 4>
llmc.parameter @table : tensor<64x32xf32> = #llmc.file<"w", offset = 0>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache: !cache) -> tensor<?x32xf32> {
  %table = llmc.parameter_value @table : tensor<64x32xf32>
  %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<64x32xf32>) -> tensor<?x32xf32>
  %c = llmc.cache_append %cache, %h, %h, %rows : !cache, tensor<?x32xf32>, tensor<?x32xf32>
  %a = llmc.attention %h, %c, %rows : tensor<?x32xf32>, !cache {heads = 1 : i64, scale = 0.5 : f32}
  %out = llmc.output_rows %a, %rows : tensor<?x32xf32> -> tensor<?x32xf32>
  return %out : tensor<?x32xf32>
}
