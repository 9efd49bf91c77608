// RUN: llmc-opt %s | llmc-opt | FileCheck %s

#w4 = #llmc.grouped<bits = 4, group = 32, zero = none, scale = f16>

// CHECK: llmc.parameter @up : tensor<96x64xf32, #llmc.grouped<bits = 4, group = 32, zero = none, scale = f16>> = #llmc.file<"{{.*}}weights.bin", offset = 0>
llmc.parameter @up : tensor<96x64xf32, #w4> = #llmc.file<"weights.bin", offset = 0>
// CHECK: llmc.parameter @table : tensor<320x64xf32> = #llmc.file<"{{.*}}weights.bin", offset = 64, strides = [1, 320]>
llmc.parameter @table : tensor<320x64xf32> = #llmc.file<"weights.bin", offset = 64, strides = [1, 320]>

// CHECK-LABEL: func.func @step
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows,
                %cache: !llmc.kv_cache<1x32, capacity = 64, keys = f32, values = f16>)
    -> tensor<?x96xf32> {
  %table = llmc.parameter_value @table : tensor<320x64xf32>
  %up = llmc.parameter_value @up : tensor<96x64xf32, #w4>
  // CHECK: llmc.embedding
  %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<320x64xf32>) -> tensor<?x64xf32>
  // CHECK: llmc.hadamard %{{.*}} : tensor<?x64xf32> {order = 32 : i64, transposed}
  %hadamard = llmc.hadamard %h : tensor<?x64xf32> {order = 32 : i64, transposed}
  // CHECK: llmc.take_columns %{{.*}} [0, 63] : tensor<?x64xf32> -> tensor<?x2xf32>
  %few = llmc.take_columns %h [0, 63] : tensor<?x64xf32> -> tensor<?x2xf32>
  // CHECK: llmc.clear_columns %{{.*}} [0, 63] : tensor<?x64xf32>
  %rest = llmc.clear_columns %h [0, 63] : tensor<?x64xf32>
  // CHECK: llmc.rope {{.*}} {frequencies = array<f32: 1.000000e+00, 1.000000e-01>, heads = 2 : i64}
  %q = llmc.rope %h, %rows : tensor<?x64xf32> {heads = 2 : i64, frequencies = array<f32: 1.0, 0.1>}
  // CHECK: %[[TABLE:.*]] = llmc.rotation_table %{{.*}} : tensor<?x32xf32> {frequencies = array<f32: 1.000000e+00, 1.000000e-01>, scaling = 2.000000e+00 : f32}
  %angles = llmc.rotation_table %rows : tensor<?x32xf32> {frequencies = array<f32: 1.0, 0.1>, scaling = 2.0 : f32}
  // CHECK: llmc.rotate %{{.*}}, %[[TABLE]] : tensor<?x64xf32>, tensor<?x32xf32> {heads = 2 : i64, interleaved, pairs = 2 : i64}
  %rotated = llmc.rotate %h, %angles : tensor<?x64xf32>, tensor<?x32xf32> {heads = 2 : i64, pairs = 2 : i64, interleaved}
  // CHECK: llmc.round %{{.*}} : tensor<?x64xf32> -> tensor<?x64xf32, #llmc.dynamic<bits = 8, group = 32>>
  %rounded = llmc.round %h : tensor<?x64xf32> -> tensor<?x64xf32, #llmc.dynamic<bits = 8, group = 32>>
  // CHECK: llmc.attention
  %a = llmc.attention %q, %cache, %rows
      : tensor<?x64xf32>, !llmc.kv_cache<1x32, capacity = 64, keys = f32, values = f16>
      {heads = 2 : i64, scale = 0.125 : f32}
  // CHECK: llmc.gate <silu>
  %g = llmc.gate <silu> %a, %h : tensor<?x64xf32>
  // CHECK: llmc.scale {{.*}} by 1.250000e+01 : tensor<?x64xf32>
  %scaled = llmc.scale %g by 12.5 : tensor<?x64xf32>
  %o = llmc.output_rows %scaled, %rows : tensor<?x64xf32> -> tensor<?x64xf32>
  // CHECK: llmc.linear {{.*}} activation <bits = 8, group = 32>
  %y = llmc.linear %o, %up activation <bits = 8, group = 32>
      : (tensor<?x64xf32>, tensor<96x64xf32, #w4>) -> tensor<?x96xf32>
  return %y : tensor<?x96xf32>
}

// CHECK-LABEL: func.func @cache
// CHECK-SAME: !llmc.kv_cache<1x32, capacity = 64, keys = #llmc.position_grouped<bits = 4, group = 32, scale = f16>, values = f16, residual = 32, sinks = 4, ring = 160, budget = 100, first = 4, rolling = 160>
!cache = !llmc.kv_cache<1x32, capacity = 64,
                        keys = #llmc.position_grouped<bits = 4, group = 32, scale = f16>,
                        values = f16, sinks = 4, residual = 32, ring = 160,
                        rolling = 160, first = 4, budget = 100>
func.func @cache(%cache: !cache, %rows: !llmc.rows) {
  // CHECK: llmc.cache_round %{{.*}}, %{{.*}} : <1x32
  %0 = llmc.cache_round %cache, %rows : !cache
  return
}

// CHECK-LABEL: func.func @latents
// CHECK-SAME: !llmc.kv_cache<4x8:2x12, capacity = 64, keys = f32, values = f16>
!latents = !llmc.kv_cache<4x8:2x12, capacity = 64, keys = f32, values = f16>
func.func @latents(%q: tensor<?x64xf32>, %k: tensor<?x32xf32>, %v: tensor<?x24xf32>, %rows: !llmc.rows,
                   %cache: !latents) -> tensor<?x96xf32> {
  %c = llmc.cache_append %cache, %k, %v, %rows : !latents, tensor<?x32xf32>, tensor<?x24xf32>
  // CHECK: llmc.attention %{{.*}} : tensor<?x64xf32>, <4x8:2x12, capacity = 64, keys = f32, values = f16> {heads = 8 : i64
  %a = llmc.attention %q, %c, %rows : tensor<?x64xf32>, !latents {heads = 8 : i64, scale = 0.5 : f32}
  return %a : tensor<?x96xf32>
}
