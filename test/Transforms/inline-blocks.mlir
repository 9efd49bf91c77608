// RUN: llmc-opt %s --inline-blocks --split-input-file --verify-diagnostics | FileCheck %s

// Calls inside of blocks are inlined too, and what is called no longer goes.

// CHECK-NOT: func.func private
// CHECK: func.func @step(%[[X:.*]]: tensor<?x8xf32>)
// CHECK-NEXT: %[[W:.*]] = llmc.parameter_value @w
// CHECK-NEXT: %[[A:.*]] = llmc.activation <silu> %[[X]]
// CHECK-NEXT: %[[B:.*]] = llmc.linear %[[A]], %[[W]]
// CHECK-NEXT: %[[C:.*]] = llmc.activation <silu> %[[B]]
// CHECK-NEXT: %[[D:.*]] = llmc.linear %[[C]], %[[W]]
// CHECK-NEXT: return %[[D]]
// CHECK-NOT: func.func private
llmc.parameter @w : tensor<8x8xf32> = #llmc.file<"w", offset = 0>
func.func private @inner(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %y = llmc.activation <silu> %x : tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}
func.func private @block(%x: tensor<?x8xf32>, %w: tensor<8x8xf32>) -> tensor<?x8xf32> {
  %a = call @inner(%x) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %y = llmc.linear %a, %w : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}
func.func @step(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %w = llmc.parameter_value @w : tensor<8x8xf32>
  %y = call @block(%x, %w) : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %z = call @block(%y, %w) : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  return %z : tensor<?x8xf32>
}

// -----

// What others may call stays.

// CHECK: func.func @shared
// CHECK: func.func @step
// CHECK-NEXT: call @shared
func.func @shared(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  return %x : tensor<?x8xf32>
}
func.func @step(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %y = call @shared(%x) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

func.func private @endless(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  // expected-error @+1 {{expected blocks of at most 262144 operations in all, found more when inlining @endless}}
  %y = call @endless(%x) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}
func.func @step(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %y = call @endless(%x) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}
