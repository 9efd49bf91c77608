// RUN: llmc-opt %s --convert-llmc-to-spmd=max-rows=16 | FileCheck %s

// A result that nothing reads has a place of its own, as long as any: what stays in a stage is kept for
// a row at a time.

// CHECK: %[[UNREAD:[0-9]+]] = spmd.buffer {{.*}} : <tensor<?x64xf32>, rows>
// CHECK: spmd.stage {{.*}} writes(%[[UNREAD]] :

!cache = !llmc.kv_cache<1x32, capacity = 64, keys = f32, values = f32>
llmc.parameter @table : tensor<64x32xf32> = #llmc.file<"w", offset = 0>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache: !cache) -> tensor<?x32xf32> {
  %table = llmc.parameter_value @table : tensor<64x32xf32>
  %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<64x32xf32>) -> tensor<?x32xf32>
  %c = llmc.cache_append %cache, %h, %h, %rows : !cache, tensor<?x32xf32>, tensor<?x32xf32>
  %a = llmc.attention %h, %c, %rows : tensor<?x32xf32>, !cache {heads = 1 : i64, scale = 0.5 : f32}
  %unread = llmc.linear %a, %table : (tensor<?x32xf32>, tensor<64x32xf32>) -> tensor<?x64xf32>
  %out = llmc.output_rows %a, %rows : tensor<?x32xf32> -> tensor<?x32xf32>
  return %out : tensor<?x32xf32>
}
