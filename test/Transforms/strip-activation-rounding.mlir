// RUN: llmc-opt %s --strip-activation-rounding | FileCheck %s

#w = #llmc.grouped<bits = 4, group = 32, zero = none, scale = f16>

// CHECK-LABEL: func.func @step
// CHECK: llmc.linear %{{.*}}, %{{.*}} : (tensor<?x64xf32>
func.func @step(%x: tensor<?x64xf32>, %w: tensor<16x64xf32, #w>) -> tensor<?x16xf32> {
  %y = func.call @block(%x, %w) : (tensor<?x64xf32>, tensor<16x64xf32, #w>) -> tensor<?x16xf32>
  %z = llmc.linear %x, %w activation <bits = 8, group = 32> : (tensor<?x64xf32>, tensor<16x64xf32, #w>) -> tensor<?x16xf32>
  %sum = arith.addf %y, %z : tensor<?x16xf32>
  return %sum : tensor<?x16xf32>
}

// CHECK-LABEL: func.func private @block
// CHECK: llmc.linear %{{.*}}, %{{.*}} : (tensor<?x64xf32>
func.func private @block(%x: tensor<?x64xf32>, %w: tensor<16x64xf32, #w>) -> tensor<?x16xf32> {
  %y = llmc.linear %x, %w activation <bits = 8, group = 32> : (tensor<?x64xf32>, tensor<16x64xf32, #w>) -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}
