// RUN: split-file %s %t
// RUN: sed s/DOT/vnni/ %t/lookup.mlir | llmc-opt --convert-cpu-to-llvm | FileCheck %s --check-prefix=ZMM
// RUN: sed s/DOT/maddubs/ %t/lookup.mlir | llmc-opt --convert-cpu-to-llvm | FileCheck %s --check-prefix=YMM
// RUN: sed s/DOT/sdot/ %t/lookup.mlir | llmc-opt --convert-cpu-to-llvm | FileCheck %s --check-prefix=PLAIN
// RUN: sed s/DOT/plain/ %t/lookup.mlir | llmc-opt --convert-cpu-to-llvm | FileCheck %s --check-prefix=PLAIN

// A table of 16 numbers in one register; a shorter one is repeated. The instruction takes the low four
// bits of an index, so that a mask of those is dropped, and one of fewer is not.
// ZMM-LABEL: @long
// ZMM: llvm.call_intrinsic "llvm.x86.avx512.permvar.sf.512"
// ZMM-NOT: llvm.select
// ZMM-LABEL: @masked
// ZMM-SAME: %[[CODES:.*]]: vector<16xi32>
// ZMM: llvm.call_intrinsic "llvm.x86.avx512.permvar.sf.512"(%{{.*}}, %[[CODES]])
// ZMM-LABEL: @part
// ZMM-SAME: %[[CODES:.*]]: vector<16xi32>
// ZMM: %[[PART:.*]] = llvm.and %[[CODES]]
// ZMM: llvm.call_intrinsic "llvm.x86.avx512.permvar.sf.512"(%{{.*}}, %[[PART]])
// ZMM-LABEL: @short
// ZMM: llvm.mlir.constant(dense<[0.000000e+00, 1.000000e+00, 0.000000e+00, 1.000000e+00, 0.000000e+00, 1.000000e+00,
// ZMM: llvm.call_intrinsic "llvm.x86.avx512.permvar.sf.512"
// ZMM-LABEL: @bytes
// ZMM: llvm.call_intrinsic "llvm.x86.avx512.pshuf.b.512"
// ZMM-NOT: {{table_lookup|take_bytes}}

// Two registers hold the table, and one a short one; each half of the indices is looked up in them.
// YMM-LABEL: @long
// YMM-COUNT-2: llvm.call_intrinsic "llvm.x86.avx2.permps"
// YMM: llvm.select
// YMM-COUNT-2: llvm.call_intrinsic "llvm.x86.avx2.permps"
// YMM: llvm.select
// YMM-LABEL: @masked
// YMM-LABEL: @part
// YMM-LABEL: @short
// YMM-COUNT-2: llvm.call_intrinsic "llvm.x86.avx2.permps"
// YMM-NOT: {{select|permps|table_lookup}}
// YMM-LABEL: @bytes
// YMM-COUNT-2: llvm.call_intrinsic "llvm.x86.avx2.pshuf.b"
// YMM-NOT: take_bytes

// PLAIN-LABEL: @long
// PLAIN-COUNT-15: llvm.select
// PLAIN-LABEL: @masked
// PLAIN-LABEL: @part
// PLAIN-LABEL: @short
// PLAIN-COUNT-1: llvm.select
// PLAIN-NOT: {{select|call_intrinsic|table_lookup}}
// PLAIN-LABEL: @bytes
// PLAIN-NOT: {{call_intrinsic|take_bytes}}

//--- lookup.mlir
func.func @long(%indices: vector<16xi32>) -> vector<16xf32> attributes {
    cpu.target = #cpu.target<"any", cpu = "any", features = "", dot = DOT>} {
  %0 = cpu.table_lookup [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0,
                         8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0][%indices]
      : vector<16xi32> -> vector<16xf32>
  return %0 : vector<16xf32>
}
func.func @masked(%codes: vector<16xi32>) -> vector<16xf32> attributes {
    cpu.target = #cpu.target<"any", cpu = "any", features = "", dot = DOT>} {
  %mask = arith.constant dense<15> : vector<16xi32>
  %indices = arith.andi %codes, %mask : vector<16xi32>
  %0 = cpu.table_lookup [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0,
                         8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0][%indices]
      : vector<16xi32> -> vector<16xf32>
  return %0 : vector<16xf32>
}
func.func @part(%codes: vector<16xi32>) -> vector<16xf32> attributes {
    cpu.target = #cpu.target<"any", cpu = "any", features = "", dot = DOT>} {
  %mask = arith.constant dense<7> : vector<16xi32>
  %indices = arith.andi %codes, %mask : vector<16xi32>
  %0 = cpu.table_lookup [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0,
                         8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0][%indices]
      : vector<16xi32> -> vector<16xf32>
  return %0 : vector<16xf32>
}
func.func @short(%indices: vector<16xi32>) -> vector<16xf32> attributes {
    cpu.target = #cpu.target<"any", cpu = "any", features = "", dot = DOT>} {
  %0 = cpu.table_lookup [0.0, 1.0][%indices] : vector<16xi32> -> vector<16xf32>
  return %0 : vector<16xf32>
}
func.func @bytes(%bytes: vector<16xi32>, %places: vector<16xi32>) -> vector<16xi32> attributes {
    cpu.target = #cpu.target<"any", cpu = "any", features = "", dot = DOT>} {
  %0 = cpu.take_bytes %bytes[%places] : vector<16xi32>, vector<16xi32> -> vector<16xi32>
  return %0 : vector<16xi32>
}
