// RUN: llmc-opt %s | llmc-opt | FileCheck %s

// CHECK: func.func private @channel(tensor<96x65xf32, #llmc.ternary<group = channel, scale = f16>>)
func.func private @channel(tensor<96x65xf32, #llmc.ternary<group = channel, scale = f16>>)
// CHECK: func.func private @groups(tensor<96x64xf32, #llmc.ternary<group = 32, scale = f32>>)
func.func private @groups(tensor<96x64xf32, #llmc.ternary<group = 32, scale = f32>>)
