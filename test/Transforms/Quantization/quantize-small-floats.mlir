// Weights as floats of a byte or less, and what makes no sense for them.

// RUN: rm -rf %t && mkdir -p %t
// RUN: %python -c "import array; w = array.array('f', [((i * 37) %% 101 - 50) / 1000 for i in range(160 * 96)]); w.tofile(open(r'%t/weights.bin', 'wb'))"
// RUN: cp %s %t/model.mlir

// RUN: llmc-opt %t/model.mlir --quantize-rtn="format=mxfp4" 2>&1 | FileCheck %s --check-prefix=MXFP4
// MXFP4: up 96x96 float<f4E2M1FN, group = 32, scale = f8E8M0FNU> exact 4.25
// MXFP4-DAG: @head : tensor<64x96xf32, #llmc.grouped<bits = 8, group = 128, zero = none, scale = f16>>
// MXFP4-DAG: @up : tensor<96x96xf32, #llmc.float<f4E2M1FN, group = 32, scale = f8E8M0FNU>>
// RUN: llmc-opt %t/model.mlir --quantize-rtn="format=mxfp6 table=false" | FileCheck %s --check-prefix=MXFP6
// MXFP6: @up : tensor<96x96xf32, #llmc.float<f6E2M3FN, group = 32, scale = f8E8M0FNU>>
// RUN: llmc-opt %t/model.mlir --quantize-rtn="format=mxfp6-e3m2 bits=6 group-size=32 table=false" | FileCheck %s --check-prefix=E3M2
// E3M2: @up : tensor<96x96xf32, #llmc.float<f6E3M2FN, group = 32, scale = f8E8M0FNU>>
// RUN: llmc-opt %t/model.mlir --quantize-rtn="format=mxfp8 table=false" | FileCheck %s --check-prefix=MXFP8
// MXFP8: @up : tensor<96x96xf32, #llmc.float<f8E4M3FN, group = 32, scale = f8E8M0FNU>>
// RUN: llmc-opt %t/model.mlir --quantize-rtn="format=mxfp8-e5m2 table=false" | FileCheck %s --check-prefix=MXE5M2
// MXE5M2: @up : tensor<96x96xf32, #llmc.float<f8E5M2, group = 32, scale = f8E8M0FNU>>
// Integers: their products with rounded inputs are, too.
// RUN: llmc-opt %t/model.mlir --quantize-rtn="format=mxint8 table=false" | FileCheck %s --check-prefix=MXINT8
// MXINT8: @up : tensor<96x96xf32, #llmc.grouped<bits = 8, group = 32, zero = none, scale = f8E8M0FNU>>
// MXINT8: llmc.linear {{.*}} activation <bits = 8, group = 32>
// RUN: llmc-opt %t/model.mlir --quantize-rtn="format=nvfp4 mse table=false" | FileCheck %s --check-prefix=NVFP4
// NVFP4: @up : tensor<96x96xf32, #llmc.float<f4E2M1FN, group = 16, scale = f8E4M3FN, matrix = f32>>
// RUN: llmc-opt %t/model.mlir --quantize-rtn="format=fp4 table=false" | FileCheck %s --check-prefix=FP4
// FP4: @up : tensor<96x96xf32, #llmc.float<f4E2M1FN, group = 64, scale = f16>>
// RUN: llmc-opt %t/model.mlir --quantize-rtn="format=fp8 table=false" | FileCheck %s --check-prefix=FP8
// FP8: @up : tensor<96x96xf32, #llmc.float<f8E4M3FN, group = channel, scale = f16>>
// RUN: llmc-opt %t/model.mlir --quantize-rtn="format=fp8-e5m2 group-size=tensor scale=f32 head-format=same table=false" | FileCheck %s --check-prefix=E5M2
// E5M2-DAG: @head : tensor<64x96xf32, #llmc.float<f8E5M2, group = tensor, scale = f32>>
// E5M2-DAG: @up : tensor<96x96xf32, #llmc.float<f8E5M2, group = tensor, scale = f32>>

// RUN: not llmc-opt %t/model.mlir --quantize-rtn="format=fp8 bits=4" 2>&1 | FileCheck %s --check-prefix=BITS
// BITS: error: bits: expected 8 with format=fp8, found 4
// RUN: not llmc-opt %t/model.mlir --quantize-rtn="format=nvfp4 symmetric=false" 2>&1 | FileCheck %s --check-prefix=SYMMETRIC
// SYMMETRIC: error: symmetric: expected symmetric=true with format=nvfp4, which has no zero points, found symmetric=false
// RUN: not llmc-opt %t/model.mlir --quantize-rtn="format=mxfp4 group-size=64" 2>&1 | FileCheck %s --check-prefix=GROUP
// GROUP: error: group-size: expected 32 with format=mxfp4, found 64
// RUN: not llmc-opt %t/model.mlir --quantize-rtn="format=nvfp4 group-size=channel" 2>&1 | FileCheck %s --check-prefix=CHANNEL
// CHANNEL: error: group-size: expected 16 with format=nvfp4, found 'channel'
// RUN: not llmc-opt %t/model.mlir --quantize-rtn="format=mxint8 scale=f16" 2>&1 | FileCheck %s --check-prefix=SCALE
// SCALE: error: scale: expected none with format=mxint8, which has a type of its own, found 'f16'
// RUN: not llmc-opt %t/model.mlir --quantize-gptq="format=fp8 activation=i8" 2>&1 | FileCheck %s --check-prefix=ROUNDED
// ROUNDED: error: activation: expected activation=none with format=fp8, whose weights are no integers, found activation=i8

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
