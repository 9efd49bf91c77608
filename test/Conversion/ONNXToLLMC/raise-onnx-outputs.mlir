// Outputs beside the logits: caches and what is passed through go silently, others with a remark.

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

// Tokens that are passed through.

// CHECK-LABEL: func.func @step
// CHECK: %[[ROWS:.*]] = llmc.embedding
// CHECK: %[[WANTED:.*]] = llmc.output_rows %[[ROWS]]
// CHECK: return %[[WANTED]]
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

// -----

// What only another output needs is not raised.

// CHECK-LABEL: func.func @step
// CHECK-NOT: llmc.linear
// CHECK: llmc.activation <relu>
// expected-remark @below {{takes output 'logits' as the logits and leaves out 'chances'}}
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"],
    output_dims = [[], [], []], output_names = ["chances", "logits", "present.0"],
    output_types = [!onnx.untyped, !onnx.untyped, tensor<?x2x?x4xf32>]} {
^bb0(%ids: tensor<?x?xi64>):
  %table = onnx.initializer "table" : tensor<8x8xf32> = dense<1.0> : tensor<8x8xf32>
  %x = onnx.node "Gather"(%table, %ids) {name = "x", output_names = ["x"]}
      : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %y = onnx.node "Relu"(%x) {name = "y", output_names = ["logits"]}
      : (!onnx.untyped) -> !onnx.untyped
  %w = onnx.node "MatMul"(%y, %table) {name = "w", output_names = ["w"]}
      : (!onnx.untyped, tensor<8x8xf32>) -> !onnx.untyped
  %z = onnx.node "Frobnicate"(%w) {name = "z", output_names = ["chances"]}
      : (!onnx.untyped) -> !onnx.untyped
  onnx.yield %z, %y, %z : !onnx.untyped, !onnx.untyped, !onnx.untyped
}
