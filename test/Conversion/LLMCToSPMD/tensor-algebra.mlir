// Tensor algebra that keeps rows apart becomes an operation of a stage; what mixes them is refused.

// RUN: llmc-opt %s --convert-llmc-to-spmd=max-rows=16 --split-input-file --verify-diagnostics | FileCheck %s

!cache = !llmc.kv_cache<1x8, capacity = 16, keys = f32, values = f32>
llmc.parameter @table : tensor<32x8xf32> = #llmc.file<"none", offset = 0>
// CHECK: spmd.stage "output_rows+map_rows"
// CHECK: %[[X:.*]] = llmc.output_rows
// CHECK-NEXT: %[[Y:.*]] = spmd.map_rows(%[[X]]) {
// CHECK: linalg.softmax dimension(2)
// CHECK: spmd.yield
// CHECK: } : (tensor<?x8xf32>) -> tensor<?x8xf32>
// CHECK-NEXT: spmd.yield %[[Y]]
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache: !cache) -> tensor<?x32xf32> {
  %table = llmc.parameter_value @table : tensor<32x8xf32>
  %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<32x8xf32>) -> tensor<?x8xf32>
  %o = llmc.output_rows %h, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  %0 = arith.constant 0 : index
  %count = tensor.dim %o, %0 : tensor<?x8xf32>
  %heads = tensor.expand_shape %o [[0], [1, 2]] output_shape [%count, 2, 4]
    : tensor<?x8xf32> into tensor<?x2x4xf32>
  %empty = tensor.empty(%count) : tensor<?x2x4xf32>
  %s = linalg.softmax dimension(2) ins(%heads : tensor<?x2x4xf32>)
    outs(%empty : tensor<?x2x4xf32>) -> tensor<?x2x4xf32>
  %x = tensor.collapse_shape %s [[0], [1, 2]] : tensor<?x2x4xf32> into tensor<?x8xf32>
  %y = llmc.linear %x, %table : (tensor<?x8xf32>, tensor<32x8xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// -----

!cache = !llmc.kv_cache<1x8, capacity = 16, keys = f32, values = f32>
llmc.parameter @table : tensor<32x8xf32> = #llmc.file<"none", offset = 0>
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache: !cache) -> tensor<?x32xf32> {
  %table = llmc.parameter_value @table : tensor<32x8xf32>
  %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<32x8xf32>) -> tensor<?x8xf32>
  %o = llmc.output_rows %h, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  %0 = arith.constant 0 : index
  %count = tensor.dim %o, %0 : tensor<?x8xf32>
  %empty = tensor.empty(%count) : tensor<?x8xf32>
  // expected-error @+1 {{expected a softmax inside of rows}}
  %x = linalg.softmax dimension(0) ins(%o : tensor<?x8xf32>)
    outs(%empty : tensor<?x8xf32>) -> tensor<?x8xf32>
  %y = llmc.linear %x, %table : (tensor<?x8xf32>, tensor<32x8xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}
