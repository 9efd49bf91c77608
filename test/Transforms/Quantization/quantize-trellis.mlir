// Weights as paths through a trellis, by both passes, and what makes no sense for it.

// RUN: rm -rf %t && mkdir -p %t
// RUN: %python -c "import array; w = array.array('f', [((i * 37) %% 101 - 50) / 1000 for i in range(160 * 96)]); w.tofile(open(r'%t/weights.bin', 'wb'))"
// RUN: cp %s %t/model.mlir

// RUN: llmc-opt %t/model.mlir --quantize-rtn="format=trellis bits=3 report=%t/r.json" -o %t/q.mlir 2>&1 | FileCheck %s --check-prefix=TABLE
// RUN: FileCheck %s --input-file=%t/q.mlir
// RUN: FileCheck %s --check-prefix=REPORT --input-file=%t/r.json
// RUN: llmc-opt %t/model.mlir --quantize-rtn="format=trellis group-size=channel scale=f32 activation=none head-format=same mse table=false" \
// RUN:   | FileCheck %s --check-prefix=HEAD

// Half bits.
// RUN: llmc-opt %t/model.mlir --quantize-rtn="format=trellis bits=3.5 head-format=trellis:2.5" -o %t/halves.mlir 2>&1 | FileCheck %s --check-prefix=HALVES
// RUN: llmc-opt %t/model.mlir --quantize-rtn="bits=3.0 table=false head-format=none" | FileCheck %s --check-prefix=POINT
// HALVES: head 64x96 trellis<bits = 2, alternates = true, scale = f16>
// HALVES: up 96x96 trellis<bits = 3, alternates = true, scale = f16> {{.*}} 3.889
// POINT: @up : tensor<96x96xf32, #llmc.grouped<bits = 3, 

// Tables of their own.
// RUN: llmc-opt %t/model.mlir --quantize-rtn="format=trellis bits=3 trellis-table=learned" -o %t/learned.mlir 2>&1 | FileCheck %s --check-prefix=TABLE
// RUN: not cmp %t/q.safetensors %t/learned.safetensors
// RUN: llmc-opt %t/model.mlir --quantize-rtn="format=trellis bits=3 head-format=trellis:2 trellis-table=model table=false" -o %t/shared.mlir
// RUN: not cmp %t/learned.safetensors %t/shared.safetensors
// RUN: not llmc-opt %t/model.mlir --quantize-rtn="trellis-table=model" 2>&1 | FileCheck %s --check-prefix=INT
// RUN: not llmc-opt %t/model.mlir --quantize-rtn="trellis-table=learned" 2>&1 | FileCheck %s --check-prefix=INT
// INT: error: trellis-table: expected format=trellis with it, found format=int

// RUN: not llmc-opt %t/model.mlir --quantize-rtn="format=trellis bits=8" 2>&1 | FileCheck %s --check-prefix=BITS
// BITS: error: bits: expected 2 to 5 with format=trellis, found 8
// RUN: not llmc-opt %t/model.mlir --quantize-rtn="format=trellis bits=1.5" 2>&1 | FileCheck %s --check-prefix=FEW
// FEW: error: bits: expected 2 to 5 with format=trellis, found 1.5
// RUN: not llmc-opt %t/model.mlir --quantize-rtn="format=trellis bits=2.25" 2>&1 | FileCheck %s --check-prefix=QUARTER
// QUARTER: expected a number of bits, found '2.25'
// RUN: not llmc-opt %t/model.mlir --quantize-rtn="formats=up=trellis:x" 2>&1 | FileCheck %s --check-prefix=SPELLING
// SPELLING: error: formats: expected a number of bits in 'trellis:x', found 'x'
// RUN: not llmc-opt %t/model.mlir --quantize-rtn="bits=3.5" 2>&1 | FileCheck %s --check-prefix=WHOLE
// RUN: not llmc-opt %t/model.mlir --quantize-rtn="head-format=int:3.5" 2>&1 | FileCheck %s --check-prefix=WHOLE
// WHOLE: error: bits: expected a whole number with format=int, found 3.5
// RUN: not llmc-opt %t/model.mlir --quantize-rtn="format=trellis symmetric=false" 2>&1 | FileCheck %s --check-prefix=SYMMETRIC
// SYMMETRIC: error: symmetric: expected symmetric=true with format=trellis, which has no zero points, found symmetric=false
// RUN: not llmc-opt %t/model.mlir --quantize-gptq="format=trellis group-size=64" 2>&1 | FileCheck %s --check-prefix=GROUP
// GROUP: error: group-size: expected 'channel' with format=trellis, which has one scale a row, found 64
// RUN: not llmc-opt %t/model.mlir --quantize-gptq="format=trellis group-size=tensor" 2>&1 | FileCheck %s --check-prefix=TENSOR
// TENSOR: error: group-size: expected 'channel' with format=trellis, which has one scale a row, found 'tensor'
// RUN: not llmc-opt %t/model.mlir --quantize-gptq="format=trellis act-order" 2>&1 | FileCheck %s --check-prefix=ORDER
// ORDER: error: act-order: expected act-order=false with #llmc.trellis<bits = 4, scale = f16>, which rounds columns from left to right
// RUN: not llmc-opt %t/model.mlir --prune-magnitude="pattern=2:4" --quantize-rtn="format=trellis requantize" 2>&1 | FileCheck %s --check-prefix=SPARSE
// SPARSE: error: 'llmc.parameter' op expected kept weights of f32, f16 or bf16, or an encoding that decodes them one by one and keeps all, found #llmc.trellis

// TABLE: parameter shape encoding inputs bits/weight
// TABLE: head 64x96 grouped<bits = 8, group = 128, zero = none, scale = f16>
// TABLE: up 96x96 trellis<bits = 3, scale = f16> {{.*}} 3.389

// Inputs are rounded, as with integers.
// CHECK-DAG: @up : tensor<96x96xf32, #llmc.trellis<bits = 3, scale = f16>> = #llmc.file<"q.safetensors"
// CHECK: llmc.linear {{.*}} activation <bits = 8, group = 32> : (tensor<?x96xf32>, tensor<96x96xf32, #llmc.trellis

// REPORT: "encoding": "trellis<bits = 3, scale = f16>"

// HEAD-DAG: @up : tensor<96x96xf32, #llmc.trellis<bits = 4, scale = f32>>
// HEAD-DAG: @head : tensor<64x96xf32, #llmc.trellis<bits = 4, scale = f32>>
// HEAD-NOT: activation <

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
