// RUN: llmc-opt %s | llmc-opt | FileCheck %s

// CHECK: func.func private @integers(tensor<96x64xf32, #llmc.masked<3072, #llmc.grouped<bits = 4, group = 32, zero = none, scale = f16>>>)
func.func private @integers(tensor<96x64xf32, #llmc.masked<3072, #llmc.grouped<bits = 4, group = 32, zero = none, scale = f16>>>)
// CHECK: func.func private @numbers(tensor<96x64xf32, #llmc.masked<1, #llmc.nf4<group = 64, scale = f16>>>)
func.func private @numbers(tensor<96x64xf32, #llmc.masked<1, #llmc.nf4<group = 64, scale = f16>>>)
// CHECK: func.func private @floats(tensor<96x64xf32, #llmc.masked<6144, bf16>>)
func.func private @floats(tensor<96x64xf32, #llmc.masked<6144, bf16>>)
