// Every operation and attribute of cpu is read and written.

// RUN: llmc-opt %s | llmc-opt | FileCheck %s

// CHECK: func.func private @row(%[[STEP:.*]]: !spmd.step) attributes {cpu.target = #cpu.target<"avx2", cpu = "haswell", features = "+avx2,+fma", dot = maddubs>}
func.func private @row(%step: !spmd.step) attributes {
    cpu.target = #cpu.target<"avx2", cpu = "haswell", features = "+avx2,+fma", dot = maddubs>} {
  // CHECK-NEXT: %[[ARENA:.*]] = cpu.field %[[STEP]] arena : !llvm.ptr
  %arena = cpu.field %step arena : !llvm.ptr
  // CHECK-NEXT: cpu.field %[[STEP]] worker_arena {stride = 4096 : i64} : !llvm.ptr
  %own = cpu.field %step worker_arena {stride = 4096 : i64} : !llvm.ptr
  // CHECK-NEXT: %[[ROWS:.*]] = cpu.count %[[STEP]] output_rows
  %rows = cpu.count %step output_rows
  // CHECK-NEXT: cpu.address %[[ARENA]][128] : !llvm.ptr -> !llvm.ptr
  %x = cpu.address %arena[128] : !llvm.ptr -> !llvm.ptr
  // CHECK-NEXT: cpu.stage "layers.0.up" %[[STEP]], %[[ROWS]] {
  // CHECK-NEXT: ^bb0(%{{.*}}: i64, %{{.*}}: i64):
  cpu.stage "layers.0.up" %step, %rows {
  ^bb0(%begin: i64, %end: i64):
  }
  // CHECK: spmd.barrier %[[STEP]]
  spmd.barrier %step
  return
}

// CHECK: cpu.table_lookup [0.000000e+00, 1.000000e+00, -1.000000e+00, 5.000000e-01][%{{.*}}] : vector<16xi32> -> vector<16xf32>
func.func private @lookup(%indices: vector<16xi32>) -> vector<16xf32> {
  %0 = cpu.table_lookup [0.0, 1.0, -1.0, 0.5][%indices] : vector<16xi32> -> vector<16xf32>
  return %0 : vector<16xf32>
}

// CHECK: cpu.take_bytes %{{.*}}[%{{.*}}] : vector<16xi32>, vector<16xi32> -> vector<16xi32>
func.func private @bytes(%bytes: vector<16xi32>, %places: vector<16xi32>) -> vector<16xi32> {
  %0 = cpu.take_bytes %bytes[%places] : vector<16xi32>, vector<16xi32> -> vector<16xi32>
  return %0 : vector<16xi32>
}

// CHECK: cpu.expand_bytes %{{.*}} to %{{.*}} of %{{.*}} : vector<64xi8>
func.func private @expanded(%bytes: vector<64xi8>, %mask: i64, %others: vector<64xi8>) -> vector<64xi8> {
  %0 = cpu.expand_bytes %bytes to %mask of %others : vector<64xi8>
  return %0 : vector<64xi8>
}

// CHECK: cpu.look_up_bytes %{{.*}}[%{{.*}}] : !llvm.ptr, vector<64xi8> -> vector<64xi8>
// CHECK: cpu.windows %{{.*}}, %{{.*}} from [28, 31, 34, 37] : vector<16xi32>, vector<16xi32> -> vector<64xi8>
func.func private @streams(%table: !llvm.ptr, %words: vector<16xi32>, %indices: vector<64xi8>) -> (vector<64xi8>, vector<64xi8>) {
  %0 = cpu.look_up_bytes %table[%indices] : !llvm.ptr, vector<64xi8> -> vector<64xi8>
  %1 = cpu.windows %words, %words from [28, 31, 34, 37] : vector<16xi32>, vector<16xi32> -> vector<64xi8>
  return %0, %1 : vector<64xi8>, vector<64xi8>
}

// CHECK: spmd.program "x86_64-unknown-linux-gnu" <vocabulary = 32, positions = 8, max_rows = 16, weight_bytes = 64, arena_bytes = 4096, worker_arena_bytes = 64, state_bytes = 512> state [#spmd.region<offset = 0, stride = 16, block = 16>, #spmd.region<offset = 256, stride = 16, block = 1>] description "{}" {
// CHECK-NEXT: llmc.parameter @norm : tensor<8xf32> = #llmc.file<"{{.*}}w", offset = 0> {spmd.offset = 0 : i64}
spmd.program "x86_64-unknown-linux-gnu"
    <vocabulary = 32, positions = 8, max_rows = 16, weight_bytes = 64, arena_bytes = 4096,
     worker_arena_bytes = 64, state_bytes = 512>
    state [#spmd.region<offset = 0, stride = 16, block = 16>,
           #spmd.region<offset = 256, stride = 16, block = 1>]
    description "{}" {
  llmc.parameter @norm : tensor<8xf32> = #llmc.file<"w", offset = 0> {spmd.offset = 0 : i64}
}

// CHECK: spmd.entry @step row @row rows @row target #cpu.target<"neon", cpu = "cortex-a72", features = "", dot = plain>
spmd.entry @step row @row rows @row target #cpu.target<"neon", cpu = "cortex-a72", features = "", dot = plain>
