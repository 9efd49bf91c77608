// RUN: rm -rf %t && mkdir -p %t && cp %s %t/model.mlir
// RUN: %python %S/../Inputs/make_weights.py %t/weights.bin 8192
// RUN: llmc-opt %t/model.mlir --quantize-rtn="bits=4 group-size=32 report=%t/report.json" \
// RUN:   -o %t/q.mlir 2>&1 | FileCheck %s --check-prefix=TABLE
// RUN: FileCheck %s --input-file=%t/q.mlir
// RUN: FileCheck %s --check-prefix=REPORT --input-file=%t/report.json
// RUN: llmc-opt %t/model.mlir --quantize-rtn="ignore=. table=false" -o %t/none.mlir 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: warning: quantize-rtn: expected weights that `only`, `ignore` and earlier passes leave, found none

// Weights go along through a pipe, as text and as bytecode, and come out the same.
// RUN: llmc-opt %t/model.mlir --quantize-rtn="bits=4 group-size=32 table=false" \
// RUN:   | llmc-opt -o %t/text.mlir
// RUN: llmc-opt %t/model.mlir --quantize-rtn="bits=4 group-size=32 table=false" --emit-bytecode \
// RUN:   | llmc-opt -o %t/bytecode.mlir
// RUN: cmp %t/q.safetensors %t/text.safetensors
// RUN: cmp %t/q.safetensors %t/bytecode.safetensors

// What a pass leaves alone stays where it is; what two passes made stays too.
// RUN: llmc-opt %t/model.mlir --quantize-rtn="bits=4 ignore=@none,^up table=false" -o %t/part.mlir
// RUN: llmc-opt %t/part.mlir --quantize-rtn="bits=8 table=false" -o %t/part.mlir 2>&1 | FileCheck %s --check-prefix=LEFT
// RUN: FileCheck %s --check-prefix=PART --input-file=%t/part.mlir

// Unless it is asked for: then decoded values are rounded.
// RUN: llmc-opt %t/part.mlir --quantize-rtn="bits=4 only=^up table=false" -o %t/kept.mlir 2>&1 \
// RUN:   | FileCheck %s --check-prefix=KEPT
// RUN: FileCheck %s --check-prefix=PART --input-file=%t/kept.mlir
// RUN: llmc-opt %t/part.mlir --quantize-rtn="bits=4 only=^up requantize table=false" -o %t/anew.mlir 2>&1 \
// RUN:   | FileCheck %s --check-prefix=SILENT --allow-empty
// RUN: FileCheck %s --check-prefix=ANEW --input-file=%t/anew.mlir

// RUN: llmc-opt %t/model.mlir --quantize-rtn="bits=4 head-format=none table=false" | FileCheck %s --check-prefix=NO-HEAD

// RUN: llmc-opt %t/model.mlir --quantize-rtn="symmetric=false zero=float scale=bf16 \
// RUN:   group-size=channel activation=none head-format=same table=false" | FileCheck %s --check-prefix=HEAD

// Each weight in the format of the first expression that matches, and the head in one of its own; where
// nothing is said options of the pass hold for integers, and none for others.
// RUN: llmc-opt %t/model.mlir --quantize-rtn="bits=3 group-size=32 formats=^down=int:5,down|up=mxfp4 head-format=fp8 table=false" \
// RUN:   | FileCheck %s --check-prefix=MIXED
// RUN: llmc-opt %t/model.mlir --quantize-rtn="format=nf4 formats=^down=int:8:64 activation-group=0 table=false" \
// RUN:   | FileCheck %s --check-prefix=NUMBERS

// RUN: llmc-opt %t/model.mlir --quantize-rtn="bits=3 group-size=32 table=false" -o %t/r.mlir \
// RUN:   --remarks-filter=compression --remark-format=emitRemark 2>&1 | FileCheck %s --check-prefix=REMARK

// Scales that their type cannot hold are stored in one that does, and a warning says so.
// RUN: %python -c "import array; w = array.array('f', [0.02] * 9000); w[1536:4608] = array.array('f', [1e-9] * 3072); w[4608:7680] = array.array('f', [1e9] * 3072); w.tofile(open(r'%t/extreme.bin', 'wb'))"
// RUN: sed 's/"weights.bin"/"extreme.bin"/' %t/model.mlir > %t/extreme.mlir
// RUN: llmc-opt %t/extreme.mlir --quantize-rtn="bits=4 group-size=32 table=false" -o %t/wide.mlir 2>&1 | FileCheck %s --check-prefix=WARNING
// RUN: FileCheck %s --check-prefix=WIDE --input-file=%t/wide.mlir
// RUN: llmc-opt %t/extreme.mlir --quantize-rtn="bits=4 group-size=32 scale=bf16 table=false" -o %t/narrow.mlir 2>&1 | FileCheck %s --check-prefix=SILENT --allow-empty

// WARNING: warning: scales of 'up': found some in row 0 that 'f16' cannot hold: stored as f32
// WARNING: warning: scales of 'down': found some in row 0 that 'f16' cannot hold: stored as f32
// WIDE-DAG: @embedding : tensor<32x48xf32, #llmc.grouped<bits = 8, group = 32, zero = none, scale = f16>>
// WIDE-DAG: @up : tensor<64x48xf32, #llmc.grouped<bits = 4, group = 32, zero = none, scale = f32>>
// WIDE-DAG: @down : tensor<48x64xf32, #llmc.grouped<bits = 4, group = 32, zero = none, scale = f32>>

// TABLE: parameter shape encoding inputs bits/weight weight error seconds
// TABLE-NEXT: embedding 32x48 grouped<bits = 8, group = 32, zero = none, scale = f16> 8 bits / 32 8.667
// TABLE-NEXT: up 64x48 grouped<bits = 4, group = 32, zero = none, scale = f16> 8 bits / 32 4.667
// TABLE-NEXT: down 48x64
// TABLE: quantize-rtn: 3 parameters, 0.0 MB, 5.400 bits per weight

// CHECK-DAG: llmc.parameter @embedding : tensor<32x48xf32, #llmc.grouped<bits = 8, group = 32, zero = none, scale = f16>> = #llmc.file<"q.safetensors"
// CHECK-DAG: llmc.parameter @up : tensor<64x48xf32, #llmc.grouped<bits = 4, group = 32, zero = none, scale = f16>> = #llmc.file<"q.safetensors"
// CHECK-DAG: llmc.parameter @down : tensor<48x64xf32, #llmc.grouped<bits = 4, group = 32, zero = none, scale = f16>> = #llmc.file<"q.safetensors"
// CHECK: llmc.linear {{.*}} activation <bits = 8, group = 32> : (tensor<?x48xf32>, tensor<64x48xf32, #llmc.grouped
// CHECK: llmc.linear {{.*}} activation <bits = 8, group = 32> : (tensor<?x64xf32>, tensor<48x64xf32, #llmc.grouped
// CHECK: llmc.linear {{.*}} activation <bits = 8, group = 32> : (tensor<?x48xf32>, tensor<32x48xf32, #llmc.grouped

// REPORT: "bits_per_weight": 4.66
// REPORT: "encoding": "grouped<bits = 4, group = 32, zero = none, scale = f16>"
// REPORT: "name": "up"
// REPORT: "weight_error": 0.0
// REPORT: "pass": "quantize-rtn"

// PART-DAG: @embedding : tensor<32x48xf32, #llmc.grouped<bits = 8, group = 128, {{.*}} = #llmc.file<"part.safetensors"
// PART-DAG: @up : tensor<64x48xf32, #llmc.grouped<bits = 8, group = 128, {{.*}} = #llmc.file<"part.safetensors"
// PART-DAG: @down : tensor<48x64xf32, #llmc.grouped<bits = 4, group = 128, {{.*}} = #llmc.file<"part.safetensors"

// LEFT: remark: requantize: left alone what is rounded already: 'embedding', 'down'; requantize=true rounds it anew
// KEPT: remark: requantize: left alone what is rounded already: 'up'; requantize=true rounds it anew
// SILENT-NOT: {{remark|warning}}
// ANEW-DAG: @up : tensor<64x48xf32, #llmc.grouped<bits = 4, group = 128, {{.*}} = #llmc.file<"anew.safetensors"
// ANEW-DAG: @down : tensor<48x64xf32, #llmc.grouped<bits = 4, group = 128, {{.*}} = #llmc.file<"part.safetensors"

// NO-HEAD: llmc.parameter @embedding : tensor<32x48xf32> = #llmc.file<"{{.*}}weights.bin", offset = 0>

// HEAD: llmc.parameter @embedding : tensor<32x48xf32, #llmc.grouped<bits = 4, group = channel, zero = float, scale = bf16>>
// HEAD: llmc.embedding {{.*}} tensor<32x48xf32, #llmc.grouped
// HEAD-NOT: activation <

// MIXED-DAG: @embedding : tensor<32x48xf32, #llmc.float<{{.*}}f8E4M3FN{{.*}}channel
// MIXED-DAG: @up : tensor<64x48xf32, #llmc.float<{{.*}}f4E2M1FN{{.*}}f8E8M0FNU
// MIXED-DAG: @down : tensor<48x64xf32, #llmc.grouped<bits = 5, group = 32, zero = none, scale = f16>>
// MIXED-NOT: activation <{{.*}}tensor<64x48xf32
// MIXED: llmc.linear {{.*}} activation <bits = 8, group = 32> : (tensor<?x64xf32>, tensor<48x64xf32

// NUMBERS-DAG: @up : tensor<64x48xf32, #llmc.nf4<group = 64, scale = f16>>
// NUMBERS-DAG: @down : tensor<48x64xf32, #llmc.grouped<bits = 8, group = 64, zero = none, scale = f16>>
// NUMBERS: llmc.linear {{.*}} activation <bits = 8, group = row> : (tensor<?x64xf32>, tensor<48x64xf32

// REMARK: remark: [Passed] quantize-rtn{{.*}}Category:compression{{.*}}parameter=up
// REMARK: remark: [Passed] quantize-rtn{{.*}}parameter=down

llmc.parameter @embedding : tensor<32x48xf32> = #llmc.file<"weights.bin", offset = 0>
llmc.parameter @up : tensor<64x48xf32> = #llmc.file<"weights.bin", offset = 6144>
llmc.parameter @down : tensor<48x64xf32> = #llmc.file<"weights.bin", offset = 18432, strides = [1, 48]>

func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows) -> tensor<?x32xf32> {
  %table = llmc.parameter_value @embedding : tensor<32x48xf32>
  %up = llmc.parameter_value @up : tensor<64x48xf32>
  %down = llmc.parameter_value @down : tensor<48x64xf32>
  %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<32x48xf32>) -> tensor<?x48xf32>
  %u = llmc.linear %h, %up : (tensor<?x48xf32>, tensor<64x48xf32>) -> tensor<?x64xf32>
  %d = llmc.linear %u, %down : (tensor<?x64xf32>, tensor<48x64xf32>) -> tensor<?x48xf32>
  %o = llmc.output_rows %d, %rows : tensor<?x48xf32> -> tensor<?x48xf32>
  %y = llmc.linear %o, %table : (tensor<?x48xf32>, tensor<32x48xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}
