// Weights in grids whose minima let outliers weigh little, also of what is kept after pruning.

// RUN: rm -rf %t && mkdir -p %t
// RUN: %python -c "import array; w = array.array('f', [((i * 37) %% 101 - 50) / 1000 for i in range(160 * 96)]); w.tofile(open(r'%t/weights.bin', 'wb'))"
// RUN: cp %s %t/model.mlir

// RUN: llmc-opt %t/model.mlir --quantize-hqq 2>&1 | FileCheck %s
// CHECK: head 64x96 grouped<bits = 8, group = 64, zero = float, scale = f16>
// CHECK: up 96x96 grouped<bits = 4, group = 64, zero = float, scale = f16>
// CHECK-DAG: @head : tensor<64x96xf32, #llmc.grouped<bits = 8, group = 64, zero = float, scale = f16>>
// CHECK-DAG: @up : tensor<96x96xf32, #llmc.grouped<bits = 4, group = 64, zero = float, scale = f16>>
// CHECK: llmc.linear {{.*}} activation <bits = 8, group = 32>

// RUN: llmc-opt %t/model.mlir --quantize-hqq="bits=3 group-size=channel scale=f32 activation=none head-format=none table=false" | FileCheck %s --check-prefix=CHANNEL
// CHANNEL-DAG: @head : tensor<64x96xf32> =
// CHANNEL-DAG: @up : tensor<96x96xf32, #llmc.grouped<bits = 3, group = channel, zero = float, scale = f32>>
// CHANNEL-NOT: activation <

// Files are found beside the module with a pipeline as text, too.
// RUN: llmc-opt %t/model.mlir --pass-pipeline="builtin.module(prune-magnitude{table=false},quantize-hqq{table=false activation=none})" | FileCheck %s --check-prefix=SPARSE
// SPARSE: @up : tensor<96x96xf32, #llmc.sparse<2:4, #llmc.grouped<bits = 4, group = 64, zero = float, scale = f16>>>

// RUN: not llmc-opt %t/model.mlir --quantize-hqq="norm=0" 2>&1 | FileCheck %s --check-prefix=NORM
// NORM: error: norm: expected a number above 0 and up to 1, found 0
// RUN: not llmc-opt %t/model.mlir --quantize-hqq="beta=-1" 2>&1 | FileCheck %s --check-prefix=BETA
// BETA: error: beta: expected a positive number, found -1
// RUN: not llmc-opt %t/model.mlir --quantize-hqq="iterations=1001" 2>&1 | FileCheck %s --check-prefix=ITERATIONS
// ITERATIONS: error: iterations: expected at most 1000, found 1001
// RUN: not llmc-opt %t/model.mlir --quantize-hqq="group-size=0" 2>&1 | FileCheck %s --check-prefix=GROUP
// GROUP: error: group-size: expected a positive number, 'channel' or 'tensor', found '0'
// RUN: not llmc-opt %t/model.mlir --quantize-hqq="symmetric=false" 2>&1 | FileCheck %s --check-prefix=OPTION
// OPTION: no such option symmetric

llmc.parameter @head : tensor<64x96xf32> = #llmc.file<"weights.bin", offset = 0>
llmc.parameter @up : tensor<96x96xf32> = #llmc.file<"weights.bin", offset = 24576>

func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows) -> tensor<?x64xf32> {
  %table = llmc.parameter_value @head : tensor<64x96xf32>
  %up = llmc.parameter_value @up : tensor<96x96xf32>
  %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<64x96xf32>) -> tensor<?x96xf32>
  %u = llmc.linear %h, %up : (tensor<?x96xf32>, tensor<96x96xf32>) -> tensor<?x96xf32>
  %o = llmc.output_rows %u, %rows : tensor<?x96xf32> -> tensor<?x96xf32>
  %y = llmc.linear %o, %table : (tensor<?x96xf32>, tensor<64x96xf32>) -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}
