// What several layers compute for themselves becomes a value that they share.

// RUN: llmc-opt %s --materialize-shared-values | FileCheck %s

#w8 = #llmc.grouped<bits = 8, group = 32, zero = none, scale = f32>
#a8 = #llmc.dynamic<bits = 8, group = 32>
!rows = tensor<?x32xf32>
!w = tensor<32x32xf32, #w8>

// Two linears round the same rows in the same way, a third does not round.
// CHECK-LABEL: func.func @round
// CHECK-SAME: (%[[X:.*]]: tensor<?x32xf32>, %[[W:.*]]: tensor<32x32xf32, #{{.*}}>)
// CHECK-NEXT: %[[ROUNDED:.*]] = llmc.round %[[X]] : tensor<?x32xf32> -> tensor<?x32xf32, #llmc.dynamic<bits = 8, group = 32>>
// CHECK-NEXT: llmc.linear %[[ROUNDED]], %[[W]] : (tensor<?x32xf32, #llmc.dynamic<bits = 8, group = 32>>, {{.*}}) -> tensor<?x32xf32>
// CHECK-NEXT: llmc.linear %[[ROUNDED]], %[[W]] :
// CHECK-NEXT: llmc.linear %[[X]], %[[W]] :
func.func @round(%x: !rows, %w: !w) -> (!rows, !rows, !rows) {
  %a = llmc.linear %x, %w activation <bits = 8, group = 32> : (!rows, !w) -> !rows
  %b = llmc.linear %x, %w activation <bits = 8, group = 32> : (!rows, !w) -> !rows
  %c = llmc.linear %x, %w : (!rows, !w) -> !rows
  return %a, %b, %c : !rows, !rows, !rows
}

// Rounded to floats they are fp32 all the same, and a range is no other.
// CHECK-LABEL: func.func @round_values
// CHECK: %[[ROUNDED:.*]] = llmc.round_values %{{.*}} to <bits = 8, group = row, numbers = f8E4M3FN> : tensor<?x32xf32>
// CHECK-NEXT: llmc.linear %[[ROUNDED]], %{{.*}} : (tensor<?x32xf32>,
// CHECK-NEXT: llmc.round %{{.*}} : tensor<?x32xf32> -> tensor<?x32xf32, #llmc.dynamic<bits = 8, group = row, range = 1.500000e+00>>
// CHECK-NEXT: llmc.linear %[[ROUNDED]],
func.func @round_values(%x: !rows, %w: !w) -> (!rows, !rows, !rows) {
  %a = llmc.linear %x, %w activation <bits = 8, group = row, numbers = f8E4M3FN> : (!rows, !w) -> !rows
  %b = llmc.linear %x, %w activation <bits = 8, group = row, numbers = f8E4M3FN> : (!rows, !w) -> !rows
  %c = llmc.linear %a, %w activation <bits = 8, group = row, range = 1.5> : (!rows, !w) -> !rows
  return %a, %b, %c : !rows, !rows, !rows
}

// A function that others call is given its tables.
// CHECK-LABEL: func.func private @block
// CHECK-SAME: (%[[X:.*]]: tensor<?x32xf32>, %{{.*}}: !llmc.rows, %[[TABLE:.*]]: tensor<?x32xf32>)
// CHECK-NEXT: %[[Q:.*]] = llmc.rotate %[[X]], %[[TABLE]] : tensor<?x32xf32>, tensor<?x32xf32> {heads = 2 : i64, pairs = 2 : i64}
// CHECK-NEXT: llmc.rotate %[[Q]], %[[TABLE]] : {{.*}} {heads = 1 : i64, interleaved, pairs = 2 : i64}
func.func private @block(%x: !rows, %rows: !llmc.rows) -> !rows {
  %q = llmc.rope %x, %rows : !rows {heads = 2 : i64, frequencies = array<f32: 1.0, 0.5>}
  %k = llmc.rope %q, %rows : !rows {heads = 1 : i64, frequencies = array<f32: 1.0, 0.5>, interleaved}
  return %k : !rows
}

// What is called makes no table; other angles are another.
// CHECK-LABEL: func.func @model
// CHECK-SAME: (%[[X:.*]]: tensor<?x32xf32>, %[[ROWS:.*]]: !llmc.rows)
// CHECK-NEXT: %[[OWN:.*]] = llmc.rotation_table %[[ROWS]] : tensor<?x32xf32> {frequencies = array<f32: 1.000000e+00>, scaling = 2.000000e+00 : f32}
// CHECK-NEXT: %[[SHARED:.*]] = llmc.rotation_table %[[ROWS]] : tensor<?x32xf32> {frequencies = array<f32: 1.000000e+00, 5.000000e-01>, scaling = 1.000000e+00 : f32}
// CHECK-NEXT: %[[A:.*]] = llmc.rotate %[[X]], %[[OWN]]
// CHECK-NEXT: %[[B:.*]] = call @block(%[[A]], %[[ROWS]], %[[SHARED]])
// CHECK-NEXT: call @block(%[[B]], %[[ROWS]], %[[SHARED]])
func.func @model(%x: !rows, %rows: !llmc.rows) -> !rows {
  %a = llmc.rope %x, %rows : !rows {heads = 1 : i64, frequencies = array<f32: 1.0>, scaling = 2.0 : f32}
  %b = call @block(%a, %rows) : (!rows, !llmc.rows) -> !rows
  %c = call @block(%b, %rows) : (!rows, !llmc.rows) -> !rows
  return %c : !rows
}
