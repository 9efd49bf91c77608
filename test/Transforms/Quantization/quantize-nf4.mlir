// Weights as numbers of NF4, by both passes, and what makes no sense for it.

// RUN: rm -rf %t && mkdir -p %t
// RUN: %python -c "import array; w = array.array('f', [((i * 37) %% 101 - 50) / 1000 for i in range(160 * 96)]); w.tofile(open(r'%t/weights.bin', 'wb'))"
// RUN: cp %s %t/model.mlir

// RUN: llmc-opt %t/model.mlir --quantize-rtn="format=nf4 report=%t/r.json" -o %t/q.mlir 2>&1 | FileCheck %s --check-prefix=TABLE
// RUN: FileCheck %s --input-file=%t/q.mlir
// RUN: FileCheck %s --check-prefix=REPORT --input-file=%t/r.json
// RUN: llmc-opt %t/model.mlir --quantize-rtn="format=nf4 group-size=channel scale=bf16 mse table=false" \
// RUN:   | FileCheck %s --check-prefix=CHANNEL
// RUN: llmc-opt %t/model.mlir --quantize-rtn="format=nf4 head-format=none table=false" | FileCheck %s --check-prefix=NO-HEAD

// RUN: not llmc-opt %t/model.mlir --quantize-rtn="format=nf4 bits=8" 2>&1 | FileCheck %s --check-prefix=BITS
// BITS: error: bits: expected 4 with format=nf4, found 8
// RUN: not llmc-opt %t/model.mlir --quantize-rtn="format=nf4 symmetric=false" 2>&1 | FileCheck %s --check-prefix=SYMMETRIC
// SYMMETRIC: error: symmetric: expected symmetric=true with format=nf4, which has no zero points, found symmetric=false
// RUN: not llmc-opt %t/model.mlir --quantize-rtn="format=nf4 zero=float" 2>&1 | FileCheck %s --check-prefix=ZERO
// ZERO: error: zero: expected symmetric=false with zero=float
// RUN: not llmc-opt %t/model.mlir --quantize-gptq="format=nf4 group-size=tensor" 2>&1 | FileCheck %s --check-prefix=TENSOR
// TENSOR: error: group-size: expected a number or 'channel' with format=nf4, found 'tensor'
// RUN: not llmc-opt %t/model.mlir --quantize-gptq="format=nf4 activation=i8" 2>&1 | FileCheck %s --check-prefix=ROUNDED
// ROUNDED: error: activation: expected activation=none with format=nf4, whose weights are no integers, found activation=i8
// RUN: not llmc-opt %t/model.mlir --quantize-rtn="format=nf4 activation-group=64" 2>&1 | FileCheck %s --check-prefix=GROUP
// GROUP: error: activation-group: expected activation=i8 with it, found activation=none

// TABLE: parameter shape encoding inputs bits/weight
// TABLE: head 64x96 grouped<bits = 8, group = 128, zero = none, scale = f16> exact
// TABLE: up 96x96 nf4<group = 64, scale = f16> exact 4.333

// The head is of integers, and its inputs are not rounded either.
// CHECK-DAG: @head : tensor<64x96xf32, #llmc.grouped<bits = 8, group = 128, zero = none, scale = f16>> = #llmc.file<"q.safetensors"
// CHECK-DAG: @up : tensor<96x96xf32, #llmc.nf4<group = 64, scale = f16>> = #llmc.file<"q.safetensors"
// CHECK-NOT: activation <

// REPORT: "encoding": "nf4<group = 64, scale = f16>"

// CHANNEL: @up : tensor<96x96xf32, #llmc.nf4<group = channel, scale = bf16>>

// NO-HEAD-DAG: @up : tensor<96x96xf32, #llmc.nf4<group = 64, scale = f16>>
// NO-HEAD-DAG: @head : tensor<64x96xf32> = #llmc.file

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
