// Weights as numbers that are learned from them, with data and without, and what makes no sense for it.

// RUN: rm -rf %t && mkdir -p %t
// RUN: %python -c "import array; w = array.array('f', [((i * 37) %% 101 - 50) / 1000 for i in range(160 * 96)]); w.tofile(open(r'%t/weights.bin', 'wb'))"
// RUN: cp %s %t/model.mlir
// RUN: %python -c "import numpy; numpy.save('%t/tokens.npy', numpy.arange(64) * 5 %% 64)"

// RUN: llmc-opt %t/model.mlir -o %t/q.mlir \
// RUN:   --quantize-codebook="bits=3 calibration=%t/tokens.npy samples=8 sequence-length=8 report=%t/r.json save-statistics=%t/statistics" \
// RUN:   2>&1 | FileCheck %s --check-prefix=TABLE
// RUN: FileCheck %s --input-file=%t/q.mlir
// RUN: FileCheck %s --check-prefix=REPORT --input-file=%t/r.json

// Twice the same bytes, without threads, and from statistics.
// RUN: llmc-opt %t/model.mlir -o %t/again.mlir --mlir-disable-threading \
// RUN:   --quantize-codebook="bits=3 calibration=%t/tokens.npy samples=8 sequence-length=8 table=false threads=1"
// RUN: cmp %t/q.safetensors %t/again.safetensors
// RUN: llmc-opt %t/model.mlir -o %t/read.mlir --quantize-codebook="bits=3 statistics=%t/statistics table=false"
// RUN: cmp %t/q.safetensors %t/read.safetensors

// Tables of several rows, of all; what formats names, and the head like all others.
// RUN: llmc-opt %t/model.mlir --quantize-codebook="statistics=%t/statistics sharing=16 scale=f32 activation-group=0 table=false" \
// RUN:   | FileCheck %s --check-prefix=ROWS
// RUN: llmc-opt %t/model.mlir --quantize-codebook="statistics=%t/statistics sharing=matrix head-format=codebook:6 table=false" \
// RUN:   | FileCheck %s --check-prefix=MATRIX
// RUN: llmc-opt %t/model.mlir --quantize-codebook="statistics=%t/statistics formats=^up$=int:5:32 head-format=none table=false" \
// RUN:   | FileCheck %s --check-prefix=PAIR

// By the other roundings.
// RUN: llmc-opt %t/model.mlir --quantize-rtn="format=codebook sharing=16 table=false" | FileCheck %s --check-prefix=PLAIN
// RUN: llmc-opt %t/model.mlir --quantize-gptq="format=codebook statistics=%t/statistics table=false act-order" | FileCheck %s --check-prefix=GPTQ
// RUN: llmc-opt %t/model.mlir --prune-magnitude=table=false --quantize-codebook="calibration=%t/tokens.npy samples=8 sequence-length=8 table=false head-format=none" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=SPARSE

// RUN: not llmc-opt %t/model.mlir --quantize-codebook="bits=9" 2>&1 | FileCheck %s --check-prefix=BITS
// BITS: error: expected 2 to 8 bits a weight for a codebook, found 9
// RUN: not llmc-opt %t/model.mlir --quantize-codebook="sharing=8" 2>&1 | FileCheck %s --check-prefix=SHARING
// SHARING: error: expected 1 row, a multiple of 16 or 'all' to share a table, found 8
// RUN: not llmc-opt %t/model.mlir --quantize-codebook="sharing=column" 2>&1 | FileCheck %s --check-prefix=WORD
// WORD: error: sharing: expected a positive number, 'row' or 'matrix', found 'column'
// RUN: not llmc-opt %t/model.mlir --quantize-rtn="format=codebook symmetric=false" 2>&1 | FileCheck %s --check-prefix=SYMMETRIC
// SYMMETRIC: error: symmetric: expected symmetric=true with format=codebook, which has no zero points, found symmetric=false
// RUN: not llmc-opt %t/model.mlir --quantize-rtn="format=codebook group-size=64" 2>&1 | FileCheck %s --check-prefix=GROUP
// GROUP: error: group-size: expected 'channel' with format=codebook, which has one scale a row, found 64
// RUN: not llmc-opt %t/model.mlir --quantize-codebook="report=/nowhere/r.json" 2>&1 | FileCheck %s --check-prefix=PATH
// PATH: error: report: {{.*}}/nowhere/r.json

// TABLE: parameter shape encoding inputs bits/weight weight error output error seconds
// TABLE: up 96x96 codebook<bits = 3, rows = 1, scale = f16> 8 bits / 32 3.833
// TABLE: quantize-codebook: tokens {{.*}} s, compile {{.*}} s, forward {{.*}} s, statistics {{.*}} s, clustering {{.*}} s

// CHECK-DAG: @head : tensor<64x96xf32, #llmc.grouped<bits = 8, group = 128, zero = none, scale = f16>> = #llmc.file<"q.safetensors"
// CHECK-DAG: @up : tensor<96x96xf32, #llmc.codebook<bits = 3, rows = 1, scale = f16>> = #llmc.file<"q.safetensors"
// CHECK: llmc.linear {{.*}} activation <bits = 8, group = 32> : (tensor<?x96xf32>, tensor<96x96xf32, #llmc.codebook

// REPORT: "encoding": "codebook<bits = 3, rows = 1, scale = f16>"
// REPORT: "output_error": 0.

// ROWS-DAG: @up : tensor<96x96xf32, #llmc.codebook<bits = 4, rows = 16, scale = f32>>
// ROWS: llmc.linear {{.*}} activation <bits = 8, group = row> : (tensor<?x96xf32>, tensor<96x96xf32, #llmc.codebook
// MATRIX-DAG: @head : tensor<64x96xf32, #llmc.codebook<bits = 6, rows = all, scale = f16>>
// MATRIX-DAG: @up : tensor<96x96xf32, #llmc.codebook<bits = 4, rows = all, scale = f16>>
// PAIR-DAG: @head : tensor<64x96xf32> = #llmc.file
// PAIR-DAG: @up : tensor<96x96xf32, #llmc.grouped<bits = 5, group = 32, zero = none, scale = f16>>

// PLAIN: @up : tensor<96x96xf32, #llmc.codebook<bits = 4, rows = 16, scale = f16>>
// GPTQ: @up : tensor<96x96xf32, #llmc.codebook<bits = 4, rows = 1, scale = f16>>
// SPARSE: warning: inputs of 'up' are not rounded: its codes have none for a weight of zero
// SPARSE: @up : tensor<96x96xf32, #llmc.sparse<2:4, #llmc.codebook<bits = 4, rows = 1, scale = f16>>>

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
