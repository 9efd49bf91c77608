// RUN: sed -e s/DOT/vnni/ -e s/FEATURES/+avx2,+avx512vbmi2/ %s | llmc-opt --convert-cpu-to-llvm | FileCheck %s --check-prefix=VBMI2
// RUN: sed -e s/DOT/maddubs/ -e s/FEATURES/+avx2/ %s | llmc-opt --convert-cpu-to-llvm | FileCheck %s --check-prefixes=SUMS,AVX2
// RUN: sed -e s/DOT/sdot/ -e s/FEATURES/+neon/ %s | llmc-opt --convert-cpu-to-llvm | FileCheck %s --check-prefixes=SUMS,NEON
// RUN: sed -e s/DOT/plain/ -e s/FEATURES/+avx2/ %s | llmc-opt --convert-cpu-to-llvm | FileCheck %s --check-prefix=PLAIN

// VBMI2-LABEL: func internal @expand(
// VBMI2: llvm.call_intrinsic "llvm.x86.avx512.mask.expand.v64i8"
// VBMI2-NOT: {{alloca|expand_bytes}}

// Sums of bits say where each of 16 bytes comes from.
// SUMS-LABEL: func internal @expand(
// SUMS: llvm.alloca
// AVX2-COUNT-2: llvm.call_intrinsic "llvm.x86.avx2.pshuf.b"
// NEON-COUNT-4: llvm.call_intrinsic "llvm.aarch64.neon.tbl1.v16i8"
// SUMS-NOT: {{call_intrinsic|expand_bytes}}
// SUMS: llvm.select

// PLAIN-LABEL: func internal @expand(
// PLAIN-COUNT-2: llvm.alloca
// PLAIN: llvm.cond_br
// PLAIN: llvm.select
// PLAIN-NOT: {{call_intrinsic|expand_bytes}}

func.func @expand(%bytes: vector<64xi8>, %mask: i64, %others: vector<64xi8>) -> vector<64xi8> attributes {
    cpu.target = #cpu.target<"any", cpu = "any", features = "FEATURES", dot = DOT>} {
  %0 = cpu.expand_bytes %bytes to %mask of %others : vector<64xi8>
  return %0 : vector<64xi8>
}
