// Linears become two of a lower rank, whose outputs on calibration tokens are nearest.

// RUN: rm -rf %t && mkdir %t && cp %S/factorize-svd.mlir %t/model.mlir && %python %S/../../Translate/Inputs/make_weights.py %t/weights.bin
// RUN: %python -c "import numpy; numpy.save('%t/tokens.npy', numpy.arange(64) * 5 %% 32)"

// RUN: llmc-opt %t/model.mlir -o %t/p.mlir \
// RUN:   --factorize-svd-llm="rank=2 calibration=%t/tokens.npy samples=8 sequence-length=8" \
// RUN:   2>&1 | FileCheck %s --check-prefix=CALIBRATED
// RUN: FileCheck %s --input-file=%t/p.mlir

// Twice the same bytes, without threads, and from statistics.
// RUN: llmc-opt %t/model.mlir -o %t/again.mlir --mlir-disable-threading \
// RUN:   --factorize-svd-llm="rank=2 calibration=%t/tokens.npy samples=8 sequence-length=8 table=false threads=1"
// RUN: cmp %t/p.safetensors %t/again.safetensors
// RUN: llmc-opt %t/model.mlir --calibrate="kinds=second_moment calibration=%t/tokens.npy samples=8 sequence-length=8 save-statistics=%t/statistics" -o %t/same.mlir
// RUN: llmc-opt %t/model.mlir -o %t/read.mlir --factorize-svd-llm="rank=2 statistics=%t/statistics table=false"
// RUN: cmp %t/p.safetensors %t/read.safetensors

// Ranks where they cost least.
// RUN: llmc-opt %t/model.mlir --factorize-svd-llm="keep=0.5 allocation=loss calibration=%t/tokens.npy samples=8 sequence-length=8 table=false" \
// RUN:   | FileCheck %s --check-prefix=SHARE
// SHARE: @key.factors.A : tensor<1x8xf32>
// SHARE: @key.factors.B : tensor<4x1xf32>

// CALIBRATED: output error
// CALIBRATED: key 4x8 f32, rank 2 exact 24.000
// CALIBRATED: factorize-svd-llm: tokens {{.*}} s, decompositions {{.*}} s

// CHECK-DAG: @key.factors.A : tensor<2x8xf32> =
// CHECK-DAG: @key.factors.B : tensor<4x2xf32> =
// CHECK-NOT: @key :
// CHECK: %[[A:.*]] = llmc.parameter_value @key.factors.A
// CHECK: %[[T:.*]] = llmc.linear %{{.*}}, %[[A]] : (tensor<?x8xf32>, tensor<2x8xf32>) -> tensor<?x2xf32>
// CHECK: llmc.linear %[[T]], %{{.*}} bias %{{.*}} : (tensor<?x2xf32>, tensor<4x2xf32>, tensor<4xf32>) -> tensor<?x4xf32>
