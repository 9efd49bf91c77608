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
