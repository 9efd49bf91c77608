// Linears become two of a lower rank, where columns count by the size of their inputs.

// RUN: rm -rf %t && mkdir %t && cp %S/factorize-svd.mlir %t/model.mlir && %python %S/../../Translate/Inputs/make_weights.py %t/weights.bin
// RUN: %python -c "import numpy; numpy.save('%t/tokens.npy', numpy.arange(64) * 5 %% 32)"

// RUN: llmc-opt %t/model.mlir --factorize-asvd="rank=2 calibration=%t/tokens.npy samples=8 sequence-length=8 table=false" | FileCheck %s

// CHECK-DAG: @key.factors.A : tensor<2x8xf32> =
// CHECK-DAG: @key.factors.B : tensor<4x2xf32> =
// CHECK-NOT: @key :
// CHECK: %[[A:.*]] = llmc.parameter_value @key.factors.A
// CHECK: %[[T:.*]] = llmc.linear %{{.*}}, %[[A]] : (tensor<?x8xf32>, tensor<2x8xf32>) -> tensor<?x2xf32>
// CHECK: llmc.linear %[[T]], %{{.*}} bias %{{.*}} : (tensor<?x2xf32>, tensor<4x2xf32>, tensor<4xf32>) -> tensor<?x4xf32>
