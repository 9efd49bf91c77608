// RUN: sed -e s/DOT/vnni/ -e s/FEATURES/+avx2,+avx512bw/ %s | llmc-opt --convert-cpu-to-llvm | FileCheck %s --check-prefix=ZMM
// RUN: sed -e s/DOT/maddubs/ -e s/FEATURES/+avx2/ %s | llmc-opt --convert-cpu-to-llvm | FileCheck %s --check-prefix=YMM
// RUN: sed -e s/DOT/sdot/ -e s/FEATURES/+neon/ %s | llmc-opt --convert-cpu-to-llvm | FileCheck %s --check-prefix=NEON
// RUN: sed -e s/DOT/plain/ -e s/FEATURES/+avx2/ %s | llmc-opt --convert-cpu-to-llvm | FileCheck %s --check-prefix=PLAIN

// ZMM-LABEL: func internal @shuffle(
// ZMM-COUNT-1: llvm.call_intrinsic "llvm.x86.avx512.pshuf.b.512"
// ZMM-NOT: {{call_intrinsic|shuffle_bytes}}

// YMM-LABEL: func internal @shuffle(
// YMM-COUNT-2: llvm.call_intrinsic "llvm.x86.avx2.pshuf.b"
// YMM-NOT: {{call_intrinsic|shuffle_bytes}}

// What would be a place beyond 15 is one modulo 16.
// NEON-LABEL: func internal @shuffle(
// NEON: llvm.and
// NEON-COUNT-4: llvm.call_intrinsic "llvm.aarch64.neon.tbl1.v16i8"
// NEON-NOT: {{call_intrinsic|shuffle_bytes}}

// PLAIN-LABEL: func internal @shuffle(
// PLAIN-COUNT-3: llvm.alloca
// PLAIN: llvm.cond_br
// PLAIN-NOT: {{call_intrinsic|shuffle_bytes}}

func.func @shuffle(%bytes: vector<64xi8>, %places: vector<64xi8>) -> vector<64xi8> attributes {
    cpu.target = #cpu.target<"any", cpu = "any", features = "FEATURES", dot = DOT>} {
  %0 = cpu.shuffle_bytes %bytes[%places] : vector<64xi8>
  return %0 : vector<64xi8>
}
