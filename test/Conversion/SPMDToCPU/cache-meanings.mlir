// Caches by their meaning, in the memory that kernels have for them.

// RUN: llmc-opt %s --convert-llmc-to-spmd=max-rows=16 --convert-spmd-to-cpu='target=x86_64-linux-gnu:avx2 kernels=meaning' | FileCheck %s

// Kernels are called with where caches are, and each row is written or read by itself.

// CHECK-LABEL: func.func private @step_row_avx2
// CHECK: cpu.stage "embedding+cache_append"
// CHECK: func.call @meaning_cache_append_{{.*}}_avx2(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %[[STATES:.*]], %[[POSITIONS:.*]], %[[SEQUENCES:.*]], %[[OFFSET:.*]], %{{.*}})
// CHECK: cpu.stage "cache_round"
// CHECK: func.call @meaning_cache_round_
// CHECK: cpu.stage "attention"
// CHECK: func.call @meaning_attention_

// Integers of 4 bits share bytes: those of a number and of the one 16 places behind it.

// CHECK-LABEL: func.func private @meaning_cache_append_
// CHECK: scf.for
// CHECK-NOT: memref
// CHECK: arith.shli
// CHECK: arith.ori
// CHECK: arith.trunci %{{.*}} : i32 to i8
// CHECK: llvm.store %{{.*}} : i8

// A group is rounded when its last position is there.

// CHECK-LABEL: func.func private @meaning_cache_round_
// CHECK: %[[REST:.*]] = arith.remui
// CHECK: %[[FULL:.*]] = arith.cmpi eq, %[[REST]]
// CHECK: scf.if %[[FULL]]

// A row looks at 64, 512 or all 600 positions.

// CHECK-LABEL: func.func private @meaning_attention_
// CHECK-COUNT-3: scf.if
// CHECK-NOT: scf.if
// CHECK: return

#keys = #llmc.position_grouped<bits = 8, group = 16, scale = f16>
#values = #llmc.grouped<bits = 4, group = channel, zero = none, scale = f16>
!cache = !llmc.kv_cache<1x32, capacity = 600, keys = #keys, values = #values, residual = 9, sinks = 4>
llmc.parameter @table : tensor<64x32xf32> = #llmc.file<"w", offset = 0>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache: !cache) -> tensor<?x32xf32> {
  %table = llmc.parameter_value @table : tensor<64x32xf32>
  %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<64x32xf32>) -> tensor<?x32xf32>
  %c = llmc.cache_append %cache, %h, %h, %rows : !cache, tensor<?x32xf32>, tensor<?x32xf32>
  %a = llmc.attention %h, %c, %rows : tensor<?x32xf32>, !cache {heads = 1 : i64, scale = 0.5 : f32}
  %out = llmc.output_rows %a, %rows : tensor<?x32xf32> -> tensor<?x32xf32>
  return %out : tensor<?x32xf32>
}
