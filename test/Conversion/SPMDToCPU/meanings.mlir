// An operation that has no kernel, or whose kernel is switched off, becomes loops over its rows.

// RUN: llmc-opt %s --convert-spmd-to-cpu=target=x86_64-linux-gnu:avx2 | FileCheck %s
// RUN: llmc-opt %s --convert-spmd-to-cpu='target=x86_64-linux-gnu:avx2 kernels=meaning' | FileCheck %s --check-prefix=ALL
// RUN: llmc-opt %s --convert-spmd-to-cpu='target=x86_64-linux-gnu:avx2 kernels=meaning:llmc.gate,llmc.round' | FileCheck %s --check-prefix=SOME
// RUN: not llmc-opt %s --convert-spmd-to-cpu='kernels=meaning:llmc.gates' 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not llmc-opt %s --convert-spmd-to-cpu='kernels=meanings' 2>&1 | FileCheck %s --check-prefix=SPELLING
// RUN: not llmc-opt %s --convert-spmd-to-cpu='kernels=meaning:' 2>&1 | FileCheck %s --check-prefix=NONE

// UNKNOWN: error: kernels: expected the name of an operation, such as llmc.gate, found 'llmc.gates'
// SPELLING: error: kernels: expected all, meaning or meaning:OP[,OP…], found 'meanings'
// NONE: error: kernels: expected all, meaning or meaning:OP[,OP…], found 'meaning:'

!rows = !spmd.buffer<tensor<?x40xf32>, rows>
!codes = !spmd.buffer<tensor<?x40xf32, #llmc.dynamic<bits = 8, group = 32>>, rows>

// CHECK: cpu.stage "square"
// CHECK: func.call @meaning_mulf_[[HASH:[0-9A-F]+]]_avx2
// CHECK: func.call @gate_relu_40_avx2
// CHECK: func.call @round_40g32b8_avx2
// CHECK: func.func private @meaning_mulf_[[HASH]]_avx2(%[[BEGIN:.*]]: i64, %[[END:.*]]: i64, %[[X:.*]]: !llvm.ptr, %{{.*}}: !llvm.ptr, %[[Y:.*]]: !llvm.ptr, %{{.*}}: !llvm.ptr) attributes
// CHECK: scf.for %[[ROW:.*]] = %[[BEGIN]] to %[[END]]
// CHECK-NOT: memref
// CHECK: llvm.getelementptr %[[X]][
// CHECK: scf.for
// CHECK: llvm.load
// CHECK: arith.mulf %{{.*}}, %{{.*}} : f32
// CHECK: llvm.store

// ALL: func.call @meaning_mulf_
// ALL: func.call @meaning_gate_
// ALL: func.call @meaning_round_
// ALL-NOT: @gate_relu

// SOME: func.call @meaning_mulf_
// SOME: func.call @meaning_gate_
// SOME: func.call @meaning_round_
func.func private @part_rows(%step: !spmd.step) {
  %x = spmd.activations %step[0] : !rows
  %y = spmd.activations %step[1] : !rows
  %frame = spmd.arena %step
  %c = spmd.buffer %frame[0] : !codes
  spmd.stage "square" reads(%x : !rows) writes(%y, %c : !rows, !codes) {
  ^bb0(%a: tensor<?x40xf32>):
    %b = arith.mulf %a, %a : tensor<?x40xf32>
    %d = llmc.gate <relu> %a, %b : tensor<?x40xf32>
    %e = llmc.round %d : tensor<?x40xf32> -> tensor<?x40xf32, #llmc.dynamic<bits = 8, group = 32>>
    spmd.yield %d, %e : tensor<?x40xf32>, tensor<?x40xf32, #llmc.dynamic<bits = 8, group = 32>>
  }
  return
}
spmd.entry @part row @part_rows rows @part_rows
spmd.program <vocabulary = 0, positions = 0, max_rows = 16, weight_bytes = 0, arena_bytes = 4096,
              worker_arena_bytes = 0, state_bytes = 0> state [] description "{}" {
}
