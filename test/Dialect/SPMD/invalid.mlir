// RUN: llmc-opt %s --split-input-file --verify-diagnostics

func.func @f(%step: !spmd.step) {
  // expected-error @+1 {{expected a stride of 0, found 64}}
  %arena = spmd.field %step arena {stride = 64 : i64} : !llvm.ptr
  return
}

// -----

func.func @f(%step: !spmd.step) {
  // expected-error @+1 {{expected a stride of 0 or more, found -64}}
  %arena = spmd.field %step worker_arena {stride = -64 : i64} : !llvm.ptr
  return
}

// -----

func.func @f(%step: !spmd.step, %count: i64) {
  // expected-error @+1 {{expected a body with two arguments of type i64, found ('i64')}}
  spmd.stage "up" %step, %count {
  ^bb0(%begin: i64):
  }
  return
}

// -----

func.func @f(%step: !spmd.step, %count: i64) {
  // expected-error @+1 {{expected a body with two arguments of type i64, found ('i64', 'i32')}}
  spmd.stage "up" %step, %count {
  ^bb0(%begin: i64, %end: i32):
  }
  return
}

// -----

// expected-error @+1 {{expected a function, found @row}}
spmd.entry @step row @row rows @row target <"neon", cpu = "cortex-a72", features = "", dot = plain>

// -----

func.func private @row(%step: !spmd.step) -> i64
// expected-error @+1 {{expected functions that take a step and give nothing, found @row of type '(!spmd.step) -> i64'}}
spmd.entry @step row @row rows @row target <"neon", cpu = "cortex-a72", features = "", dot = plain>

// -----

// expected-error @+1 {{expected #spmd.target as spmd.target, found "avx2"}}
func.func private @f() attributes {spmd.target = "avx2"}

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

func.func @f(%step: !spmd.step) {
  // expected-error @+1 {{expected operation name in quotes}}
  %arena = spmd.field %step arena : i32
  return
}

// -----

func.func @f(%step: !spmd.step) {
  // expected-error @+1 {{invalid kind of type specified}}
  %arena = spmd.field %step arena : !spmd.step
  return
}
