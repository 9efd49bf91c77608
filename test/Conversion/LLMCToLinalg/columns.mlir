// Choices of columns. MeaningTests compares what the plain arithmetic computes with the kernels.

// RUN: llmc-opt %s --convert-llmc-to-linalg | FileCheck %s

// CHECK-LABEL: func.func @columns
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x48xf32>
// CHECK-DAG: %[[PLACES:.*]] = arith.constant dense<[3.000000e+00, 4.700000e+01]> : tensor<2xf32>
// CHECK: linalg.generic {{.*}} ins(%[[PLACES]] : tensor<2xf32>)
// CHECK: tensor.extract %[[X]]
// CHECK: linalg.generic {{.*}} ins(%[[X]], %{{.*}} : tensor<?x48xf32>, tensor<48xf32>)
// CHECK: arith.select
func.func @columns(%x: tensor<?x48xf32>) -> (tensor<?x2xf32>, tensor<?x48xf32>) {
  %few = llmc.take_columns %x [3, 47] : tensor<?x48xf32> -> tensor<?x2xf32>
  %rest = llmc.clear_columns %x [3, 47] : tensor<?x48xf32>
  return %few, %rest : tensor<?x2xf32>, tensor<?x48xf32>
}
