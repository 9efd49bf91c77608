// What is no plan of a whole model.

// RUN: llmc-opt %s --convert-spmd-to-gpu --split-input-file --verify-diagnostics

!rows = !spmd.buffer<tensor<?x32xf32>, rows>
func.func private @part_rows(%step: !spmd.step) {
  // expected-error @+1 {{is of a part of a model, which has no code for GPUs: expected a whole model}}
  %x = spmd.activations %step[0] : !rows
  return
}
spmd.entry @part row @part_rows rows @part_rows
spmd.program <vocabulary = 0, positions = 0, max_rows = 16, weight_bytes = 0, arena_bytes = 0,
              worker_arena_bytes = 0, state_bytes = 0> state [] description "{}" {
}

// -----

func.func private @step_rows(%step: !spmd.step) {
  return
}
spmd.entry @step row @step_rows rows @step_rows
// expected-error @+1 {{expected a plan for no target yet, found one for 'x86_64-unknown-linux-gnu'}}
spmd.program "x86_64-unknown-linux-gnu" <vocabulary = 0, positions = 0, max_rows = 16,
              weight_bytes = 0, arena_bytes = 0, worker_arena_bytes = 0, state_bytes = 0>
              state [] description "{}" {
}

// -----

// expected-error @+1 {{expected a plan whose functions do not call themselves}}
func.func private @step_rows(%step: !spmd.step) {
  func.call @step_rows(%step) : (!spmd.step) -> ()
  return
}
spmd.entry @step row @step_rows rows @step_rows
spmd.program <vocabulary = 0, positions = 0, max_rows = 16, weight_bytes = 0, arena_bytes = 0,
              worker_arena_bytes = 0, state_bytes = 0> state [] description "{}" {
}
