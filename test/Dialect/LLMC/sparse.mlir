// RUN: llmc-opt %s | llmc-opt | FileCheck %s

// CHECK: func.func private @integers(tensor<96x64xf32, #llmc.sparse<2:4, #llmc.grouped<bits = 4, group = 32, zero = none, scale = f16>>>)
func.func private @integers(tensor<96x64xf32, #llmc.sparse<2:4, #llmc.grouped<bits = 4, group = 32, zero = none, scale = f16>>>)
// CHECK: func.func private @numbers(tensor<96x64xf32, #llmc.sparse<1:8, #llmc.nf4<group = 64, scale = f16>>>)
func.func private @numbers(tensor<96x64xf32, #llmc.sparse<1:8, #llmc.nf4<group = 64, scale = f16>>>)
// CHECK: func.func private @floats(tensor<96x64xf32, #llmc.sparse<2:16, bf16>>)
func.func private @floats(tensor<96x64xf32, #llmc.sparse<2:16, bf16>>)
