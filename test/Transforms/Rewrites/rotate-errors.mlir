// RUN: split-file %s %t
// RUN: not llmc-opt %t/plain.mlir --rotate="where=queries" 2>&1 | FileCheck %s --check-prefix=WHERE
// WHERE: error: where: expected residual, values, keys, down or free, found 'queries'

// RUN: not llmc-opt %t/plain.mlir --rotate="seed=1" 2>&1 | FileCheck %s --check-prefix=SEED
// SEED: error: seed: expected kind=randomized with it

// RUN: not llmc-opt %t/plain.mlir --rotate="where=values head=untied" 2>&1 | FileCheck %s --check-prefix=UNTIED
// UNTIED: error: head: expected where=residual with it

// RUN: not llmc-opt %t/plain.mlir --rotate="kind=learned" 2>&1 | FileCheck %s --check-prefix=KIND
// KIND: expected hadamard, randomized or given, found 'learned'

// RUN: not llmc-opt %t/plain.mlir --rotate="kind=given" 2>&1 | FileCheck %s --check-prefix=GIVEN
// GIVEN: error: kind: expected matrices=FILE with kind=given

// RUN: not llmc-opt %t/plain.mlir --rotate="where=free kind=given matrices=%t/none" 2>&1 | FileCheck %s --check-prefix=FREE-GIVEN
// FREE-GIVEN: error: where: expected residual or values with kind=given, which are to be rotated, found free

// RUN: not llmc-opt %t/plain.mlir --rotate="matrices=q.safetensors" 2>&1 | FileCheck %s --check-prefix=MATRICES
// MATRICES: error: matrices: expected kind=given with it

// RUN: not llmc-opt %t/plain.mlir --rotate="kind=given matrices=%t/none" 2>&1 | FileCheck %s --check-prefix=FILE
// FILE: error: matrices: {{.*}}none

// RUN: not llmc-opt %t/plain.mlir --rotate="kind=randomized where=down" 2>&1 | FileCheck %s --check-prefix=ONLINE
// ONLINE: error: kind: expected hadamard where neither residual nor values are rotated

// RUN: not llmc-opt %t/plain.mlir --rotate="where=residual" 2>&1 | FileCheck %s --check-prefix=STREAM
// STREAM: error: rotate: where=residual: expected one residual stream, found 0

// What costs nothing is rotated where that can be.
// RUN: llmc-opt %t/plain.mlir --rotate="where=free" 2>&1 | FileCheck %s --check-prefix=FREE
// FREE-DAG: warning: rotate: where=residual: expected one residual stream, found 0: left as it is
// FREE-DAG: warning: rotate: where=values: expected attention, found none: left as it is
// FREE: @w : tensor<2x8xf32> = #llmc.file<"{{.*}}w.bin", offset = 0>
// RUN: not llmc-opt %t/plain.mlir --rotate="where=free,residual" 2>&1 | FileCheck %s --check-prefix=STREAM

// RUN: not llmc-opt %t/plain.mlir --rotate="where=values" 2>&1 | FileCheck %s --check-prefix=VALUES
// VALUES: error: rotate: where=values: expected attention, found none

// RUN: not llmc-opt %t/plain.mlir --rotate="where=keys" 2>&1 | FileCheck %s --check-prefix=KEYS
// KEYS: error: rotate: where=keys: expected attention, found none

// RUN: not llmc-opt %t/plain.mlir --rotate="where=down" 2>&1 | FileCheck %s --check-prefix=DOWN
// DOWN: error: rotate: where=down: expected linears that end MLPs, found none

// RUN: not llmc-opt %t/odd.mlir --rotate="where=down" 2>&1 | FileCheck %s --check-prefix=ODD
// ODD: error: rotate: where=down: expected a Hadamard matrix of an order that divides 9, found none

//--- plain.mlir
llmc.parameter @w : tensor<2x8xf32> = #llmc.file<"w.bin", offset = 0>
func.func @step(%x: tensor<?x8xf32>) -> tensor<?x2xf32> {
  %w = llmc.parameter_value @w : tensor<2x8xf32>
  %y = llmc.linear %x, %w : (tensor<?x8xf32>, tensor<2x8xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

//--- odd.mlir
llmc.parameter @up : tensor<9x8xf32> = #llmc.file<"w.bin", offset = 0>
llmc.parameter @down : tensor<8x9xf32> = #llmc.file<"w.bin", offset = 0>
func.func @step(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %up = llmc.parameter_value @up : tensor<9x8xf32>
  %u = llmc.linear %x, %up : (tensor<?x8xf32>, tensor<9x8xf32>) -> tensor<?x9xf32>
  %a = llmc.activation <gelu> %u : tensor<?x9xf32>
  %down = llmc.parameter_value @down : tensor<8x9xf32>
  %d = llmc.linear %a, %down : (tensor<?x9xf32>, tensor<8x9xf32>) -> tensor<?x8xf32>
  %s = arith.addf %x, %d : tensor<?x8xf32>
  return %s : tensor<?x8xf32>
}
