// RUN: llmc-opt %s --split-input-file --verify-diagnostics

!rows = !spmd.buffer<tensor<?x8xf32>, rows>
func.func @f(%frame: !spmd.frame) {
  // expected-error @+1 {{expected an offset of 0 or more, found -64}}
  %x = spmd.buffer %frame[-64] : !rows
  return
}

// -----

func.func @f(%frame: !spmd.frame) {
  // expected-error @+1 {{expected an offset of 0 or more, found -64}}
  %x = spmd.frame %frame[-64]
  return
}

// -----

func.func @f(%step: !spmd.step) {
  // expected-error @+1 {{expected an index of 0 or more, found -1}}
  %x = spmd.activations %step[-1] : !spmd.buffer<tensor<?x8xf32>, rows>
  return
}

// -----

func.func @f(%step: !spmd.step) {
  // expected-error @+1 {{expected an offset of 0 or more, found -1}}
  %x = spmd.state %step[-1] : !spmd.buffer<!llmc.kv_cache<1x8, capacity = 8, keys = f32, values = f32>>
  return
}

// -----

func.func @f(%step: !spmd.step) {
  // expected-error @+1 {{expected the buffer of a cache, found '!spmd.buffer<tensor<?x8xf32>, rows>'}}
  %x = spmd.state %step[0] : !spmd.buffer<tensor<?x8xf32>, rows>
  return
}

// -----

// expected-error @+1 {{expected rows or output_rows, found whole}}
func.func private @f(!spmd.buffer<tensor<?x8xf32>, whole>)

// -----

func.func @f(%step: !spmd.step) {
  // expected-error @+1 {{expected a parameter of the module's program, found @w}}
  %w = spmd.weight %step @w : !spmd.buffer<tensor<8xf32>>
  return
}

// -----

func.func @f(%step: !spmd.step) {
  // expected-error @+1 {{expected a buffer of 'tensor<8xf32>', found '!spmd.buffer<tensor<4xf32>>'}}
  %w = spmd.weight %step @w : !spmd.buffer<tensor<4xf32>>
  return
}
spmd.program
    <vocabulary = 1, positions = 1, max_rows = 1, weight_bytes = 128, arena_bytes = 0,
     worker_arena_bytes = 0, state_bytes = 0>
    state [] description "{}" {
  llmc.parameter @w : tensor<8xf32> = #llmc.file<"w", offset = 0> {spmd.offset = 0 : i64}
}

// -----

!rows = !spmd.buffer<tensor<?x8xf32>, rows>
func.func @f(%x: !rows) {
  // expected-error @+1 {{expected 1 arguments of the body, found 0}}
  spmd.stage "s" reads(%x : !rows) writes() {
  }
  return
}

// -----

!rows = !spmd.buffer<tensor<?x8xf32>, rows>
func.func @f(%x: !rows) {
  // expected-error @+1 {{expected arguments of the body of 'tensor<?x8xf32>', found 'tensor<?x4xf32>'}}
  spmd.stage "s" reads(%x : !rows) writes() {
  ^bb0(%a: tensor<?x4xf32>):
  }
  return
}

// -----

!rows = !spmd.buffer<tensor<?x8xf32>, rows>
func.func @f(%x: !rows) {
  // expected-error @+1 {{expected 1 values that the body yields, found 0}}
  spmd.stage "s" reads() writes(%x : !rows) {
  }
  return
}

// -----

!rows = !spmd.buffer<tensor<?x8xf32>, rows>
func.func @f(%x: !rows, %y: !spmd.buffer<tensor<?x4xf32>, rows>) {
  // expected-error @+1 {{expected values that the body yields of 'tensor<?x4xf32>', found 'tensor<?x8xf32>'}}
  spmd.stage "s" reads(%x : !rows) writes(%y : !spmd.buffer<tensor<?x4xf32>, rows>) {
  ^bb0(%a: tensor<?x8xf32>):
    spmd.yield %a : tensor<?x8xf32>
  }
  return
}

// -----

// expected-error @+1 {{expected a function, found @row}}
spmd.entry @step row @row rows @row target #cpu.target<"neon", cpu = "cortex-a72", features = "", dot = plain>

// -----

func.func private @row(%step: !spmd.step) -> i64
// expected-error @+1 {{expected functions that take a step and give nothing, found @row of type '(!spmd.step) -> i64'}}
spmd.entry @step row @row rows @row target #cpu.target<"neon", cpu = "cortex-a72", features = "", dot = plain>

// -----

// C1 of spmd.program.

// expected-error @+1 {{expected counts of 0 to 2147483647, found 2147483648}}
spmd.program "x86_64-linux-gnu"
    <vocabulary = 2147483648, positions = 8, max_rows = 1, weight_bytes = 0, arena_bytes = 0,
     worker_arena_bytes = 0, state_bytes = 256>
    state [] description "{}" {
}

// -----

// expected-error @+1 {{expected counts of 0 to 2147483647, found -8}}
spmd.program "x86_64-linux-gnu"
    <vocabulary = 1, positions = -8, max_rows = 1, weight_bytes = 0, arena_bytes = 0,
     worker_arena_bytes = 0, state_bytes = 256>
    state [] description "{}" {
}

// -----

// expected-error @+1 {{expected sizes of 0 bytes or more, found -64}}
spmd.program "x86_64-linux-gnu"
    <vocabulary = 1, positions = 8, max_rows = 1, weight_bytes = -64, arena_bytes = 0,
     worker_arena_bytes = 0, state_bytes = 256>
    state [] description "{}" {
}

// -----

// C2 of spmd.program.

// expected-error @+1 {{expected an offset and a stride of 0 or more and a block of 1 to 2147483647, found #spmd.region<offset = 0, stride = 16, block = 0>}}
spmd.program "x86_64-linux-gnu"
    <vocabulary = 1, positions = 8, max_rows = 1, weight_bytes = 0, arena_bytes = 0,
     worker_arena_bytes = 0, state_bytes = 256>
    state [#spmd.region<offset = 0, stride = 16, block = 0>] description "{}" {
}

// -----

// expected-error @+1 {{expected regions inside 256 bytes of state, found #spmd.region<offset = 16, stride = 16, block = 16>}}
spmd.program "x86_64-linux-gnu"
    <vocabulary = 1, positions = 8, max_rows = 1, weight_bytes = 0, arena_bytes = 0,
     worker_arena_bytes = 0, state_bytes = 256>
    state [#spmd.region<offset = 16, stride = 16, block = 16>] description "{}" {
}

// -----

// expected-error @+1 {{expected whole blocks that are kept, at most 2147483647, and no more recent positions, found #spmd.region<offset = 0, stride = 1, block = 16, kept = 24>}}
spmd.program "x86_64-linux-gnu"
    <vocabulary = 1, positions = 8, max_rows = 1, weight_bytes = 0, arena_bytes = 0,
     worker_arena_bytes = 0, state_bytes = 256>
    state [#spmd.region<offset = 0, stride = 1, block = 16, kept = 24>] description "{}" {
}

// -----

// expected-error @+1 {{expected regions inside 256 bytes of state, found #spmd.region<offset = 0, stride = 16, block = 16, kept = 32, recent = 9>}}
spmd.program "x86_64-linux-gnu"
    <vocabulary = 1, positions = 8, max_rows = 1, weight_bytes = 0, arena_bytes = 0,
     worker_arena_bytes = 0, state_bytes = 256>
    state [#spmd.region<offset = 0, stride = 16, block = 16, kept = 32, recent = 9>] description "{}" {
}

// -----

// expected-error @+1 {{expected an i64 of 0 or more as spmd.offset, found -64 : i64}}
func.func private @f() attributes {spmd.offset = -64 : i64}

// -----

func.func @f() {
  // expected-error @+1 {{expects parent op 'builtin.module'}}
  spmd.program "x86_64-linux-gnu"
      <vocabulary = 1, positions = 1, max_rows = 1, weight_bytes = 0, arena_bytes = 0,
       worker_arena_bytes = 0, state_bytes = 0>
      state [] description "{}" {
  }
  return
}

// -----

// C3 of spmd.program.

// expected-error @+1 {{expected functions, entries and tables alone beside it, found llmc.parameter}}
spmd.program "x86_64-linux-gnu"
    <vocabulary = 1, positions = 1, max_rows = 1, weight_bytes = 0, arena_bytes = 0,
     worker_arena_bytes = 0, state_bytes = 0>
    state [] description "{}" {
}
llmc.parameter @norm : tensor<8xf32> = #llmc.file<"w", offset = 0>

// -----

// C1 of spmd.input.

func.func @f(%step: !spmd.step) {
  // expected-error @+1 {{expected a buffer of what the input is, found one of 'tensor<?x40xf32>'}}
  %x = spmd.input %step rows : !spmd.buffer<tensor<?x40xf32>, output_rows>
  return
}
