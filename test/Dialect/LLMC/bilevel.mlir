// RUN: llmc-opt %s | llmc-opt | FileCheck %s

// CHECK: func.func private @small(tensor<96x64xf32, #llmc.bilevel<bits = 3, group = 16, scale_bits = 3, scale_group = 16, scale = f16>>)
func.func private @small(tensor<96x64xf32, #llmc.bilevel<bits = 3, group = 16, scale_bits = 3, scale_group = 16, scale = f16>>)
// CHECK: func.func private @wide(tensor<7x45xf32, #llmc.bilevel<bits = 1, group = 5, scale_bits = 7, scale_group = 1, scale = f32>>)
func.func private @wide(tensor<7x45xf32, #llmc.bilevel<bits = 1, group = 5, scale_bits = 7, scale_group = 1, scale = f32>>)
