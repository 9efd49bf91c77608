// What is no plan, or a plan of what there is no code for.

// RUN: llmc-opt %s --convert-spmd-to-cpu=target=x86_64-linux-gnu:x86-64 --split-input-file --verify-diagnostics

!rows = !spmd.buffer<tensor<?x32xf32>, rows>
func.func private @part_rows(%step: !spmd.step) {
  %x = spmd.activations %step[0] : !rows
  spmd.stage "square" reads(%x : !rows) writes(%x : !rows) {
  ^bb0(%a: tensor<?x32xf32>):
    // expected-error @+1 {{has no code for CPUs in meanings}}
    %b = math.acosh %a : tensor<?x32xf32>
    spmd.yield %b : tensor<?x32xf32>
  }
  return
}
spmd.entry @part row @part_rows rows @part_rows
spmd.program <vocabulary = 0, positions = 0, max_rows = 16, weight_bytes = 0, arena_bytes = 0,
              worker_arena_bytes = 0, state_bytes = 0> state [] description "{}" {
}

// -----

!rows = !spmd.buffer<tensor<?x32xf32>, rows>
func.func private @part_rows(%step: !spmd.step) {
  %x = spmd.activations %step[0] : !rows
  // expected-error @+1 {{expected a stage to compute what it yields, each value once}}
  spmd.stage "copy" reads(%x : !rows) writes(%x : !rows) {
  ^bb0(%a: tensor<?x32xf32>):
    spmd.yield %a : tensor<?x32xf32>
  }
  return
}
spmd.entry @part row @part_rows rows @part_rows
spmd.program <vocabulary = 0, positions = 0, max_rows = 16, weight_bytes = 0, arena_bytes = 0,
              worker_arena_bytes = 0, state_bytes = 0> state [] description "{}" {
}

// -----

!rows = !spmd.buffer<tensor<?x?xf32>, rows>
func.func private @part_rows(%step: !spmd.step) {
  %x = spmd.activations %step[0] : !rows
  spmd.stage "add" reads(%x : !rows) writes(%x : !rows) {
  ^bb0(%a: tensor<?x?xf32>):
    // expected-error @+1 {{expected activations of f32, found 'tensor<?x?xf32>'}}
    %b = arith.addf %a, %a : tensor<?x?xf32>
    spmd.yield %b : tensor<?x?xf32>
  }
  return
}
spmd.entry @part row @part_rows rows @part_rows
spmd.program <vocabulary = 0, positions = 0, max_rows = 16, weight_bytes = 0, arena_bytes = 0,
              worker_arena_bytes = 0, state_bytes = 0> state [] description "{}" {
}

// -----

!rows = !spmd.buffer<tensor<?x32xf32>, rows>
!w = tensor<32x32xf32>
func.func private @part_rows(%step: !spmd.step) {
  %x = spmd.activations %step[0] : !rows
  %y = spmd.activations %step[1] : !rows
  %w = spmd.weight %step @w : !spmd.buffer<!w>
  // expected-error @+1 {{expected operations that work row by row, or one alone}}
  spmd.stage "two" reads(%x, %w : !rows, !spmd.buffer<!w>) writes(%y : !rows) {
  ^bb0(%a: tensor<?x32xf32>, %m: !w):
    %b = llmc.activation <relu> %a : tensor<?x32xf32>
    %c = llmc.linear %b, %m : (tensor<?x32xf32>, !w) -> tensor<?x32xf32>
    spmd.yield %c : tensor<?x32xf32>
  }
  return
}
spmd.entry @part row @part_rows rows @part_rows
spmd.program <vocabulary = 0, positions = 0, max_rows = 16, weight_bytes = 4096, arena_bytes = 0,
              worker_arena_bytes = 0, state_bytes = 0> state [] description "{}" {
  llmc.parameter @w : tensor<32x32xf32> = #llmc.file<"none", offset = 0> {spmd.offset = 0 : i64}
}

// -----

func.func private @part_rows(%step: !spmd.step) {
  %w = spmd.weight %step @w : !spmd.buffer<tensor<32xf32>>
  return
}
spmd.entry @part row @part_rows rows @part_rows
spmd.program <vocabulary = 0, positions = 0, max_rows = 16, weight_bytes = 4096, arena_bytes = 0,
              worker_arena_bytes = 0, state_bytes = 0> state [] description "{}" {
  // expected-error @+1 {{expected spmd.offset, its place in the packed weights}}
  llmc.parameter @w : tensor<32xf32> = #llmc.file<"none", offset = 0>
}

// -----

!rows = !spmd.buffer<tensor<?x40xf32>, output_rows>
func.func private @step_rows(%step: !spmd.step) {
  %x = spmd.activations %step[0] : !rows
  %y = spmd.input %step logits : !rows
  spmd.stage "relu" reads(%x : !rows) writes(%y : !rows) {
  ^bb0(%a: tensor<?x40xf32>):
    // expected-error @+1 {{expected logits that a linear computes, or a multiple of 32 of them, found 40}}
    %b = llmc.activation <relu> %a : tensor<?x40xf32>
    spmd.yield %b : tensor<?x40xf32>
  }
  return
}
spmd.entry @step row @step_rows rows @step_rows
spmd.program <vocabulary = 40, positions = 0, max_rows = 16, weight_bytes = 0, arena_bytes = 0,
              worker_arena_bytes = 0, state_bytes = 0> state [] description "{}" {
}

// -----

!rows = !spmd.buffer<tensor<?x40xf32>, output_rows>
func.func private @step_rows(%step: !spmd.step) {
  %arena = spmd.arena %step
  %y = spmd.input %step logits : !rows
  // expected-error @+1 {{expected logits that a linear computes, or a multiple of 32 of them, found 40}}
  call @block_rows(%step, %arena, %y) : (!spmd.step, !spmd.frame, !rows) -> ()
  return
}
func.func private @block_rows(%step: !spmd.step, %frame: !spmd.frame, %y: !rows) {
  return
}
spmd.entry @step row @step_rows rows @step_rows
spmd.program <vocabulary = 40, positions = 0, max_rows = 16, weight_bytes = 0, arena_bytes = 0,
              worker_arena_bytes = 0, state_bytes = 0> state [] description "{}" {
}

// -----

func.func private @step_rows(%step: !spmd.step) {
  %y = spmd.input %step rows : !spmd.buffer<!llmc.rows>
  // expected-error @+1 {{expected buffers of values, found '!spmd.buffer<!llmc.rows>'}}
  call @block_rows(%step, %y) : (!spmd.step, !spmd.buffer<!llmc.rows>) -> ()
  return
}
func.func private @block_rows(%step: !spmd.step, %y: !spmd.buffer<!llmc.rows>) {
  return
}
spmd.entry @step row @step_rows rows @step_rows
spmd.program <vocabulary = 40, positions = 0, max_rows = 16, weight_bytes = 0, arena_bytes = 0,
              worker_arena_bytes = 0, state_bytes = 0> state [] description "{}" {
}

// -----

func.func private @step_rows(%step: !spmd.step) {
  return
}
// expected-error @+1 {{expected a step, a frame and buffers of values as arguments, found 'i64'}}
func.func private @block_rows(%step: !spmd.step, %y: i64) {
  return
}
spmd.entry @step row @step_rows rows @step_rows
spmd.program <vocabulary = 40, positions = 0, max_rows = 16, weight_bytes = 0, arena_bytes = 0,
              worker_arena_bytes = 0, state_bytes = 0> state [] description "{}" {
}

// -----

func.func private @step_rows(%step: !spmd.step) {
  return
}
// expected-error @+1 {{expected a function of a plan: one block that takes a step first and gives nothing}}
func.func private @elsewhere(%step: !spmd.step)
spmd.entry @step row @step_rows rows @step_rows
spmd.program <vocabulary = 40, positions = 0, max_rows = 16, weight_bytes = 0, arena_bytes = 0,
              worker_arena_bytes = 0, state_bytes = 0> state [] description "{}" {
}

// -----

func.func private @step_rows(%step: !spmd.step) {
  // expected-error @+1 {{is not one that plans are made of}}
  %count = arith.constant 8 : i64
  return
}
spmd.entry @step row @step_rows rows @step_rows
spmd.program <vocabulary = 40, positions = 0, max_rows = 16, weight_bytes = 0, arena_bytes = 0,
              worker_arena_bytes = 0, state_bytes = 0> state [] description "{}" {
}

// -----

// expected-error @+1 {{expected one entry without a target beside it}}
spmd.program <vocabulary = 40, positions = 0, max_rows = 16, weight_bytes = 0, arena_bytes = 0,
              worker_arena_bytes = 0, state_bytes = 0> state [] description "{}" {
}

// -----

!rows = !spmd.buffer<tensor<?x64xf32>, rows>
func.func private @part_rows(%step: !spmd.step) {
  %rows = spmd.input %step rows : !spmd.buffer<!llmc.rows>
  %x = spmd.activations %step[0] : !rows
  spmd.stage "table" reads(%rows : !spmd.buffer<!llmc.rows>) writes(%x : !rows) {
  ^bb0(%r: !llmc.rows):
    // expected-error @+1 {{expected a table of width 32, found 64}}
    %t = llmc.rotation_table %r : tensor<?x64xf32> {frequencies = array<f32: 1.0>, scaling = 1.0 : f32}
    spmd.yield %t : tensor<?x64xf32>
  }
  return
}
spmd.entry @part row @part_rows rows @part_rows
spmd.program <vocabulary = 0, positions = 0, max_rows = 16, weight_bytes = 0, arena_bytes = 0,
              worker_arena_bytes = 0, state_bytes = 0> state [] description "{}" {
}

// -----

!rows = !spmd.buffer<tensor<?x64xf32>, rows>
func.func private @part_rows(%step: !spmd.step) {
  %x = spmd.activations %step[0] : !rows
  %y = spmd.activations %step[1] : !rows
  spmd.stage "rotate" reads(%x : !rows) writes(%y : !rows) {
  ^bb0(%a: tensor<?x64xf32>):
    // expected-error @+1 {{expected a table of width 32, found 64}}
    %t = llmc.rotate %a, %a : tensor<?x64xf32>, tensor<?x64xf32> {heads = 1 : i64, pairs = 8 : i64}
    spmd.yield %t : tensor<?x64xf32>
  }
  return
}
spmd.entry @part row @part_rows rows @part_rows
spmd.program <vocabulary = 0, positions = 0, max_rows = 16, weight_bytes = 0, arena_bytes = 0,
              worker_arena_bytes = 0, state_bytes = 0> state [] description "{}" {
}
