// Choices of columns: what a thread stores of a row another may have stored before, so that they wait.

// RUN: llmc-opt %s --convert-spmd-to-gpu | FileCheck %s

// CHECK: func.func private @clear_columns_32c[[COLUMNS:[0-9A-F]+]]_cuda
// CHECK: nvvm.bar.warp.sync
// CHECK: func.func private @take_columns_32c[[COLUMNS]]_cuda

!rows = !spmd.buffer<tensor<?x32xf32>, rows>
!few = !spmd.buffer<tensor<?x2xf32>, rows>
func.func private @step_rows(%step: !spmd.step) {
  %frame = spmd.arena %step
  %x = spmd.buffer %frame[0] : !rows
  %y = spmd.buffer %frame[2048] : !rows
  %z = spmd.buffer %frame[4096] : !few
  spmd.stage "columns" reads(%x : !rows) writes(%y, %z : !rows, !few) {
  ^bb0(%a: tensor<?x32xf32>):
    %b = llmc.clear_columns %a [3, 31] : tensor<?x32xf32>
    %c = llmc.take_columns %a [3, 31] : tensor<?x32xf32> -> tensor<?x2xf32>
    spmd.yield %b, %c : tensor<?x32xf32>, tensor<?x2xf32>
  }
  return
}
spmd.entry @step row @step_rows rows @step_rows
spmd.program <vocabulary = 0, positions = 0, max_rows = 16, weight_bytes = 0, arena_bytes = 8192,
              worker_arena_bytes = 0, state_bytes = 0> state [] description "{}" {
}
