// RUN: sed -e s/DOT/vnni/ -e s/FEATURES/+avx2,+avx512vbmi2/ %s | llmc-opt --convert-cpu-to-llvm | FileCheck %s --check-prefix=VBMI2
// RUN: sed -e s/DOT/maddubs/ -e s/FEATURES/+avx2/ %s | llmc-opt --convert-cpu-to-llvm | FileCheck %s --check-prefixes=TABLE,AVX2
// RUN: sed -e s/DOT/sdot/ -e s/FEATURES/+neon/ %s | llmc-opt --convert-cpu-to-llvm | FileCheck %s --check-prefixes=TABLE,NEON
// RUN: sed -e s/DOT/plain/ -e s/FEATURES/+avx2/ %s | llmc-opt --convert-cpu-to-llvm | FileCheck %s --check-prefix=PLAIN

// VBMI2-LABEL: func internal @expand(
// VBMI2: llvm.call_intrinsic "llvm.x86.avx512.mask.expand.v64i8"
// VBMI2-NOT: {{alloca|expand_bytes}}

// How many bits before each of 8 are 1.
// TABLE: llvm.mlir.global internal constant @expanded_places
// TABLE-LABEL: func internal @expand(
// TABLE: llvm.alloca
// AVX2-COUNT-8: llvm.call_intrinsic "llvm.x86.ssse3.pshuf.b.128"
// NEON-COUNT-8: llvm.call_intrinsic "llvm.aarch64.neon.tbl1.v8i8"
// TABLE-NOT: {{call_intrinsic|expand_bytes}}
// TABLE: llvm.select

// PLAIN-LABEL: func internal @expand(
// PLAIN: llvm.alloca
// PLAIN-COUNT-64: llvm.select
// PLAIN-NOT: {{call_intrinsic|expand_bytes}}

func.func @expand(%bytes: vector<64xi8>, %mask: i64, %others: vector<64xi8>) -> vector<64xi8> attributes {
    cpu.target = #cpu.target<"any", cpu = "any", features = "FEATURES", dot = DOT>} {
  %0 = cpu.expand_bytes %bytes to %mask of %others : vector<64xi8>
  return %0 : vector<64xi8>
}
