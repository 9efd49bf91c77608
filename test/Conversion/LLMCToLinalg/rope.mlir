// RUN: llmc-opt %s --convert-llmc-to-linalg | FileCheck %s

// Halves of the first 4 of each head's 8 elements; with `interleaved` every second of the first 4.

// CHECK-LABEL: func.func @halves
// CHECK-SAME: (%[[X:.*]]: tensor<?x16xf32>, %{{.*}}: tensor<?xi32>, %[[POSITIONS:.*]]: tensor<?xi32>, %{{.*}}: tensor<?xi32>)
// CHECK: %[[F:.*]] = arith.constant dense<[1.000000e+00, 1.000000e-01]> : tensor<2xf32>
// CHECK: linalg.generic {{.*}} ins(%[[POSITIONS]], %[[F]] : tensor<?xi32>, tensor<2xf32>)
// CHECK: %[[HEADS:.*]] = tensor.expand_shape %[[X]] {{\[}}[0], [1, 2]] {{.*}} : tensor<?x16xf32> into tensor<?x2x8xf32>
// CHECK: tensor.extract_slice %[[HEADS]][0, 0, 0] [%{{.*}}, 2, 2] [1, 1, 1]
// CHECK: tensor.extract_slice %[[HEADS]][0, 0, 2] [%{{.*}}, 2, 2] [1, 1, 1]
// CHECK: math.cos
// CHECK: math.sin
// CHECK: arith.subf
// CHECK: tensor.insert_slice
// CHECK: %[[ROTATED:.*]] = tensor.insert_slice
// CHECK: tensor.collapse_shape %[[ROTATED]]
// CHECK-NOT: llmc
func.func @halves(%x: tensor<?x16xf32>, %rows: !llmc.rows) -> tensor<?x16xf32> {
  %y = llmc.rope %x, %rows : tensor<?x16xf32> {heads = 2 : i64, frequencies = array<f32: 1.0, 0.1>}
  return %y : tensor<?x16xf32>
}

// CHECK-LABEL: func.func @interleaved
// CHECK: tensor.extract_slice %{{.*}}[0, 0, 0] [%{{.*}}, 2, 2] [1, 1, 2]
// CHECK: tensor.extract_slice %{{.*}}[0, 0, 1] [%{{.*}}, 2, 2] [1, 1, 2]
func.func @interleaved(%x: tensor<?x16xf32>, %rows: !llmc.rows) -> tensor<?x16xf32> {
  %y = llmc.rope %x, %rows : tensor<?x16xf32> {heads = 2 : i64, frequencies = array<f32: 1.0, 0.1>, interleaved}
  return %y : tensor<?x16xf32>
}

// A table's halves are its cosines and its sines; what rotates by it reads both.
// CHECK-LABEL: func.func @table
// CHECK-SAME: (%{{.*}}: tensor<?xi32>, %[[POSITIONS:.*]]: tensor<?xi32>, %{{.*}}: tensor<?xi32>) -> tensor<?x8xf32>
// CHECK: arith.constant dense<[1.000000e+00, 1.000000e-01, 0.000000e+00, 0.000000e+00]> : tensor<4xf32>
// CHECK: math.cos
// CHECK: math.sin
// CHECK: tensor.insert_slice %{{.*}} into %{{.*}}[0, 0] [%{{.*}}, 4] [1, 1]
// CHECK: tensor.insert_slice %{{.*}} into %{{.*}}[0, 4] [%{{.*}}, 4] [1, 1]
// CHECK-NOT: llmc
func.func @table(%rows: !llmc.rows) -> tensor<?x8xf32> {
  %t = llmc.rotation_table %rows : tensor<?x8xf32> {frequencies = array<f32: 1.0, 0.1>, scaling = 1.0 : f32}
  return %t : tensor<?x8xf32>
}

// CHECK-LABEL: func.func @rotate
// CHECK-SAME: (%{{.*}}: tensor<?x16xf32>, %[[TABLE:.*]]: tensor<?x8xf32>)
// CHECK: tensor.extract_slice %[[TABLE]][0, 0] [%{{.*}}, 2] [1, 1]
// CHECK: tensor.extract_slice %[[TABLE]][0, 4] [%{{.*}}, 2] [1, 1]
// CHECK: arith.subf
// CHECK: arith.addf
// CHECK-NOT: llmc
func.func @rotate(%x: tensor<?x16xf32>, %table: tensor<?x8xf32>) -> tensor<?x16xf32> {
  %y = llmc.rotate %x, %table : tensor<?x16xf32>, tensor<?x8xf32> {heads = 2 : i64, pairs = 2 : i64}
  return %y : tensor<?x16xf32>
}
