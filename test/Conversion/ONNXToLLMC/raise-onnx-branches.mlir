// What stands on branches: gains of columns, bounds, gates, norms of heads under another shape.

// RUN: llmc-opt %s --raise-onnx --split-input-file | FileCheck %s

// A gain of each column becomes part of the weights.

// CHECK-LABEL: func.func @step
// CHECK: %[[X:.*]] = llmc.embedding
// CHECK: %[[Y:.*]] = llmc.linear %[[X]]
// CHECK: arith.addf %[[X]], %[[Y]]
// 1, 5, 9, 13 times 1, then 2, 6, 10, 14 times 2
// CHECK: computed: "0x400000000000803F0000A040000010410000504100008040000040410000A0410000E041
onnx.graph @main attributes {input_dims = [["b", "r"]], input_names = ["ids"],
    output_dims = [[]], output_names = ["logits"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  %table = onnx.initializer "table" : tensor<8x4xf32> = dense<1.0> : tensor<8x4xf32>
  %w = onnx.initializer "w" : tensor<4x4xf32> = dense<[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0], [9.0, 10.0, 11.0, 12.0], [13.0, 14.0, 15.0, 16.0]]> : tensor<4x4xf32>
  %gain = onnx.initializer "gain" : tensor<4xf32> = dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %x = onnx.node "Gather"(%table, %ids) {output_names = ["x"]}
      : (tensor<8x4xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %y = onnx.node "MatMul"(%x, %w) {output_names = ["y"]}
      : (!onnx.untyped, tensor<4x4xf32>) -> !onnx.untyped
  %scaled = onnx.node "Mul"(%y, %gain) {output_names = ["scaled"]}
      : (!onnx.untyped, tensor<4xf32>) -> !onnx.untyped
  %sum = onnx.node "Add"(%x, %scaled) {output_names = ["logits"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  onnx.yield %sum : !onnx.untyped
}

// -----

// Bounds stand behind each part of a linear; those that no number reaches stand nowhere.

// CHECK-LABEL: func.func @step
// CHECK: %[[LOW:.*]] = llmc.linear {{.*}} -> tensor<?x2xf32>
// CHECK: %[[SMALL:.*]] = llmc.scale %[[LOW]] by 5.000000e-01
// CHECK: %[[ENDS:.*]] = llmc.activation <hardtanh> %[[SMALL]]
// CHECK: %[[A:.*]] = llmc.scale %[[ENDS]] by 2.000000e+00
// CHECK: %[[HIGH:.*]] = llmc.linear {{.*}} -> tensor<?x2xf32>
// CHECK: llmc.activation <hardtanh>
// CHECK-NOT: llmc.activation
// CHECK: llmc.linear %[[A]]
onnx.graph @main attributes {input_dims = [["b", "r"]], input_names = ["ids"],
    output_dims = [[]], output_names = ["logits"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  %table = onnx.initializer "table" : tensor<8x4xf32> = dense<1.0> : tensor<8x4xf32>
  %w = onnx.initializer "w" : tensor<4x4xf32> = dense<[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0], [9.0, 10.0, 11.0, 12.0], [13.0, 14.0, 15.0, 16.0]]> : tensor<4x4xf32>
  %low = onnx.initializer "low" : tensor<f32> = dense<-2.0> : tensor<f32>
  %high = onnx.initializer "high" : tensor<f32> = dense<2.0> : tensor<f32>
  %last = onnx.initializer "last" : tensor<f32> = dense<0x7F7FFFFF> : tensor<f32>
  %parts = onnx.initializer "parts" : tensor<2xi64> = dense<2> : tensor<2xi64>
  %x = onnx.node "Gather"(%table, %ids) {output_names = ["x"]}
      : (tensor<8x4xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %y = onnx.node "MatMul"(%x, %w) {output_names = ["y"]}
      : (!onnx.untyped, tensor<4x4xf32>) -> !onnx.untyped
  %ends = onnx.node "Clip"(%y, %low, %high) {output_names = ["ends"]}
      : (!onnx.untyped, tensor<f32>, tensor<f32>) -> !onnx.untyped
  %same = onnx.node "Clip"(%ends, %none, %last) {output_names = ["same"]}
      : (!onnx.untyped, !onnx.absent, tensor<f32>) -> !onnx.untyped
  %a, %b = onnx.node "Split"(%same, %parts) {node_attributes = {axis = 2}, output_names = ["a", "b"]}
      : (!onnx.untyped, tensor<2xi64>) -> (!onnx.untyped, !onnx.untyped)
  %out = onnx.initializer "out" : tensor<2x4xf32> = dense<1.0> : tensor<2x4xf32>
  %left = onnx.node "MatMul"(%a, %out) {output_names = ["left"]}
      : (!onnx.untyped, tensor<2x4xf32>) -> !onnx.untyped
  %right = onnx.node "MatMul"(%b, %out) {output_names = ["right"]}
      : (!onnx.untyped, tensor<2x4xf32>) -> !onnx.untyped
  %logits = onnx.node "Add"(%left, %right) {output_names = ["logits"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  onnx.yield %logits : !onnx.untyped
}

// -----

// A sigmoid gates other rows; alpha and beta of Gemm are part of its weights.

// CHECK-LABEL: func.func @step
// CHECK: %[[X:.*]] = llmc.embedding
// CHECK: %[[Y:.*]] = llmc.linear %[[X]]
// CHECK: llmc.gate <sigmoid> %[[Y]], %[[X]]
// 1, 5, 9, 13 times 2, and 1, 2, 3, 4 times 3
// CHECK: computed: "0x400000000000004000002041000090410000D041
// CHECK: computed_1: "0x40000000000040400000C0400000104100004041"
onnx.graph @main attributes {input_dims = [["b", "r"]], input_names = ["ids"],
    output_dims = [[]], output_names = ["logits"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  %table = onnx.initializer "table" : tensor<8x4xf32> = dense<1.0> : tensor<8x4xf32>
  %w = onnx.initializer "w" : tensor<4x4xf32> = dense<[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0], [9.0, 10.0, 11.0, 12.0], [13.0, 14.0, 15.0, 16.0]]> : tensor<4x4xf32>
  %bias = onnx.initializer "bias" : tensor<4xf32> = dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %flat = onnx.initializer "flat" : tensor<2xi64> = dense<[-1, 4]> : tensor<2xi64>
  %x = onnx.node "Gather"(%table, %ids) {output_names = ["x"]}
      : (tensor<8x4xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %rows = onnx.node "Reshape"(%x, %flat) {output_names = ["rows"]}
      : (!onnx.untyped, tensor<2xi64>) -> !onnx.untyped
  %y = onnx.node "Gemm"(%rows, %w, %bias) {node_attributes = {alpha = 2.0 : f32, beta = 3.0 : f32}, output_names = ["y"]}
      : (!onnx.untyped, tensor<4x4xf32>, tensor<4xf32>) -> !onnx.untyped
  %gate = onnx.node "Sigmoid"(%y) {output_names = ["gate"]}
      : (!onnx.untyped) -> !onnx.untyped
  %z = onnx.node "Mul"(%rows, %gate) {output_names = ["logits"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  onnx.yield %z : !onnx.untyped
}

// -----

// A norm of heads, with rows and heads along one axis.

// CHECK-LABEL: func.func @step
// CHECK: %[[Q:.*]] = llmc.linear
// CHECK: llmc.rms_norm %[[Q]]{{.*}}groups = 2
onnx.graph @main attributes {input_dims = [["b", "r"]], input_names = ["ids"],
    output_dims = [[]], output_names = ["logits"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  %table = onnx.initializer "table" : tensor<8x4xf32> = dense<1.0> : tensor<8x4xf32>
  %w = onnx.initializer "w" : tensor<4x4xf32> = dense<[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0], [9.0, 10.0, 11.0, 12.0], [13.0, 14.0, 15.0, 16.0]]> : tensor<4x4xf32>
  %gain = onnx.initializer "gain" : tensor<2xf32> = dense<[1.0, 2.0]> : tensor<2xf32>
  %merged = onnx.initializer "merged" : tensor<3xi64> = dense<[0, -1, 2]> : tensor<3xi64>
  %apart = onnx.initializer "apart" : tensor<3xi64> = dense<[0, -1, 4]> : tensor<3xi64>
  %x = onnx.node "Gather"(%table, %ids) {output_names = ["x"]}
      : (tensor<8x4xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %q = onnx.node "MatMul"(%x, %w) {output_names = ["q"]}
      : (!onnx.untyped, tensor<4x4xf32>) -> !onnx.untyped
  %heads = onnx.node "Reshape"(%q, %merged) {output_names = ["heads"]}
      : (!onnx.untyped, tensor<3xi64>) -> !onnx.untyped
  %norm = onnx.node "SimplifiedLayerNormalization"(%heads, %gain) {node_attributes = {axis = -1, epsilon = 1.0e-6 : f32}, output_names = ["norm"]}
      : (!onnx.untyped, tensor<2xf32>) -> !onnx.untyped
  %rows = onnx.node "Reshape"(%norm, %apart) {output_names = ["rows"]}
      : (!onnx.untyped, tensor<3xi64>) -> !onnx.untyped
  %logits = onnx.node "MatMul"(%rows, %w) {output_names = ["logits"]}
      : (!onnx.untyped, tensor<4x4xf32>) -> !onnx.untyped
  onnx.yield %logits : !onnx.untyped
}
