// Outputs beside the logits are left out, with a remark.

// RUN: llmc-opt %s --raise-onnx --split-input-file --verify-diagnostics | FileCheck %s

// Hidden states, first and last.

// CHECK-LABEL: func.func @step
// CHECK-NEXT: llmc.parameter_value
// CHECK-NEXT: %[[ROWS:.*]] = llmc.embedding
// CHECK-NEXT: %[[WANTED:.*]] = llmc.output_rows %[[ROWS]]
// CHECK-NEXT: %[[LOGITS:.*]] = llmc.activation <relu> %[[WANTED]]
// CHECK-NEXT: return %[[LOGITS]]
// expected-remark @below {{takes output 'y.logits' as the logits and leaves out 'hidden.0', 'hidden.1'}}
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"],
    output_dims = [[], [], []], output_names = ["hidden.0", "y.logits", "hidden.1"],
    output_types = [!onnx.untyped, !onnx.untyped, !onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  %table = onnx.initializer "table" : tensor<8x8xf32> = dense<1.0> : tensor<8x8xf32>
  %x = onnx.node "Gather"(%table, %ids) {name = "x", output_names = ["hidden.0"]}
      : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %y = onnx.node "Relu"(%x) {name = "y", output_names = ["y.logits"]}
      : (!onnx.untyped) -> !onnx.untyped
  %z = onnx.node "Sigmoid"(%x) {name = "z", output_names = ["hidden.1"]}
      : (!onnx.untyped) -> !onnx.untyped
  onnx.yield %x, %y, %z : !onnx.untyped, !onnx.untyped, !onnx.untyped
}

// -----

// What is no rows, such as tokens.

// expected-remark @below {{takes output 'logits' as the logits and leaves out 'ids'}}
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"],
    output_dims = [[], []], output_names = ["ids", "logits"],
    output_types = [tensor<?x?xi64>, !onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  %table = onnx.initializer "table" : tensor<8x8xf32> = dense<1.0> : tensor<8x8xf32>
  %x = onnx.node "Gather"(%table, %ids) {name = "x", output_names = ["logits"]}
      : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  onnx.yield %ids, %x : tensor<?x?xi64>, !onnx.untyped
}
