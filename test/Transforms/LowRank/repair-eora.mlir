// Rounded and pruned weights get a branch of low rank, of what they lost.

// RUN: rm -rf %t && mkdir %t && cp %S/factorize-svd.mlir %t/model.mlir && %python %S/../../Translate/Inputs/make_weights.py %t/weights.bin
// RUN: %python -c "import numpy; numpy.save('%t/tokens.npy', numpy.arange(64) * 5 %% 32)"

// RUN: llmc-opt %t/model.mlir --quantize-rtn="bits=2 group-size=channel table=false head-format=none" \
// RUN:   --repair-eora="rank=2 calibration=%t/tokens.npy samples=8 sequence-length=8 report=%t/report.json" -o %t/one.mlir 2>&1 \
// RUN:   | FileCheck %s --check-prefix=TABLE
// RUN: FileCheck %s --input-file=%t/one.mlir
// RUN: FileCheck %s --check-prefix=REPORT --input-file=%t/report.json

// What weights were survives in a file: two runs make the same bytes as one.
// RUN: llmc-opt %t/model.mlir --quantize-rtn="bits=2 group-size=channel table=false head-format=none" -o %t/q.mlir
// RUN: FileCheck %s --check-prefix=KEPT --input-file=%t/q.mlir
// RUN: llmc-opt %t/q.mlir --repair-eora="rank=2 calibration=%t/tokens.npy samples=8 sequence-length=8 table=false" -o %t/two.mlir
// RUN: %python %S/Inputs/same_tensors.py %t/one.safetensors %t/two.safetensors
// KEPT: @key : tensor<4x8xf32, #llmc.grouped<{{.*}}>> = #llmc.file<"q.safetensors", offset = {{[0-9]+}}> {llmc.original = [tensor<4x8xf32>, #llmc.file<"weights.bin", offset = 1056>]}

// With data it is the same without threads, and from statistics.
// RUN: llmc-opt %t/q.mlir --mlir-disable-threading -o %t/again.mlir \
// RUN:   --repair-eora="rank=2 calibration=%t/tokens.npy samples=8 sequence-length=8 table=false threads=1"
// RUN: cmp %t/two.safetensors %t/again.safetensors
// RUN: llmc-opt %t/q.mlir --calibrate="kinds=second_moment calibration=%t/tokens.npy samples=8 sequence-length=8 save-statistics=%t/statistics" -o %t/same.mlir
// RUN: llmc-opt %t/q.mlir --repair-eora="rank=2 statistics=%t/statistics table=false" -o %t/read.mlir
// RUN: cmp %t/two.safetensors %t/read.safetensors

// TABLE: parameter shape encoding inputs bits/weight weight error output error seconds
// TABLE: key 4x8 f16, rank 2 exact 12.000
// TABLE: repair-eora: 1 parameters
// REPORT: "output_error": 0.

// CHECK-DAG: @key : tensor<4x8xf32, #llmc.grouped<bits = 2
// CHECK-DAG: @key.repair.A : tensor<2x8xf16>
// CHECK-DAG: @key.repair.B : tensor<4x2xf16>
// CHECK: %[[Q:.*]] = llmc.linear %[[X:.*]], %{{.*}} bias %{{.*}} activation
// CHECK: %[[T:.*]] = llmc.linear %[[X]], %{{.*}} : (tensor<?x8xf32>, tensor<2x8xf16>) -> tensor<?x2xf32>
// CHECK: %[[R:.*]] = llmc.linear %[[T]], %{{.*}} : (tensor<?x2xf32>, tensor<4x2xf16>) -> tensor<?x4xf32>
// CHECK: %[[Y:.*]] = arith.addf %[[R]], %[[Q]]
// CHECK: llmc.cache_append %{{.*}}, %[[Y]], %[[Y]]
