// What rounding to the nearest takes from calibration: clips, and the ranges of inputs.

// RUN: rm -rf %t && mkdir -p %t
// RUN: %python -c "import array; w = array.array('f', [((i * 37) %% 101 - 50) / 1000 for i in range(160 * 96)]); w.tofile(open(r'%t/weights.bin', 'wb'))"
// RUN: cp %s %t/model.mlir
// RUN: %python -c "import numpy; numpy.save('%t/tokens.npy', numpy.arange(64) * 5 %% 64)"

// RUN: llmc-opt %t/model.mlir -o %t/q.mlir \
// RUN:   --quantize-rtn="bits=3 group-size=32 mse=inputs activation=i8-static calibration=%t/tokens.npy samples=8 sequence-length=8 report=%t/r.json save-statistics=%t/statistics" \
// RUN:   2>&1 | FileCheck %s --check-prefix=TABLE
// RUN: FileCheck %s --input-file=%t/q.mlir
// RUN: FileCheck %s --check-prefix=REPORT --input-file=%t/r.json

// Twice the same bytes, without threads, and from statistics.
// RUN: llmc-opt %t/model.mlir -o %t/again.mlir --mlir-disable-threading \
// RUN:   --quantize-rtn="bits=3 group-size=32 mse=inputs activation=i8-static calibration=%t/tokens.npy samples=8 sequence-length=8 table=false threads=1"
// RUN: cmp %t/q.safetensors %t/again.safetensors
// RUN: llmc-opt %t/model.mlir -o %t/read.mlir --quantize-rtn="bits=3 group-size=32 mse=inputs activation=i8-static statistics=%t/statistics table=false"
// RUN: cmp %t/q.safetensors %t/read.safetensors
// RUN: FileCheck %s --input-file=%t/read.mlir

// Ranges alone, by this pass and by one that always calibrates; roundings that need no range.
// RUN: llmc-opt %t/model.mlir --quantize-rtn="activation=i8-static head-format=same calibration=%t/tokens.npy samples=8 sequence-length=8 table=false" \
// RUN:   | FileCheck %s --check-prefix=RANGES
// RUN: llmc-opt %t/model.mlir --quantize-gptq="activation=i8-static head-format=same calibration=%t/tokens.npy samples=8 sequence-length=8 table=false" \
// RUN:   | FileCheck %s --check-prefix=RANGES
// RUN: llmc-opt %t/model.mlir --quantize-rtn="activation=i4 table=false" | FileCheck %s --check-prefix=I4
// RUN: llmc-opt %t/model.mlir --quantize-rtn="activation=fp8 format=nf4 head-format=none table=false" | FileCheck %s --check-prefix=FP8
// RUN: llmc-opt %t/model.mlir --quantize-rtn="activation=fp8 activation-group=64 table=false" | FileCheck %s --check-prefix=FP8-GROUP

// RUN: not llmc-opt %t/model.mlir --quantize-rtn="samples=8" 2>&1 | FileCheck %s --check-prefix=SAMPLES
// SAMPLES: error: samples: expected mse=inputs, activation=i8-static or activation-outliers with it, which need inputs, found none
// RUN: not llmc-opt %t/model.mlir --quantize-rtn="mse=inputs format=trellis" 2>&1 | FileCheck %s --check-prefix=TRELLIS
// TRELLIS: error: mse: expected formats whose groups are of a row each, and fitted by themselves, with mse=inputs, found #llmc.trellis<bits = 4, scale = f16>
// RUN: not llmc-opt %t/model.mlir --quantize-gptq="mse=inputs" 2>&1 | FileCheck %s --check-prefix=GPTQ
// GPTQ: error: mse: expected auto, true or false with quantize-gptq, which clips by no inputs, found inputs
// RUN: not llmc-opt %t/model.mlir --scale-awq="mse=inputs" 2>&1 | FileCheck %s --check-prefix=AWQ
// AWQ: error: mse: expected auto, true or false with scale-awq, which clips by no inputs, found inputs
// RUN: not llmc-opt %t/model.mlir --quantize-hqq="activation=i8-static" 2>&1 | FileCheck %s --check-prefix=HQQ
// HQQ: error: activation: expected a rounding whose scales are found while running with quantize-hqq, which calibrates nothing, found i8-static
// RUN: not llmc-opt %t/model.mlir --quantize-rtn="activation=i8-static activation-group=32" 2>&1 | FileCheck %s --check-prefix=GROUP
// GROUP: error: activation-group: expected 0 with activation=i8-static, whose scale is that of a matrix, found 32
// RUN: not llmc-opt %t/model.mlir --quantize-rtn="activation=i4 format=nf4" 2>&1 | FileCheck %s --check-prefix=NF4
// NF4: error: activation: expected activation=none with format=nf4, whose weights are no integers, found activation=i4
// RUN: echo "module {}" > %t/empty.mlir
// RUN: not llmc-opt %t/empty.mlir --quantize-rtn="mse=inputs" 2>&1 | FileCheck %s --check-prefix=EMPTY
// EMPTY: error: expected a raised module, with a function @step, found none

// TABLE: parameter shape encoding inputs bits/weight weight error output error seconds
// TABLE: up 96x96 grouped<bits = 3, group = 32, zero = none, scale = f16> 8 bits / static 3.500
// TABLE: quantize-rtn: tokens {{.*}} s, compile {{.*}} s, forward {{.*}} s, statistics {{.*}} s, rounding {{.*}} s

// The head has no inputs that were looked at: its scales are found while running.
// CHECK-DAG: @up : tensor<96x96xf32, #llmc.grouped<bits = 3, group = 32, zero = none, scale = f16>> = #llmc.file
// CHECK: llmc.linear {{.*}} activation <bits = 8, group = row, range = 5.000000e-02> : (tensor<?x96xf32>, tensor<96x96xf32
// CHECK: llmc.linear {{.*}} activation <bits = 8, group = 32> : (tensor<?x96xf32>, tensor<64x96xf32

// REPORT: "activation": "dynamic<bits = 8, group = row, range = 5.000000e-02>"
// REPORT: "output_error": 0.

// RANGES: llmc.linear {{.*}} activation <bits = 8, group = row, range = 5.000000e-02> :
// RANGES: llmc.linear {{.*}} activation <bits = 8, group = row, range = {{[0-9.e+-]+}}> :

// I4: llmc.linear {{.*}} activation <bits = 4, group = row> : {{.*}} tensor<96x96xf32
// I4: llmc.linear {{.*}} activation <bits = 8, group = 32> : {{.*}} tensor<64x96xf32
// FP8: llmc.linear {{.*}} activation <bits = 8, group = row, numbers = f8E4M3FN> : {{.*}} tensor<96x96xf32
// FP8-GROUP: llmc.linear {{.*}} activation <bits = 8, group = 64, numbers = f8E4M3FN> : {{.*}} tensor<96x96xf32

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
