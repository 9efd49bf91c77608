// RUN: sed -e s/DOT/vnni/ -e s/FEATURES/+avx2,+avx512f,+avx512vbmi2/ %s | llmc-opt --convert-cpu-to-llvm | FileCheck %s --check-prefix=VBMI2
// RUN: sed -e s/DOT/vnni/ -e s/FEATURES/+avx2,+avx512f/ %s | llmc-opt --convert-cpu-to-llvm | FileCheck %s --check-prefix=AVX512
// RUN: sed -e s/DOT/maddubs/ -e s/FEATURES/+avx2/ %s | llmc-opt --convert-cpu-to-llvm | FileCheck %s --check-prefix=AVX2
// RUN: sed -e s/DOT/sdot/ -e s/FEATURES/+neon/ %s | llmc-opt --convert-cpu-to-llvm | FileCheck %s --check-prefix=NEON
// RUN: sed -e s/DOT/plain/ -e s/FEATURES/+avx2/ %s | llmc-opt --convert-cpu-to-llvm | FileCheck %s --check-prefix=PLAIN

// There are instructions.
// VBMI2-NOT: call_intrinsic
// VBMI2-LABEL: func internal @halves(
// VBMI2: llvm.intr.masked.expandload
// VBMI2-LABEL: func internal @floats(
// VBMI2: llvm.intr.masked.expandload

// Without VBMI2 there is one for floats.
// AVX512: llvm.mlir.global internal constant @expand_load_2
// AVX512-LABEL: func internal @halves(
// AVX512-COUNT-2: llvm.call_intrinsic "llvm.x86.ssse3.pshuf.b.128"
// AVX512-NOT: {{call_intrinsic|expandload}}
// AVX512-LABEL: func internal @floats(
// AVX512: llvm.intr.masked.expandload

// A table says for each mask of 8 halves or 4 floats where bytes come from. Where others than zeros
// are asked for the mask chooses.
// AVX2-DAG: llvm.mlir.global internal constant @expand_load_4({{.*}}!llvm.array<256 x i8>
// AVX2-DAG: llvm.mlir.global internal constant @expand_load_2({{.*}}!llvm.array<4096 x i8>
// AVX2-LABEL: func internal @halves(
// AVX2-COUNT-2: llvm.call_intrinsic "llvm.x86.ssse3.pshuf.b.128"
// AVX2-NOT: {{call_intrinsic|expandload|select}}
// AVX2-LABEL: func internal @floats(
// AVX2-COUNT-4: llvm.call_intrinsic "llvm.x86.ssse3.pshuf.b.128"
// AVX2-NOT: {{call_intrinsic|expandload}}
// AVX2: llvm.select

// NEON-LABEL: func internal @halves(
// NEON-COUNT-2: llvm.call_intrinsic "llvm.aarch64.neon.tbl1.v16i8"
// NEON-NOT: {{call_intrinsic|expandload}}
// NEON-LABEL: func internal @floats(
// NEON-COUNT-4: llvm.call_intrinsic "llvm.aarch64.neon.tbl1.v16i8"
// NEON-NOT: {{call_intrinsic|expandload}}

// PLAIN-LABEL: func internal @halves(
// PLAIN: llvm.alloca
// PLAIN: llvm.cond_br
// PLAIN-NOT: {{call_intrinsic|expandload}}

func.func @halves(%from: !llvm.ptr, %mask: i16) -> vector<16xi16> attributes {
    cpu.target = #cpu.target<"any", cpu = "any", features = "FEATURES", dot = DOT>} {
  %none = arith.constant dense<0> : vector<16xi16>
  %bits = llvm.bitcast %mask : i16 to vector<16xi1>
  %0 = "llvm.intr.masked.expandload"(%from, %bits, %none)
      : (!llvm.ptr, vector<16xi1>, vector<16xi16>) -> vector<16xi16>
  return %0 : vector<16xi16>
}
func.func @floats(%from: !llvm.ptr, %mask: i16, %others: vector<16xf32>) -> vector<16xf32> attributes {
    cpu.target = #cpu.target<"any", cpu = "any", features = "FEATURES", dot = DOT>} {
  %bits = llvm.bitcast %mask : i16 to vector<16xi1>
  %0 = "llvm.intr.masked.expandload"(%from, %bits, %others)
      : (!llvm.ptr, vector<16xi1>, vector<16xf32>) -> vector<16xf32>
  return %0 : vector<16xf32>
}
