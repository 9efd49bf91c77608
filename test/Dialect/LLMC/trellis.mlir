// RUN: llmc-opt %s | llmc-opt | FileCheck %s

// CHECK: func.func private @half(tensor<96x64xf32, #llmc.trellis<bits = 3, scale = f16>>)
func.func private @half(tensor<96x64xf32, #llmc.trellis<bits = 3, scale = f16>>)
// CHECK: func.func private @more(tensor<96x64xf32, #llmc.trellis<bits = 3, alternates = true, scale = f16>>)
func.func private @more(tensor<96x64xf32, #llmc.trellis<bits = 3, alternates = true, scale = f16>>)
// CHECK: func.func private @single(tensor<96x65xf32, #llmc.trellis<bits = 5, scale = f32>>)
func.func private @single(tensor<96x65xf32, #llmc.trellis<bits = 5, scale = f32>>)
