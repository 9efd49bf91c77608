// An operation on vectors that 16 threads can't share is named, with its kernel.

// RUN: not llmc-opt %s --convert-spmd-to-gpu 2>&1 | FileCheck %s

// CHECK: error: 'vector.shuffle' op has no form on the lanes of a group of threads with 'vector<16xf32>', in kernel @hadamard_32o32_cuda

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
