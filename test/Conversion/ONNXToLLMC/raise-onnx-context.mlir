// How many positions caches hold: what is asked for, else what the model's tables allow, at most 2048.

// RUN: not llmc-opt %s --raise-onnx="context=65" 2>&1 | FileCheck %s --check-prefix=LONG
// LONG: error: expected a context of at most 64 positions, the rows of the model's tables, found 65; the largest that works is --context=64

// RUN: not llmc-opt %s --raise-onnx="context=-1" 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// NEGATIVE: error: expected a context of 1 to 16777216 positions, found -1

// RUN: not llmc-opt %s --raise-onnx="context=100000000000" 2>&1 | FileCheck %s --check-prefix=HUGE
// HUGE: error: expected a context of 1 to 16777216 positions, found 100000000000

// RUN: llmc-opt %s --raise-onnx | FileCheck %s
// CHECK: llmc.parameter @embedding : tensor<8x4xf32>
// CHECK: llmc.parameter @position_embedding : tensor<64x4xf32>
// CHECK-LABEL: func.func @step(
// CHECK-SAME: %[[TOKENS:.*]]: tensor<?xi32>, %[[ROWS:.*]]: !llmc.rows
// CHECK: %[[X:.*]] = llmc.embedding %[[TOKENS]]
// CHECK: %[[P:.*]] = llmc.positions %[[ROWS]]
// CHECK: %[[Y:.*]] = llmc.embedding %[[P]]
// CHECK: arith.addf %[[X]], %[[Y]]

onnx.graph @main attributes {input_dims = [["b", "r"], ["b", "r"]],
    input_names = ["input_ids", "position_ids"], output_dims = [[]], output_names = ["logits"],
    output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>, %places: tensor<?x?xi64>):
  %table = onnx.initializer "table" : tensor<8x4xf32> = dense<1.0> : tensor<8x4xf32>
  %positions = onnx.initializer "positions" : tensor<64x4xf32> = dense<2.0> : tensor<64x4xf32>
  %x = onnx.node "Gather"(%table, %ids) {output_names = ["x"]}
      : (tensor<8x4xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %y = onnx.node "Gather"(%positions, %places) {output_names = ["y"]}
      : (tensor<64x4xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %z = onnx.node "Add"(%x, %y) {output_names = ["z"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  onnx.yield %z : !onnx.untyped
}
