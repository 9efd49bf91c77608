// RUN: llmc-opt %s --split-input-file --verify-diagnostics

func.func @f(%step: !spmd.step) {
  // expected-error @+1 {{expected a stride of 0, found 64}}
  %arena = cpu.field %step arena {stride = 64 : i64} : !llvm.ptr
  return
}

// -----

func.func @f(%step: !spmd.step) {
  // expected-error @+1 {{expected a stride of 0 or more, found -64}}
  %arena = cpu.field %step worker_arena {stride = -64 : i64} : !llvm.ptr
  return
}

// -----

func.func @f(%step: !spmd.step, %count: i64) {
  // expected-error @+1 {{expected a body with two arguments of type i64, found ('i64')}}
  cpu.stage "up" %step, %count {
  ^bb0(%begin: i64):
  }
  return
}

// -----

func.func @f(%step: !spmd.step, %count: i64) {
  // expected-error @+1 {{expected a body with two arguments of type i64, found ('i64', 'i32')}}
  cpu.stage "up" %step, %count {
  ^bb0(%begin: i64, %end: i32):
  }
  return
}

// -----

func.func @f(%indices: vector<16xi32>) {
  // expected-error @+1 {{expected a table of 2, 4, 8 or 16 numbers, found 3}}
  %0 = cpu.table_lookup [0.0, 1.0, 2.0][%indices] : vector<16xi32> -> vector<16xf32>
  return
}

// -----

func.func @f(%indices: vector<16xi32>) {
  // expected-error @+1 {{expected a table of 2, 4, 8 or 16 numbers, found 1}}
  %0 = cpu.table_lookup [0.0][%indices] : vector<16xi32> -> vector<16xf32>
  return
}

// -----

func.func @f(%words: vector<16xi32>) {
  // expected-error @+1 {{expected 4 windows that ascend, the first from bit 0 to 31 on, the last at most 24 bits later, found [32, 35, 38, 41]}}
  %0 = cpu.windows %words, %words from [32, 35, 38, 41] : vector<16xi32>, vector<16xi32> -> vector<64xi8>
  return
}

// -----

func.func @f(%words: vector<16xi32>) {
  // expected-error @+1 {{found [0, 9, 18, 27]}}
  %0 = cpu.windows %words, %words from [0, 9, 18, 27] : vector<16xi32>, vector<16xi32> -> vector<64xi8>
  return
}

// -----

func.func @f(%words: vector<16xi32>) {
  // expected-error @+1 {{found [0, 3, 6]}}
  %0 = cpu.windows %words, %words from [0, 3, 6] : vector<16xi32>, vector<16xi32> -> vector<64xi8>
  return
}

// -----

func.func @f(%words: vector<16xi32>) {
  // expected-error @+1 {{found [0, 6, 3, 9]}}
  %0 = cpu.windows %words, %words from [0, 6, 3, 9] : vector<16xi32>, vector<16xi32> -> vector<64xi8>
  return
}

// -----

// expected-error @+1 {{expected #cpu.target as cpu.target, found "avx2"}}
func.func private @f() attributes {cpu.target = "avx2"}

// -----

func.func @f(%step: !spmd.step) {
  // expected-error @+1 {{expected operation name in quotes}}
  %arena = cpu.field %step arena : i32
  return
}

// -----

func.func @f(%step: !spmd.step) {
  // expected-error @+1 {{invalid kind of type specified}}
  %arena = cpu.field %step arena : !spmd.step
  return
}

// -----

func.func @f(%table: !llvm.ptr, %indices: vector<64xi8>) {
  // expected-error @+1 {{expected tables of a power of two from 4 to 256 bytes, found 12}}
  %0 = cpu.look_up_bytes %table[%indices] {size = 12 : i64} : !llvm.ptr, vector<64xi8> -> vector<64xi8>
  return
}
