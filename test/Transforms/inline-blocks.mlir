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

// expected-error @below {{expected functions that do not call themselves, found @endless}}
func.func private @endless(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %y = call @endless(%x) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}
func.func @step(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %y = call @endless(%x) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

// Calls of calls ask for more operations than any model has.

func.func private @d0(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %y = arith.addf %x, %x : tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}
func.func private @d1(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %0 = call @d0(%x) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %1 = call @d0(%0) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %2 = call @d0(%1) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %3 = call @d0(%2) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %3 : tensor<?x8xf32>
}
func.func private @d2(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %0 = call @d1(%x) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %1 = call @d1(%0) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %2 = call @d1(%1) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %3 = call @d1(%2) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %3 : tensor<?x8xf32>
}
func.func private @d3(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %0 = call @d2(%x) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %1 = call @d2(%0) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %2 = call @d2(%1) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %3 = call @d2(%2) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %3 : tensor<?x8xf32>
}
func.func private @d4(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %0 = call @d3(%x) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %1 = call @d3(%0) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  // expected-error @+1 {{expected blocks of at most 262144 operations in all, found more when inlining @d3}}
  %2 = call @d3(%1) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %3 = call @d3(%2) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %3 : tensor<?x8xf32>
}
func.func private @d5(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %0 = call @d4(%x) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %1 = call @d4(%0) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %2 = call @d4(%1) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %3 = call @d4(%2) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %3 : tensor<?x8xf32>
}
func.func private @d6(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %0 = call @d5(%x) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %1 = call @d5(%0) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %2 = call @d5(%1) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %3 = call @d5(%2) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %3 : tensor<?x8xf32>
}
func.func private @d7(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %0 = call @d6(%x) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %1 = call @d6(%0) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %2 = call @d6(%1) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %3 = call @d6(%2) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %3 : tensor<?x8xf32>
}
func.func private @d8(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %0 = call @d7(%x) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %1 = call @d7(%0) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %2 = call @d7(%1) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %3 = call @d7(%2) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %3 : tensor<?x8xf32>
}
func.func private @d9(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %0 = call @d8(%x) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %1 = call @d8(%0) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %2 = call @d8(%1) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %3 = call @d8(%2) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %3 : tensor<?x8xf32>
}
func.func @step(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %y = call @d9(%x) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}
