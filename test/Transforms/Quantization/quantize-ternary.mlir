// Weights as -1, 0 and 1 times a scale, by both passes, and what makes no sense for it.

// RUN: rm -rf %t && mkdir -p %t
// RUN: %python -c "import array; w = array.array('f', [((i * 37) %% 101 - 50) / 1000 for i in range(160 * 96)]); w.tofile(open(r'%t/weights.bin', 'wb'))"
// RUN: cp %s %t/model.mlir
// RUN: %python -c "import numpy; numpy.save('%t/tokens.npy', numpy.arange(64) * 5 %% 64)"

// RUN: llmc-opt %t/model.mlir --quantize-rtn="format=ternary" -o %t/q.mlir 2>&1 | FileCheck %s --check-prefix=TABLE
// RUN: FileCheck %s --input-file=%t/q.mlir
// RUN: llmc-opt %t/model.mlir --quantize-gptq="calibration=%t/tokens.npy samples=8 sequence-length=8 format=ternary group-size=32 scale=f32 activation=none table=false" \
// RUN:   | FileCheck %s --check-prefix=GROUPS

// RUN: not llmc-opt %t/model.mlir --quantize-rtn="format=ternary bits=3" 2>&1 | FileCheck %s --check-prefix=BITS
// BITS: error: bits: expected 2 with format=ternary, found 3
// RUN: not llmc-opt %t/model.mlir --quantize-rtn="format=ternary symmetric=false" 2>&1 | FileCheck %s --check-prefix=SYMMETRIC
// SYMMETRIC: error: symmetric: expected symmetric=true with format=ternary, which has no zero points, found symmetric=false
// RUN: not llmc-opt %t/model.mlir --quantize-rtn="format=ternary group-size=tensor" 2>&1 | FileCheck %s --check-prefix=TENSOR
// TENSOR: error: group-size: expected a number or 'channel' with format=ternary, found 'tensor'
// RUN: not llmc-opt %t/model.mlir --quantize-rtn="format=ternary group-size=16" 2>&1 | FileCheck %s --check-prefix=I8
// I8: error: group-size: expected a multiple of 32 with activation=i8, found 16

// TABLE: up 96x96 ternary<group = channel, scale = f16> 8 bits / 32 2.167

// CHECK-DAG: @head : tensor<64x96xf32, #llmc.grouped<bits = 8, group = 128, zero = none, scale = f16>>
// CHECK-DAG: @up : tensor<96x96xf32, #llmc.ternary<group = channel, scale = f16>>
// CHECK: llmc.linear {{.*}} activation <bits = 8, group = 32> : (tensor<?x96xf32>, tensor<96x96xf32, #llmc.ternary

// GROUPS: @up : tensor<96x96xf32, #llmc.ternary<group = 32, scale = f32>>

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
