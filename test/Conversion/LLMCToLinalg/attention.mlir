// RUN: llmc-opt %s --convert-llmc-to-linalg | FileCheck %s

!cache = !llmc.kv_cache<2x4, capacity = 16, keys = f16, values = f32>

// The cache that a block takes comes back, after its other results.

// CHECK-LABEL: func.func private @block
// CHECK-SAME: (%[[Q:.*]]: tensor<?x16xf32>, %[[KV:.*]]: tensor<?x8xf32>, %[[SEQUENCES:.*]]: tensor<?xi32>, %[[POSITIONS:.*]]: tensor<?xi32>, %{{.*}}: tensor<?xi32>, %[[KEYS:.*]]: tensor<?x16x2x4xf16>, %[[VALUES:.*]]: tensor<?x16x2x4xf32>) -> (tensor<?x16xf32>, tensor<?x16x2x4xf16>, tensor<?x16x2x4xf32>)
// CHECK: arith.truncf {{.*}} : tensor<?x2x4xf32> to tensor<?x2x4xf16>
// CHECK: %[[CACHE:.*]]:2 = scf.for {{.*}} iter_args(%[[K:.*]] = %[[KEYS]], %[[V:.*]] = %[[VALUES]])
// CHECK: tensor.extract %[[SEQUENCES]]
// CHECK: tensor.extract %[[POSITIONS]]
// CHECK: tensor.insert_slice %{{.*}} into %[[K]]
// CHECK: tensor.insert_slice %{{.*}} into %[[V]]
// CHECK: tensor.extract %[[CACHE]]#0
// CHECK: arith.cmpi sle
// CHECK: arith.cmpi sgt
// CHECK: arith.select
// CHECK: %[[SLOPES:.*]] = arith.constant dense<[5.000000e-01, 2.500000e-01, 1.250000e-01, 6.250000e-02]>
// CHECK: math.tanh
// CHECK: tensor.extract %[[SLOPES]]
// CHECK: arith.sitofp
// CHECK: math.exp
// CHECK: tensor.extract %[[CACHE]]#1
// CHECK: %[[RESULT:.*]] = tensor.collapse_shape
// CHECK: return %[[RESULT]], %[[CACHE]]#0, %[[CACHE]]#1
// CHECK-NOT: llmc
func.func private @block(%q: tensor<?x16xf32>, %kv: tensor<?x8xf32>, %rows: !llmc.rows, %cache: !cache) -> tensor<?x16xf32> {
  %full = llmc.cache_append %cache, %kv, %kv, %rows : !cache, tensor<?x8xf32>, tensor<?x8xf32>
  %y = llmc.attention %q, %full, %rows : tensor<?x16xf32>, !cache {heads = 4 : i64, scale = 0.5 : f32, window = 3 : i64, softcap = 20.0 : f32, slopes = array<f32: 0.5, 0.25, 0.125, 0.0625>}
  return %y : tensor<?x16xf32>
}

// A sink is one score more, of which no value is read.

// CHECK-LABEL: func.func @sinks
// CHECK: %[[MAXIMA:.*]] = linalg.generic {{.*}} ins(%{{.*}}, %[[SINKS:.*]] : tensor<?x4xf32>, tensor<4xf32>)
// CHECK: arith.maximumf
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %[[SINKS]], %[[MAXIMA]] : tensor<?x4xf32>, tensor<4xf32>, tensor<?x4xf32>)
// CHECK: math.exp
func.func @sinks(%q: tensor<?x16xf32>, %rows: !llmc.rows, %cache: !cache, %sinks: tensor<4xf32>) -> tensor<?x16xf32> {
  %y = llmc.attention %q, %cache, %rows sinks %sinks : tensor<?x16xf32>, !cache, tensor<4xf32> {heads = 4 : i64, scale = 0.5 : f32}
  return %y : tensor<?x16xf32>
}

// What comes after a call or an append sees what it wrote, by whatever name.

// CHECK-LABEL: func.func @step
// CHECK: %[[FIRST:.*]]:3 = call @block({{.*}}, %[[KEYS:.*]], %[[VALUES:.*]])
// CHECK: %[[SECOND:.*]]:3 = call @block(%[[FIRST]]#0, {{.*}}, %[[FIRST]]#1, %[[FIRST]]#2)
// CHECK: %[[THIRD:.*]]:2 = scf.for {{.*}} = %[[SECOND]]#1, %{{.*}} = %[[SECOND]]#2)
// CHECK: tensor.extract %[[THIRD]]#0
// CHECK: return %{{.*}}, %[[THIRD]]#0, %[[THIRD]]#1
func.func @step(%q: tensor<?x16xf32>, %kv: tensor<?x8xf32>, %rows: !llmc.rows, %cache: !cache) -> tensor<?x16xf32> {
  %a = call @block(%q, %kv, %rows, %cache) : (tensor<?x16xf32>, tensor<?x8xf32>, !llmc.rows, !cache) -> tensor<?x16xf32>
  %b = call @block(%a, %kv, %rows, %cache) : (tensor<?x16xf32>, tensor<?x8xf32>, !llmc.rows, !cache) -> tensor<?x16xf32>
  %full = llmc.cache_append %cache, %kv, %kv, %rows : !cache, tensor<?x8xf32>, tensor<?x8xf32>
  %c = llmc.attention %b, %cache, %rows : tensor<?x16xf32>, !cache {heads = 4 : i64, scale = 0.5 : f32}
  return %c : tensor<?x16xf32>
}

// What some positions keep exactly stands beside what is rounded, for all of them; which of the two
// is read depends on the distance to the row and on the position. Keys that share a scale along
// positions are rounded where they are read.

// CHECK-LABEL: func.func @exact
// CHECK-SAME: tensor<?x16x1x8xf16>, %{{.*}}: tensor<?x16x1x8xi8>, %{{.*}}: tensor<?x16x1x1xf16>, %{{.*}}: tensor<?x16x1x8xf16>) ->
// CHECK: math.roundeven
// CHECK: scf.for
// CHECK: arith.maximumf
// CHECK: math.roundeven
// CHECK: arith.divui
// CHECK: arith.cmpi sgt
// CHECK: arith.cmpi slt
// CHECK: arith.ori
// CHECK-NOT: llmc
#along = #llmc.position_grouped<bits = 8, group = 16, scale = f16>
#i8 = #llmc.grouped<bits = 8, group = channel, zero = none, scale = f16>
!exact = !llmc.kv_cache<1x8, capacity = 16, keys = #along, values = #i8, residual = 3, sinks = 2>
func.func @exact(%q: tensor<?x16xf32>, %kv: tensor<?x8xf32>, %rows: !llmc.rows, %cache: !exact) -> tensor<?x16xf32> {
  %full = llmc.cache_append %cache, %kv, %kv, %rows : !exact, tensor<?x8xf32>, tensor<?x8xf32>
  %round = llmc.cache_round %full, %rows : !exact
  %y = llmc.attention %q, %round, %rows : tensor<?x16xf32>, !exact {heads = 2 : i64, scale = 0.5 : f32}
  return %y : tensor<?x16xf32>
}
