// The one operation that each instruction set has its own way with.

// RUN: split-file %s %t
// RUN: sed s/DOT/vnni/ %t/dot.mlir | llmc-opt --convert-cpu-to-llvm | FileCheck %s --check-prefix=VNNI
// RUN: sed s/DOT/maddubs/ %t/dot.mlir | llmc-opt --convert-cpu-to-llvm | FileCheck %s --check-prefix=MADDUBS
// RUN: sed s/DOT/sdot/ %t/dot.mlir | llmc-opt --convert-cpu-to-llvm | FileCheck %s --check-prefix=SDOT
// RUN: sed s/DOT/plain/ %t/dot.mlir | llmc-opt --convert-cpu-to-llvm | FileCheck %s --check-prefix=PLAIN
// RUN: llmc-opt %t/carried.mlir --convert-cpu-to-llvm | FileCheck %s --check-prefix=CARRIED

// VNNI: passthrough = {{.*}}"prefer-vector-width", "512"
// VNNI: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// VNNI-NOT: group_dot

// Products of nibbles fit sums in 16 bits, which are widened once.
// MADDUBS: llvm.call_intrinsic "llvm.x86.avx2.pmadd.ub.sw"
// MADDUBS: llvm.call_intrinsic "llvm.x86.avx2.pmadd.ub.sw"
// MADDUBS: llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"
// MADDUBS-NOT: group_dot

// SDOT: llvm.call_intrinsic "llvm.aarch64.neon.sdot.v4i32.v16i8"
// SDOT-NOT: group_dot

// PLAIN: llvm.mul %{{.*}}, %{{.*}} : vector<32xi16>
// PLAIN-NOT: call_intrinsic
// PLAIN-NOT: group_dot

// What a loop carries is what the sum begins with.
// CARRIED: ^bb{{.*}}(%{{.*}}: i64, %[[SUM:.*]]: vector<16xi32>):
// CARRIED: %[[FIRST:.*]] = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%[[SUM]], %{{.*}}, %{{.*}}) :
// CARRIED: %[[BOTH:.*]] = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%[[FIRST]], %{{.*}}, %{{.*}}) :
// CARRIED-NOT: llvm.add {{.*}} : vector<16xi32>

//--- dot.mlir
func.func @dot(%a: vector<64xi8>, %b: vector<64xi8>, %c: vector<64xi8>, %d: vector<64xi8>)
    -> vector<16xi32> attributes {
      cpu.target = #cpu.target<"any", cpu = "any", features = "", dot = DOT>} {
  %sum = llmc.group_dot (%a, %b), (%c, %d) {max_weight = 15 : i64}
      : (vector<64xi8>, vector<64xi8>), (vector<64xi8>, vector<64xi8>) -> vector<16xi32>
  return %sum : vector<16xi32>
}

//--- carried.mlir
func.func @carried(%a: vector<64xi8>, %b: vector<64xi8>, %from: i64, %to: i64, %zero: vector<16xi32>)
    -> vector<16xi32> attributes {
      cpu.target = #cpu.target<"any", cpu = "any", features = "", dot = vnni>} {
  %one = arith.constant 1 : i64
  %sum = scf.for %i = %from to %to step %one iter_args(%before = %zero) -> vector<16xi32> : i64 {
    %dot = llmc.group_dot (%a, %b), (%b, %a) {max_weight = 15 : i64}
        : (vector<64xi8>, vector<64xi8>), (vector<64xi8>, vector<64xi8>) -> vector<16xi32>
    %after = arith.addi %before, %dot : vector<16xi32>
    scf.yield %after : vector<16xi32>
  }
  return %sum : vector<16xi32>
}
