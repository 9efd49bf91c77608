// A worker asks for the first bytes of its share of the next weights before it waits, and before
// stages of rows: those of `down`, 4 tiles of 6 KiB, before the norm that comes first.

// RUN: llmc-opt %s --convert-llmc-to-spmd=max-rows=16 --convert-spmd-to-cpu=target=x86_64-linux-gnu:avx2 | FileCheck %s

// CHECK-LABEL: func.func private @step_row_avx2
// CHECK: %[[UP:.*]] = cpu.address %{{.*}}[8192]
// CHECK: %[[DOWN:.*]] = cpu.address %{{.*}}[20864]
// CHECK: cpu.stage "embedding+cache_append"
// CHECK: cpu.stage "prefetch" %{{.*}}, %c6_i64
// CHECK: llvm.getelementptr %[[UP]][
// CHECK: spmd.barrier
// CHECK: cpu.stage "up"
// CHECK: cpu.stage "prefetch" %{{.*}}, %c4_i64
// CHECK-NEXT: ^bb0(%[[BEGIN:.*]]: i64, %[[END:.*]]: i64):
// CHECK: %[[BEFORE:.*]] = arith.muli %[[BEGIN]], %c6144_i64
// CHECK: %[[TILES:.*]] = arith.subi %[[END]], %[[BEGIN]]
// CHECK: %[[BYTES:.*]] = arith.muli %[[TILES]], %c6144_i64
// CHECK: %[[SOME:.*]] = arith.minui %[[BYTES]], %c4096_i64
// CHECK: %[[FIRST:.*]] = arith.addi %[[BEFORE]]
// CHECK: %[[START:.*]] = llvm.getelementptr %[[DOWN]][%[[FIRST]]]
// CHECK: scf.for %[[LINE:.*]] = %{{.*}} to %[[SOME]] step %c64_i64
// CHECK: %[[ADDRESS:.*]] = llvm.getelementptr %[[START]][%[[LINE]]]
// CHECK: "llvm.intr.prefetch"(%[[ADDRESS]])
// CHECK: spmd.barrier
// CHECK: cpu.stage "rms_norm
// CHECK: spmd.barrier
// CHECK: cpu.stage "down"
// CHECK-NOT: prefetch
// CHECK: return

!cache = !llmc.kv_cache<1x32, capacity = 64, keys = f32, values = f32>
llmc.parameter @table : tensor<64x32xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @up : tensor<96x32xf32> = #llmc.file<"w", offset = 8192>
llmc.parameter @gain : tensor<96xf32> = #llmc.file<"w", offset = 20480>
llmc.parameter @down : tensor<64x96xf32> = #llmc.file<"w", offset = 20864>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache: !cache) -> tensor<?x64xf32> {
  %table = llmc.parameter_value @table : tensor<64x32xf32>
  %up = llmc.parameter_value @up : tensor<96x32xf32>
  %gain = llmc.parameter_value @gain : tensor<96xf32>
  %down = llmc.parameter_value @down : tensor<64x96xf32>
  %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<64x32xf32>) -> tensor<?x32xf32>
  %c = llmc.cache_append %cache, %h, %h, %rows : !cache, tensor<?x32xf32>, tensor<?x32xf32>
  %u = llmc.linear %h, %up : (tensor<?x32xf32>, tensor<96x32xf32>) -> tensor<?x96xf32>
  %n = llmc.rms_norm %u, %gain : tensor<?x96xf32>, tensor<96xf32> {epsilon = 1.0e-5 : f32}
  %d = llmc.linear %n, %down : (tensor<?x96xf32>, tensor<64x96xf32>) -> tensor<?x64xf32>
  %out = llmc.output_rows %d, %rows : tensor<?x64xf32> -> tensor<?x64xf32>
  return %out : tensor<?x64xf32>
}
