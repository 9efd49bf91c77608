// Small groups whose scales are rounded, beside outliers, and what makes no sense for them.

// RUN: rm -rf %t && mkdir -p %t
// RUN: %python -c "import array; w = array.array('f', [((i * 37) %% 101 - 50) / 1000 + (i %% 95 == 3) for i in range(160 * 96)]); w.tofile(open(r'%t/weights.bin', 'wb'))"
// RUN: cp %s %t/model.mlir
// RUN: %python -c "import numpy; numpy.save('%t/tokens.npy', numpy.arange(64) * 5 %% 64)"

// RUN: llmc-opt %t/model.mlir -o %t/q.mlir \
// RUN:   --quantize-spqr="outliers=0.02 calibration=%t/tokens.npy samples=8 sequence-length=8 report=%t/r.json save-statistics=%t/statistics" \
// RUN:   2>&1 | FileCheck %s --check-prefix=TABLE
// RUN: FileCheck %s --input-file=%t/q.mlir
// RUN: FileCheck %s --check-prefix=REPORT --input-file=%t/r.json

// Twice the same bytes, without threads, and from statistics.
// RUN: llmc-opt %t/model.mlir -o %t/again.mlir --mlir-disable-threading \
// RUN:   --quantize-spqr="outliers=0.02 calibration=%t/tokens.npy samples=8 sequence-length=8 table=false threads=1"
// RUN: cmp %t/q.safetensors %t/again.safetensors
// RUN: llmc-opt %t/model.mlir -o %t/read.mlir --quantize-spqr="outliers=0.02 statistics=%t/statistics table=false"
// RUN: cmp %t/q.safetensors %t/read.safetensors

// Without outliers and with scales that stay floats it is GPTQ.
// RUN: llmc-opt %t/model.mlir -o %t/none.mlir \
// RUN:   --quantize-spqr="bits=3 outliers=0 scale-bits=0 activation=none statistics=%t/statistics table=false"
// RUN: llmc-opt %t/model.mlir -o %t/gptq.mlir \
// RUN:   --quantize-gptq="bits=3 group-size=16 symmetric=false activation=none statistics=%t/statistics table=false"
// RUN: cmp %t/none.safetensors %t/gptq.safetensors

// Other sizes, the head like all others, other formats, and outliers beside integers whose inputs are rounded.
// RUN: llmc-opt %t/model.mlir --quantize-spqr="statistics=%t/statistics bits=4 group-size=32 scale-bits=4 scale-group=2 scale=bf16 mse=false table=false head-format=bilevel" \
// RUN:   | FileCheck %s --check-prefix=SIZES
// RUN: llmc-opt %t/model.mlir --quantize-spqr="statistics=%t/statistics formats=^up$=nf4 head-format=none table=false" \
// RUN:   | FileCheck %s --check-prefix=NF4
// RUN: llmc-opt %t/model.mlir --quantize-spqr="statistics=%t/statistics scale-bits=0 group-size=32 head-format=none table=false" \
// RUN:   | FileCheck %s --check-prefix=INTEGERS
// Where outliers can't be chosen, it says so.
// RUN: llmc-opt %t/model.mlir -o %t/words.mlir --quantize-spqr="statistics=%t/statistics formats=^up$=nf4 head-format=nf4 table=false" \
// RUN:   2>&1 | FileCheck %s --check-prefix=NONE
// NONE: remark: outliers: the head and the embedding have none beside #llmc.nf4<group = 64, scale = f16>: expected head-format=same with them
// NONE: remark: outliers: 'up' has none beside #llmc.nf4<group = 64, scale = f16>: they are chosen by groups of integers along the input axis
// RUN: llmc-opt %t/model.mlir -o %t/words.mlir --quantize-spqr="statistics=%t/statistics scale-bits=0 group-size=tensor head-format=none table=false" \
// RUN:   2>&1 | FileCheck %s --check-prefix=TENSOR
// TENSOR: remark: outliers: 'up' has none beside #llmc.grouped<bits = 4, group = tensor
// Outliers that f16 can't hold.
// RUN: mkdir %t/large && cp %s %t/large/model.mlir
// RUN: %python -c "import array; w = array.array('f', [(i %% 101 - 50) / 1000 + 1e6 * (i %% 960 == 3) for i in range(160 * 96)]); w.tofile(open(r'%t/large/weights.bin', 'wb'))"
// RUN: llmc-opt %t/large/model.mlir --quantize-spqr="calibration=%t/tokens.npy samples=8 sequence-length=8 head-format=none table=false" \
// RUN:   | FileCheck %s --check-prefix=LARGE
// RUN: llmc-opt %t/model.mlir --quantize-rtn="format=bilevel table=false" | FileCheck %s --check-prefix=PLAIN
// RUN: llmc-opt %t/model.mlir --quantize-gptq="format=bilevel scale=f32 statistics=%t/statistics table=false" | FileCheck %s --check-prefix=GPTQ

// RUN: not llmc-opt %t/model.mlir --quantize-spqr="outliers=1.5" 2>&1 | FileCheck %s --check-prefix=SHARE
// SHARE: error: outliers: expected a share from 0 to 1, found 1.5{{$}}
// RUN: not llmc-opt %t/model.mlir --quantize-spqr="damp=2" 2>&1 | FileCheck %s --check-prefix=DAMP
// DAMP: error: damp: expected a number from 0 to 1, found 2{{$}}
// RUN: not llmc-opt %t/model.mlir --quantize-spqr="bits=6" 2>&1 | FileCheck %s --check-prefix=BITS
// BITS: error: expected bits and bits of scales of at least 1 each and at most 8 together, found 6 and 3
// RUN: not llmc-opt %t/model.mlir --quantize-spqr="group-size=channel" 2>&1 | FileCheck %s --check-prefix=GROUP
// GROUP: error: group-size: expected a number with format=bilevel, found 'channel'
// RUN: not llmc-opt %t/model.mlir --quantize-rtn="format=bilevel symmetric=false zero=float" 2>&1 | FileCheck %s --check-prefix=ZERO
// ZERO: error: zero: expected zero=integer with format=bilevel, found zero=float
// RUN: not llmc-opt %t/model.mlir --quantize-spqr="scale-group=0" 2>&1 | FileCheck %s --check-prefix=SCALES
// SCALES: error: scale-group: expected a positive number, found 0
// RUN: not llmc-opt %t/model.mlir --quantize-spqr="scale-bits=0 scale-group=8" 2>&1 | FileCheck %s --check-prefix=FLOATS
// FLOATS: error: scale-group: expected scale-bits of at least 1 with it, found 0
// RUN: not llmc-opt %t/model.mlir --quantize-spqr="activation=i8" 2>&1 | FileCheck %s --check-prefix=INPUTS
// INPUTS: error: activation: expected activation=none with format=bilevel, whose weights are no integers, found activation=i8
// RUN: not llmc-opt %t/model.mlir --quantize-spqr="report=/nowhere/r.json" 2>&1 | FileCheck %s --check-prefix=PATH
// PATH: error: report: {{.*}}/nowhere/r.json
// RUN: not llmc-opt %t/model.mlir --prune-magnitude="table=false" \
// RUN:   --quantize-spqr="calibration=%t/tokens.npy samples=8 sequence-length=8" 2>&1 | FileCheck %s --check-prefix=SPARSE
// SPARSE: error: 'llmc.parameter' op expected outliers beside an encoding that decodes weights one by one, keeps all and has no outliers, found #llmc.sparse<2:4

// TABLE: parameter shape encoding inputs bits/weight weight error output error seconds
// TABLE: up 96x96 outliers<2 x f16, #llmc.bilevel<bits = 3, group = 16, scale_bits = 3, scale_group = 16, scale = f16>> exact 4.292
// TABLE: quantize-spqr: tokens {{.*}} s, compile {{.*}} s, forward {{.*}} s, statistics {{.*}} s, factorization {{.*}} s, update {{.*}} s

// CHECK-DAG: @head : tensor<64x96xf32, #llmc.grouped<bits = 8, group = 128, zero = none, scale = f16>> = #llmc.file<"q.safetensors"
// CHECK-DAG: @up : tensor<96x96xf32, #llmc.outliers<2 x f16, #llmc.bilevel<bits = 3, group = 16, scale_bits = 3, scale_group = 16, scale = f16>>> = #llmc.file<"q.safetensors"
// CHECK: llmc.linear %{{[^:]*}} : (tensor<?x96xf32>, tensor<96x96xf32, #llmc.outliers

// REPORT: "encoding": "outliers<2 x f16, #llmc.bilevel<
// REPORT: "output_error": 0.

// SIZES-DAG: @head : tensor<64x96xf32, #llmc.bilevel<bits = 4, group = 32, scale_bits = 4, scale_group = 2, scale = bf16>>
// SIZES-DAG: @up : tensor<96x96xf32, #llmc.outliers<1 x f16, #llmc.bilevel<bits = 4, group = 32, scale_bits = 4, scale_group = 2, scale = bf16>>>
// NF4: @up : tensor<96x96xf32, #llmc.nf4<group = 64, scale = f16>>
// INTEGERS: @up : tensor<96x96xf32, #llmc.outliers<1 x f16, #llmc.grouped<bits = 4, group = 32, zero = integer, scale = f16>>>
// INTEGERS: llmc.linear {{.*}} activation <bits = 8, group = 32> : (tensor<?x96xf32>, tensor<96x96xf32, #llmc.outliers
// LARGE: @up : tensor<96x96xf32, #llmc.outliers<1 x f32, #llmc.bilevel<
// PLAIN: @up : tensor<96x96xf32, #llmc.bilevel<bits = 3, group = 16, scale_bits = 3, scale_group = 16, scale = f16>>
// GPTQ: @up : tensor<96x96xf32, #llmc.bilevel<bits = 3, group = 16, scale_bits = 3, scale_group = 16, scale = f32>>

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
