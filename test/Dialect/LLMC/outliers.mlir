// RUN: llmc-opt %s | llmc-opt | FileCheck %s

// CHECK: func.func private @integers(tensor<96x64xf32, #llmc.outliers<1 x f16, #llmc.grouped<bits = 4, group = 32, zero = none, scale = f16>>>)
func.func private @integers(tensor<96x64xf32, #llmc.outliers<1 x f16, #llmc.grouped<bits = 4, group = 32, zero = none, scale = f16>>>)
// CHECK: func.func private @numbers(tensor<96x64xf32, #llmc.outliers<64 x f32, #llmc.nf4<group = 64, scale = f16>>>)
func.func private @numbers(tensor<96x64xf32, #llmc.outliers<64 x f32, #llmc.nf4<group = 64, scale = f16>>>)
// CHECK: func.func private @bilevel(tensor<96x64xf32, #llmc.outliers<2 x bf16, #llmc.bilevel<bits = 3, group = 16, scale_bits = 3, scale_group = 16, scale = f16>>>)
func.func private @bilevel(tensor<96x64xf32, #llmc.outliers<2 x bf16, #llmc.bilevel<bits = 3, group = 16, scale_bits = 3, scale_group = 16, scale = f16>>>)
