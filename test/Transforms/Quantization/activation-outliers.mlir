// Inputs that stand out stay as they are, with what they are multiplied with.

// RUN: rm -rf %t && mkdir -p %t
// RUN: %python -c "import numpy as n; w = n.array([(i * 37 %% 101 - 50) / 1000 for i in range(64 * 96 + 3 * 96 * 96)], n.float32).reshape(-1, 96); w[:64, [3, 70]] *= 200; w.tofile(r'%t/weights.bin')"
// RUN: cp %s %t/model.mlir
// RUN: %python -c "import numpy; numpy.save('%t/tokens.npy', numpy.arange(64) * 5 %% 64)"

// The columns that are above in calibration, once for both readers; a weight's own floats.
// RUN: llmc-opt %t/model.mlir -o %t/q.mlir \
// RUN:   --quantize-rtn="bits=8 group-size=channel activation=i8 activation-group=0 activation-outliers=6 calibration=%t/tokens.npy samples=8 sequence-length=8 report=%t/r.json" \
// RUN:   2>&1 | FileCheck %s --check-prefix=TABLE
// RUN: FileCheck %s --input-file=%t/q.mlir
// RUN: FileCheck %s --check-prefix=REPORT --input-file=%t/r.json
// RUN: llmc-opt %t/q.mlir --convert-llmc-to-linalg -o %t/linalg.mlir

// The range is that of the others.
// RUN: llmc-opt %t/model.mlir --quantize-gptq="bits=8 group-size=channel activation=i8-static activation-outliers=6 calibration=%t/tokens.npy samples=8 sequence-length=8 table=false" \
// RUN:   | FileCheck %s --check-prefix=STATIC
// RUN: llmc-opt %t/model.mlir --quantize-gptq="bits=8 activation=i8 activation-outliers=1000 calibration=%t/tokens.npy samples=8 sequence-length=8 table=false" \
// RUN:   | FileCheck %s --check-prefix=NONE-ABOVE
// NONE-ABOVE-NOT: columns

// RUN: not llmc-opt %t/model.mlir --quantize-rtn="activation-outliers=-1" 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// NEGATIVE: error: activation-outliers: expected a magnitude, or 0, found -1
// RUN: not llmc-opt %t/model.mlir --quantize-rtn="activation-outliers=6 activation=none" 2>&1 | FileCheck %s --check-prefix=NOT-ROUNDED
// NOT-ROUNDED: error: activation-outliers: expected activation=i8 with it, found activation=none
// RUN: not llmc-opt %t/model.mlir --quantize-hqq="activation-outliers=6" 2>&1 | FileCheck %s --check-prefix=HQQ
// HQQ: error: activation-outliers: expected 0 with quantize-hqq, which calibrates nothing, found 6
// RUN: not llmc-opt %t/model.mlir --quantize-gptq="activation-outliers=6 statistics=%t/none" 2>&1 | FileCheck %s --check-prefix=STATISTICS
// STATISTICS: error: statistics: expected activation-outliers=0 with it: inputs without their outliers have others
// RUN: not llmc-opt %t/model.mlir --quantize-gptq="activation-outliers=6 save-statistics=%t/none" 2>&1 | FileCheck %s --check-prefix=SAVE
// SAVE: error: save-statistics: expected activation-outliers=0 with it: inputs without their outliers have others
// RUN: not llmc-opt %t/model.mlir --quantize-rtn="activation-outliers=6 resume=%t/none" 2>&1 | FileCheck %s --check-prefix=RESUME
// RESUME: error: resume: expected activation-outliers=0 with it where nothing else is calibrated: there is nothing to go on with
// RUN: not llmc-opt %t/model.mlir --prune-sparsegpt="activation-outliers=6" 2>&1 | FileCheck %s --check-prefix=PRUNE
// PRUNE: error: activation-outliers: expected a format with it, found format=none
// RUN: not llmc-opt %t/model.mlir --quantize-rtn="activation-outliers=0.0001 calibration=%t/tokens.npy samples=8 sequence-length=8" 2>&1 | FileCheck %s --check-prefix=ALL
// ALL: error: 'llmc.linear' op activation-outliers: expected a magnitude that some columns of its inputs stay below, found all 96 above 1e-04

// TABLE: up.outliers 96x2 f32 exact 32.000
// TABLE: up 96x96 grouped<bits = 8, group = channel, zero = none, scale = f16> 8 bits / row

// CHECK-DAG: @up : tensor<96x96xf32, #llmc.grouped
// CHECK-DAG: @up.outliers : tensor<96x2xf32> = #llmc.file
// CHECK-DAG: @gate.outliers : tensor<96x2xf32> = #llmc.file
// CHECK-NOT: @head.outliers
// CHECK-NOT: @down.outliers
// CHECK: %[[H:.*]] = llmc.embedding
// CHECK-DAG: %[[FEW:.*]] = llmc.take_columns %[[H]] [3, 70] : tensor<?x96xf32> -> tensor<?x2xf32>
// CHECK-DAG: %[[REST:.*]] = llmc.clear_columns %[[H]] [3, 70] : tensor<?x96xf32>
// CHECK: %[[A:.*]] = llmc.linear %[[REST]], {{.*}} activation <bits = 8, group = row> :
// CHECK: %[[B:.*]] = llmc.linear %[[FEW]], %{{[^ ]*}} : (tensor<?x2xf32>, tensor<96x2xf32>)
// CHECK: arith.addf %[[B]], %[[A]]
// CHECK: llmc.linear %[[REST]], {{.*}} activation <bits = 8, group = row> :
// CHECK: llmc.linear %[[FEW]],
// CHECK-NOT: columns

// STATIC: llmc.linear {{.*}} activation <bits = 8, group = row, range = 5.000000e-02> :

// REPORT: "name": "up.outliers"

llmc.parameter @head : tensor<64x96xf32> = #llmc.file<"weights.bin", offset = 0>
llmc.parameter @up : tensor<96x96xf32> = #llmc.file<"weights.bin", offset = 24576>
llmc.parameter @gate : tensor<96x96xf32> = #llmc.file<"weights.bin", offset = 61440>
llmc.parameter @down : tensor<96x96xf32> = #llmc.file<"weights.bin", offset = 98304>

func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows) -> tensor<?x64xf32> {
  %table = llmc.parameter_value @head : tensor<64x96xf32>
  %up = llmc.parameter_value @up : tensor<96x96xf32>
  %gate = llmc.parameter_value @gate : tensor<96x96xf32>
  %down = llmc.parameter_value @down : tensor<96x96xf32>
  %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<64x96xf32>) -> tensor<?x96xf32>
  %u = llmc.linear %h, %up : (tensor<?x96xf32>, tensor<96x96xf32>) -> tensor<?x96xf32>
  %g = llmc.linear %h, %gate : (tensor<?x96xf32>, tensor<96x96xf32>) -> tensor<?x96xf32>
  %m = llmc.gate <silu> %g, %u : tensor<?x96xf32>
  %s = llmc.scale %m by 0.01 : tensor<?x96xf32>
  %d = llmc.linear %s, %down : (tensor<?x96xf32>, tensor<96x96xf32>) -> tensor<?x96xf32>
  %o = llmc.output_rows %d, %rows : tensor<?x96xf32> -> tensor<?x96xf32>
  %y = llmc.linear %o, %table : (tensor<?x96xf32>, tensor<64x96xf32>) -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}
