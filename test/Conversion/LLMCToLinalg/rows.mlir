// RUN: llmc-opt %s --convert-llmc-to-linalg | FileCheck %s

// CHECK-LABEL: func.func @rows
// CHECK-SAME: (%[[X:.*]]: tensor<?x8xf32>, %{{.*}}: tensor<?xi32>, %[[POSITIONS:.*]]: tensor<?xi32>, %[[OUTPUTS:.*]]: tensor<?xi32>, %[[TABLE:.*]]: tensor<16x8xf32>)
// CHECK: %[[PLACED:.*]] = linalg.generic {{.*}} ins(%[[POSITIONS]] : tensor<?xi32>)
// CHECK: tensor.extract %[[TABLE]]
// CHECK: %[[SUM:.*]] = arith.addf %[[X]], %[[PLACED]]
// CHECK: linalg.generic {{.*}} ins(%[[OUTPUTS]] : tensor<?xi32>)
// CHECK: tensor.extract %[[SUM]]
// CHECK-NOT: llmc
func.func @rows(%x: tensor<?x8xf32>, %rows: !llmc.rows, %table: tensor<16x8xf32>) -> tensor<?x8xf32> {
  %p = llmc.positions %rows : tensor<?xi32>
  %e = llmc.embedding %p, %table : (tensor<?xi32>, tensor<16x8xf32>) -> tensor<?x8xf32>
  %y = arith.addf %x, %e : tensor<?x8xf32>
  %z = llmc.output_rows %y, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  return %z : tensor<?x8xf32>
}

// Sizes that are known stay known.

// CHECK-LABEL: func.func @known
// CHECK-SAME: -> tensor<1x8xf32>
// CHECK: tensor.cast %{{.*}} : tensor<?x8xf32> to tensor<1x8xf32>
func.func @known(%x: tensor<?x8xf32>, %rows: !llmc.rows) -> tensor<1x8xf32> {
  %y = llmc.output_rows %x, %rows : tensor<?x8xf32> -> tensor<1x8xf32>
  return %y : tensor<1x8xf32>
}
