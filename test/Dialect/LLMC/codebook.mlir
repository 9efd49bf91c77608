// RUN: llmc-opt %s | llmc-opt | FileCheck %s

// CHECK: func.func private @row(tensor<96x65xf32, #llmc.codebook<bits = 4, rows = 1, scale = f16>>)
func.func private @row(tensor<96x65xf32, #llmc.codebook<bits = 4, rows = 1, scale = f16>>)
// CHECK: func.func private @rows(tensor<96x64xf32, #llmc.codebook<bits = 2, rows = 48, scale = bf16>>)
func.func private @rows(tensor<96x64xf32, #llmc.codebook<bits = 2, rows = 48, scale = bf16>>)
// CHECK: func.func private @matrix(tensor<96x64xf32, #llmc.codebook<bits = 8, rows = all, scale = f32>>)
func.func private @matrix(tensor<96x64xf32, #llmc.codebook<bits = 8, rows = all, scale = f32>>)
// CHECK: func.func private @masked(tensor<96x64xf32, #llmc.masked<100, #llmc.codebook<bits = 4, rows = 1, scale = f16>>>)
func.func private @masked(tensor<96x64xf32, #llmc.masked<100, #llmc.codebook<bits = 4, rows = 1, scale = f16>>>)
// CHECK: func.func private @sparse(tensor<96x64xf32, #llmc.sparse<2:4, #llmc.codebook<bits = 4, rows = 1, scale = f16>>>)
func.func private @sparse(tensor<96x64xf32, #llmc.sparse<2:4, #llmc.codebook<bits = 4, rows = 1, scale = f16>>>)
