// Lanes in an order that is no run of neighbours: each thread has the number of the one it takes from.

// RUN: llmc-opt %s --convert-spmd-to-gpu | FileCheck %s

// CHECK-DAG: llvm.mlir.global internal constant @[[TABLE:lanes_i32_[0-9A-F]+]](dense<[1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14]>
// CHECK: func.func private @hadamard_32o32_cuda
// CHECK: llvm.mlir.addressof @[[TABLE]]
// CHECK: %[[FROM:.*]] = llvm.load {{.*}} -> i32
// CHECK: nvvm.shfl.sync idx {{.*}}, %[[FROM]]

!rows = !spmd.buffer<tensor<?x32xf32>, rows>
func.func private @step_rows(%step: !spmd.step) {
  %frame = spmd.arena %step
  %x = spmd.buffer %frame[0] : !rows
  %y = spmd.buffer %frame[2048] : !rows
  spmd.stage "hadamard" reads(%x : !rows) writes(%y : !rows) {
  ^bb0(%a: tensor<?x32xf32>):
    %b = llmc.hadamard %a : tensor<?x32xf32> {order = 32 : i64}
    spmd.yield %b : tensor<?x32xf32>
  }
  return
}
spmd.entry @step row @step_rows rows @step_rows
spmd.program <vocabulary = 0, positions = 0, max_rows = 16, weight_bytes = 0, arena_bytes = 4096,
              worker_arena_bytes = 0, state_bytes = 0> state [] description "{}" {
}
