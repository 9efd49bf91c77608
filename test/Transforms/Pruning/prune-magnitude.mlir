// Of each four weights the two largest are kept, as they are or as integers, in either order.

// RUN: rm -rf %t && mkdir -p %t
// RUN: %python -c "import array; w = array.array('f', [((i * 37) %% 101 - 50) / 1000 for i in range(160 * 96)]); w.tofile(open(r'%t/weights.bin', 'wb'))"
// RUN: cp %s %t/model.mlir

// RUN: llmc-opt %t/model.mlir --prune-magnitude="report=%t/p.json" -o %t/p.mlir 2>&1 | FileCheck %s --check-prefix=TABLE
// RUN: FileCheck %s --input-file=%t/p.mlir
// RUN: FileCheck %s --check-prefix=REPORT --input-file=%t/p.json

// Rounding keeps what is pruned: the head alone is taken in that was not.
// RUN: llmc-opt %t/p.mlir --quantize-rtn="group-size=32 table=false" -o %t/pq.mlir 2>&1 | FileCheck %s --check-prefix=SILENT --allow-empty
// RUN: FileCheck %s --check-prefix=ROUNDED --input-file=%t/pq.mlir
// RUN: llmc-opt %t/p.mlir --quantize-rtn="format=nf4 table=false" | FileCheck %s --check-prefix=NF4
// RUN: llmc-opt %t/p.mlir --quantize-rtn="symmetric=false zero=float table=false" -o %t/pm.mlir 2>&1 \
// RUN:   | FileCheck %s --check-prefix=WARNING
// RUN: FileCheck %s --check-prefix=MINIMA --input-file=%t/pm.mlir
// RUN: not llmc-opt %t/p.mlir --quantize-rtn="group-size=2 activation=none" 2>&1 | FileCheck %s --check-prefix=GROUP

// So does pruning what is rounded.
// RUN: llmc-opt %t/model.mlir --quantize-rtn="group-size=32 table=false" --prune-magnitude="table=false" -o %t/qp.mlir 2>&1 | FileCheck %s --check-prefix=SILENT --allow-empty
// RUN: FileCheck %s --check-prefix=ROUNDED --input-file=%t/qp.mlir
// RUN: llmc-opt %t/model.mlir --quantize-rtn="symmetric=false zero=float table=false" --prune-magnitude="table=false" -o %t/m.mlir 2>&1 \
// RUN:   | FileCheck %s --check-prefix=WARNING
// RUN: FileCheck %s --check-prefix=MINIMA --input-file=%t/m.mlir

// RUN: llmc-opt %t/p.mlir --prune-magnitude="pattern=1:4 include-head table=false" -o %t/again.mlir 2>&1 | FileCheck %s --check-prefix=AGAIN
// RUN: FileCheck %s --check-prefix=OTHER --input-file=%t/again.mlir

// RUN: llmc-opt %t/model.mlir --prune-magnitude="pattern=2:8 table=false" -o %t/r.mlir \
// RUN:   --remarks-filter=compression --remark-format=emitRemark 2>&1 | FileCheck %s --check-prefix=REMARK

// Any half, and patterns whose positions would take more than a bit for each weight.
// RUN: llmc-opt %t/model.mlir --prune-magnitude="sparsity=0.5" -o %t/half.mlir 2>&1 | FileCheck %s --check-prefix=HALF-TABLE
// RUN: FileCheck %s --check-prefix=HALF --input-file=%t/half.mlir
// RUN: llmc-opt %t/half.mlir --quantize-rtn="group-size=32 table=false" -o %t/halfq.mlir
// RUN: FileCheck %s --check-prefix=HALF-ROUNDED --input-file=%t/halfq.mlir
// RUN: llmc-opt %t/model.mlir --quantize-rtn="group-size=32 table=false" --prune-magnitude="sparsity=0.5 table=false" \
// RUN:   | FileCheck %s --check-prefix=HALF-ROUNDED
// RUN: llmc-opt %t/model.mlir --prune-magnitude="pattern=4:8 table=false" | FileCheck %s --check-prefix=WIDE

// HALF-TABLE: up 96x96 masked<4608, f32> exact 17.000
// HALF: @up : tensor<96x96xf32, #llmc.masked<4608, f32>>
// HALF-ROUNDED: @up : tensor<96x96xf32, #llmc.masked<4608, #llmc.grouped<bits = 4, group = 32, zero = none, scale = f16>>>
// HALF-ROUNDED: llmc.linear {{.*}} activation <bits = 8, group = 32> : (tensor<?x96xf32>, tensor<96x96xf32, #llmc.masked
// WIDE: @up : tensor<96x96xf32, #llmc.masked<4608, f32>>

// TABLE: parameter shape encoding inputs bits/weight weight error
// TABLE: up 96x96 sparse<2:4, f32> exact 17.000
// TABLE: prune-magnitude: 1 parameters

// CHECK-DAG: @head : tensor<64x96xf32> = #llmc.file<"weights.bin", offset = 0>
// CHECK-DAG: @up : tensor<96x96xf32, #llmc.sparse<2:4, f32>> = #llmc.file<"p.safetensors"
// CHECK: llmc.linear {{.*}} : (tensor<?x96xf32>, tensor<96x96xf32, #llmc.sparse<2:4, f32>>)

// REPORT: "encoding": "sparse<2:4, f32>"
// REPORT: "weight_error": 0.{{[1-5]}}

// SILENT-NOT: {{remark|warning}}
// ROUNDED-DAG: @head : tensor<64x96xf32, #llmc.grouped<bits = 8, group = 32
// ROUNDED-DAG: @up : tensor<96x96xf32, #llmc.sparse<2:4, #llmc.grouped<bits = 4, group = 32, zero = none, scale = f16>>>
// ROUNDED: llmc.linear {{.*}} activation <bits = 8, group = 32> : (tensor<?x96xf32>, tensor<96x96xf32, #llmc.sparse<2:4, #llmc.grouped

// NF4: @up : tensor<96x96xf32, #llmc.sparse<2:4, #llmc.nf4<group = 64, scale = f16>>>

// MINIMA: @up : tensor<96x96xf32, #llmc.sparse<2:4, #llmc.grouped<bits = 4, group = 128, zero = float, scale = f16>>>
// MINIMA: llmc.linear {{.*}} : (tensor<?x96xf32>, tensor<96x96xf32, #llmc.sparse
// MINIMA-NOT: activation <bits = 8, group = 32> : (tensor<?x96xf32>, tensor<96x96xf32
// WARNING: warning: inputs of 'up' are not rounded: its codes have none for a weight of zero

// GROUP: error: 'llmc.parameter' op expected groups of a multiple of 4 weights where some of each 4 are kept, found 2

// AGAIN: remark: left alone what is pruned already: 'up'
// OTHER-DAG: @head : tensor<64x96xf32, #llmc.sparse<1:4, f32>>
// OTHER-DAG: @up : tensor<96x96xf32, #llmc.sparse<2:4, f32>>

// REMARK: remark: [Passed] prune-magnitude{{.*}}Category:compression{{.*}}parameter=up

llmc.parameter @head : tensor<64x96xf32> = #llmc.file<"weights.bin", offset = 0>
llmc.parameter @up : tensor<96x96xf32> = #llmc.file<"weights.bin", offset = 24576, strides = [1, 96]>

func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows) -> tensor<?x64xf32> {
  %table = llmc.parameter_value @head : tensor<64x96xf32>
  %up = llmc.parameter_value @up : tensor<96x96xf32>
  %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<64x96xf32>) -> tensor<?x96xf32>
  %u = llmc.linear %h, %up : (tensor<?x96xf32>, tensor<96x96xf32>) -> tensor<?x96xf32>
  %o = llmc.output_rows %u, %rows : tensor<?x96xf32> -> tensor<?x96xf32>
  %y = llmc.linear %o, %table : (tensor<?x96xf32>, tensor<64x96xf32>) -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}
