// RUN: llmc-opt %s --convert-llmc-to-spmd=max-rows=16 | FileCheck %s
// RUN: sed 's/heavy = 8/heavy = 8, observed = 4/' %s | llmc-opt --convert-llmc-to-spmd=max-rows=16 | FileCheck %s --check-prefix=OBSERVED

// A plan has scores for all places, 16 for the first 4 and the 8 that are chosen, and 48 for the newest
// 28 and the rows of a step. They are those of the newest position: a session that goes back starts
// again. Attention writes the cache. Where queries choose together there are two for each place.

// CHECK: spmd.program
// CHECK-SAME: #spmd.region<offset = 8192, stride = 64, block = 1, kept = 16>, #spmd.region<offset = 9216, stride = 64, block = 1, kept = 48, recent = 28>,
// CHECK-SAME: #spmd.region<offset = 12288, stride = 256, block = 1, kept = 1, recent = 1>]
// CHECK-SAME: cache 0: keys f32, values f16, of 40 positions, the first 4, 8 of most weight and the newest
// CHECK: spmd.stage "attention" reads({{.*}}, %[[CACHE:[a-z0-9_]+]], {{.*}} writes({{.*}}%[[CACHE]] :
// CHECK: llmc.attention {{.*}} updates
// OBSERVED: #spmd.region<offset = 12288, stride = 512, block = 1, kept = 1, recent = 1>]
// OBSERVED-SAME: of 40 positions, the first 4, 8 of most weight by 4 queries and the newest

!cache = !llmc.kv_cache<1x32, capacity = 256, keys = f32, values = f16, budget = 40, first = 4, heavy = 8>
llmc.parameter @table : tensor<64x32xf32> = #llmc.file<"w", offset = 0>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache: !cache) -> tensor<?x32xf32> {
  %table = llmc.parameter_value @table : tensor<64x32xf32>
  %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<64x32xf32>) -> tensor<?x32xf32>
  %c = llmc.cache_append %cache, %h, %h, %rows : !cache, tensor<?x32xf32>, tensor<?x32xf32>
  %a, %after = llmc.attention %h, %c, %rows : tensor<?x32xf32>, !cache updates !cache {heads = 1 : i64, scale = 0.5 : f32}
  %out = llmc.output_rows %a, %rows : tensor<?x32xf32> -> tensor<?x32xf32>
  return %out : tensor<?x32xf32>
}
