// RUN: llmc-opt %s | llmc-opt | FileCheck %s

// CHECK: func.func private @groups(tensor<96x64xf32, #llmc.nf4<group = 64, scale = f16>>)
func.func private @groups(tensor<96x64xf32, #llmc.nf4<group = 64, scale = f16>>)
// CHECK: func.func private @rows(tensor<96x64xf32, #llmc.nf4<group = channel, scale = bf16>>)
func.func private @rows(tensor<96x64xf32, #llmc.nf4<group = channel, scale = bf16>>)
