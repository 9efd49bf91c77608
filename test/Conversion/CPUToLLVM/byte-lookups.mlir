// RUN: split-file %s %t
// RUN: sed s/FEATURES/+avx512bw,+avx512vbmi,+avx512vbmi2/ %t/lookup.mlir | llmc-opt --convert-cpu-to-llvm | FileCheck %s --check-prefix=VBMI
// RUN: sed s/FEATURES/+avx512bw,+avx512vnni/ %t/lookup.mlir | llmc-opt --convert-cpu-to-llvm | FileCheck %s --check-prefix=ZMM
// RUN: sed s/FEATURES/+avx2/ %t/lookup.mlir | llmc-opt --convert-cpu-to-llvm | FileCheck %s --check-prefix=YMM
// RUN: sed s/FEATURES/+neon/ %t/lookup.mlir | llmc-opt --convert-cpu-to-llvm | FileCheck %s --check-prefix=NEON
// RUN: sed s/FEATURES// %t/lookup.mlir | llmc-opt --convert-cpu-to-llvm | FileCheck %s --check-prefix=PLAIN

// Two registers hold each half of the table, loaded once for all look-ups.
// VBMI-LABEL: @bytes
// VBMI: llvm.load %{{.*}} invariant {alignment = 1 : i64} : !llvm.ptr -> vector<64xi8>
// VBMI-COUNT-2: llvm.call_intrinsic "llvm.x86.avx512.vpermi2var.qi.512"
// VBMI: llvm.select
// One holds a small table; tables of each row are one where they fit 256 bytes, else several.
// VBMI-LABEL: @small
// VBMI-NOT: vpermi2var
// VBMI: llvm.call_intrinsic "llvm.x86.avx512.permvar.qi.512"
// VBMI-LABEL: @rows
// VBMI: llvm.add
// VBMI-COUNT-2: llvm.call_intrinsic "llvm.x86.avx512.vpermi2var.qi.512"
// VBMI-NOT: vpermi2var
// VBMI-LABEL: @large_rows
// VBMI-COUNT-4: llvm.call_intrinsic "llvm.x86.avx512.vpermi2var.qi.512"
// VBMI-NOT: {{vpermi2var|look_up_bytes}}
// What lies in one word is not shifted before.
// VBMI-LABEL: @inside
// VBMI: dense<[5, 8, 11, 14, 37, 40, 43, 46,
// VBMI-NOT: fshr
// VBMI: llvm.call_intrinsic "llvm.x86.avx512.pmultishift.qb.512"
// VBMI-LABEL: @across
// VBMI: llvm.intr.fshr
// VBMI: llvm.call_intrinsic "llvm.x86.avx512.pmultishift.qb.512"
// VBMI-NOT: windows

// ZMM-LABEL: @bytes
// ZMM-COUNT-16: llvm.call_intrinsic "llvm.x86.avx512.pshuf.b.512"
// ZMM-NOT: pshuf
// ZMM-LABEL: @small
// ZMM-COUNT-1: llvm.call_intrinsic "llvm.x86.avx512.pshuf.b.512"
// ZMM-NOT: pshuf
// ZMM-LABEL: @rows
// ZMM-COUNT-4: llvm.call_intrinsic "llvm.x86.avx512.pshuf.b.512"
// ZMM-NOT: {{pshuf.*}}
// ZMM-LABEL: @large_rows
// ZMM: llvm.intr.masked.gather
// ZMM-NOT: {{pshuf|look_up_bytes}}
// YMM-LABEL: @bytes
// YMM-COUNT-32: llvm.call_intrinsic "llvm.x86.avx2.pshuf.b"
// YMM-NOT: pshuf
// YMM-LABEL: @small
// YMM-COUNT-2: llvm.call_intrinsic "llvm.x86.avx2.pshuf.b"
// YMM-NOT: pshuf
// YMM-LABEL: @rows
// YMM-COUNT-8: llvm.call_intrinsic "llvm.x86.avx2.pshuf.b"
// YMM-NOT: pshuf
// YMM-LABEL: @large_rows
// YMM: llvm.intr.masked.gather
// YMM-NOT: {{pshuf|look_up_bytes}}
// NEON-LABEL: @bytes
// NEON: llvm.call_intrinsic "llvm.aarch64.neon.tbl4.v16i8"
// NEON-COUNT-3: llvm.call_intrinsic "llvm.aarch64.neon.tbx4.v16i8"
// NEON: llvm.call_intrinsic "llvm.aarch64.neon.tbl4.v16i8"
// NEON-LABEL: @rows
// NEON-COUNT-4: llvm.call_intrinsic "llvm.aarch64.neon.tbl4.v16i8"
// NEON-NOT: tb{{.}}4
// NEON-LABEL: @large_rows

// PLAIN-LABEL: @bytes
// PLAIN: llvm.intr.masked.gather
// PLAIN-LABEL: @rows
// PLAIN: llvm.intr.masked.gather
// PLAIN-LABEL: @inside
// PLAIN-NOT: {{call_intrinsic|fshr|windows}}
// PLAIN-LABEL: @across
// PLAIN: llvm.intr.fshr
// PLAIN-NOT: {{call_intrinsic|windows}}

//--- lookup.mlir
func.func @bytes(%table: !llvm.ptr, %indices: vector<64xi8>) -> vector<64xi8> attributes {
    cpu.target = #cpu.target<"any", cpu = "any", features = "FEATURES", dot = plain>} {
  %0 = cpu.look_up_bytes %table[%indices] : !llvm.ptr, vector<64xi8> -> vector<64xi8>
  return %0 : vector<64xi8>
}
func.func @small(%table: !llvm.ptr, %indices: vector<64xi8>) -> vector<64xi8> attributes {
    cpu.target = #cpu.target<"any", cpu = "any", features = "FEATURES", dot = plain>} {
  %0 = cpu.look_up_bytes %table[%indices] {size = 16 : i64} : !llvm.ptr, vector<64xi8> -> vector<64xi8>
  return %0 : vector<64xi8>
}
func.func @rows(%table: !llvm.ptr, %indices: vector<64xi8>) -> vector<64xi8> attributes {
    cpu.target = #cpu.target<"any", cpu = "any", features = "FEATURES", dot = plain>} {
  %0 = cpu.look_up_bytes %table[%indices] {size = 16 : i64, by_row} : !llvm.ptr, vector<64xi8> -> vector<64xi8>
  return %0 : vector<64xi8>
}
func.func @large_rows(%table: !llvm.ptr, %indices: vector<64xi8>) -> vector<64xi8> attributes {
    cpu.target = #cpu.target<"any", cpu = "any", features = "FEATURES", dot = plain>} {
  %0 = cpu.look_up_bytes %table[%indices] {size = 32 : i64, by_row} : !llvm.ptr, vector<64xi8> -> vector<64xi8>
  return %0 : vector<64xi8>
}
func.func @inside(%words: vector<16xi32>) -> vector<64xi8> attributes {
    cpu.target = #cpu.target<"any", cpu = "any", features = "FEATURES", dot = plain>} {
  %0 = cpu.windows %words, %words from [5, 8, 11, 14] : vector<16xi32>, vector<16xi32> -> vector<64xi8>
  return %0 : vector<64xi8>
}
func.func @across(%low: vector<16xi32>, %high: vector<16xi32>) -> vector<64xi8> attributes {
    cpu.target = #cpu.target<"any", cpu = "any", features = "FEATURES", dot = plain>} {
  %0 = cpu.windows %low, %high from [28, 31, 34, 37] : vector<16xi32>, vector<16xi32> -> vector<64xi8>
  return %0 : vector<64xi8>
}
