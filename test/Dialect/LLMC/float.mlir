// RUN: llmc-opt %s | llmc-opt | FileCheck %s

// CHECK: func.func private @mxfp4(tensor<96x64xf32, #llmc.float<f4E2M1FN, group = 32, scale = f8E8M0FNU>>)
func.func private @mxfp4(tensor<96x64xf32, #llmc.float<f4E2M1FN, group = 32, scale = f8E8M0FNU>>)
// CHECK: func.func private @nvfp4(tensor<96x64xf32, #llmc.float<f4E2M1FN, group = 16, scale = f8E4M3FN, matrix = f32>>)
func.func private @nvfp4(tensor<96x64xf32, #llmc.float<f4E2M1FN, group = 16, scale = f8E4M3FN, matrix = f32>>)
// CHECK: func.func private @rows(tensor<96x64xf32, #llmc.float<f8E5M2, group = channel, scale = bf16>>)
func.func private @rows(tensor<96x64xf32, #llmc.float<f8E5M2, group = channel, scale = bf16>>)
// CHECK: func.func private @matrix(tensor<96x64xf32, #llmc.float<f6E3M2FN, group = tensor, scale = f32>>)
func.func private @matrix(tensor<96x64xf32, #llmc.float<f6E3M2FN, group = tensor, scale = f32>>)
// CHECK: func.func private @mxint8(tensor<96x64xf32, #llmc.grouped<bits = 8, group = 32, zero = none, scale = f8E8M0FNU>>)
func.func private @mxint8(tensor<96x64xf32, #llmc.grouped<bits = 8, group = 32, zero = none, scale = f8E8M0FNU>>)
