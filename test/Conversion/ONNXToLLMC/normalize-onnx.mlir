// Operators that fuse others become the nodes that they stand for, under the same name.

// RUN: llmc-opt %s --normalize-onnx --split-input-file --verify-diagnostics | FileCheck %s

// CHECK-LABEL: onnx.graph @main
onnx.graph @main attributes {input_dims = [["b", "r"]], input_names = ["ids"],
    output_dims = [[]], output_names = ["logits"], output_types = [!onnx.untyped]} {
// CHECK: ^bb0(%[[IDS:.*]]: tensor<?x?xi64>):
^bb0(%ids: tensor<?x?xi64>):
  %table = onnx.initializer "table" : tensor<8x8xf32> = dense<1.0> : tensor<8x8xf32>
  %w = onnx.initializer "w" : tensor<8x8xf32> = dense<2.0> : tensor<8x8xf32>
  // CHECK: %[[BIAS:.*]] = onnx.initializer "bias"
  %bias = onnx.initializer "bias" : tensor<8xf32> = dense<3.0> : tensor<8xf32>
  // CHECK: %[[X:.*]] = onnx.node "Gather"
  %x = onnx.node "Gather"(%table, %ids) {name = "x", output_names = ["x"]}
      : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped

  // Transposes and a factor.
  // CHECK: %[[T:.*]] = onnx.node "Transpose"(%{{.*}}) {name = "fused", node_attributes = {perm = array<i64: 1, 0>}
  // CHECK: %[[HALF:.*]] = onnx.initializer "" : tensor<f32> = dense<5.000000e-01>
  // CHECK: %[[ROWS:.*]] = onnx.node "Mul"(%[[X]], %[[HALF]]) {name = "fused"
  // CHECK: %[[Y:.*]] = onnx.node "MatMul"(%[[ROWS]], %[[T]]) {name = "fused"
  %fused = onnx.node "FusedMatMul"(%x, %w) {domain = "com.microsoft", name = "fused",
      node_attributes = {alpha = 0.5 : f32, transB = 1 : i64}, output_names = ["fused"]}
      : (!onnx.untyped, tensor<8x8xf32>) -> !onnx.untyped

  // CHECK: %[[SUM:.*]] = onnx.node "Add"(%[[Y]], %[[BIAS]]) {name = "gelu"
  // CHECK: %[[GELU:.*]] = onnx.node "Gelu"(%[[SUM]]) {name = "gelu"
  %gelu = onnx.node "BiasGelu"(%fused, %bias) {domain = "com.microsoft", name = "gelu",
      output_names = ["gelu"]} : (!onnx.untyped, tensor<8xf32>) -> !onnx.untyped

  // CHECK: %[[SUM:.*]] = onnx.node "Add"(%[[GELU]], %[[BIAS]]) {name = "fast"
  // CHECK: %[[FAST:.*]] = onnx.node "FastGelu"(%[[SUM]]) {domain = "com.microsoft", name = "fast"
  %fast = onnx.node "FastGelu"(%gelu, %bias) {domain = "com.microsoft", name = "fast",
      output_names = ["fast"]} : (!onnx.untyped, tensor<8xf32>) -> !onnx.untyped

  // The bias of a skip norm's sum goes to what comes from the layer.
  // CHECK: %[[SUM:.*]] = onnx.node "Add"(%[[FAST]], %[[BIAS]]) {name = "skip"
  // CHECK: %[[NORM:.*]]:4 = onnx.node "SkipSimplifiedLayerNormalization"(%[[SUM]], %[[X]], %[[BIAS]]) {domain = "com.microsoft", name = "skip", node_attributes = {epsilon =
  %skip:4 = onnx.node "SkipSimplifiedLayerNormalization"(%fast, %x, %bias, %bias)
      {domain = "com.microsoft", name = "skip", node_attributes = {epsilon = 1.0e-5 : f32},
       output_names = ["skip", "", "", "sum"]}
      : (!onnx.untyped, !onnx.untyped, tensor<8xf32>, tensor<8xf32>)
      -> (!onnx.untyped, !onnx.untyped, !onnx.untyped, !onnx.untyped)

  // CHECK: %[[CAST:.*]] = onnx.node "Cast"(%[[NORM]]#0) {name = "cast", node_attributes = {to = 1 : i64}
  %cast = onnx.node "CastLike"(%skip#0, %bias) {name = "cast", output_names = ["cast"]}
      : (!onnx.untyped, tensor<8xf32>) -> !onnx.untyped

  // CHECK: onnx.node "Sigmoid"(%[[CAST]]) {name = "swish"
  // CHECK: onnx.node "Mul"(%[[CAST]], %{{.*}}) {name = "swish"
  %swish = onnx.node "Swish"(%cast) {name = "swish", output_names = ["swish"]}
      : (!onnx.untyped) -> !onnx.untyped
  // CHECK: onnx.yield
  onnx.yield %swish : !onnx.untyped
}

// -----

// Gemm in the form rows · w + bias.

// CHECK-LABEL: onnx.graph @main
onnx.graph @main attributes {input_dims = [["b", "r"]], input_names = ["ids"],
    output_dims = [[]], output_names = ["logits"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %table = onnx.initializer "table" : tensor<8x8xf32> = dense<1.0> : tensor<8x8xf32>
  %bias = onnx.initializer "bias" : tensor<8xf32> = dense<3.0> : tensor<8xf32>
  %shape = onnx.initializer "shape" : tensor<2xi64> = dense<[-1, 8]> : tensor<2xi64>
  %x = onnx.node "Gather"(%table, %ids) {name = "x", output_names = ["x"]}
      : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %flat = onnx.node "Reshape"(%x, %shape) {name = "flat", output_names = ["flat"]}
      : (!onnx.untyped, tensor<2xi64>) -> !onnx.untyped
  // CHECK: %[[ALPHA:.*]] = onnx.initializer "" : tensor<f32> = dense<2.000000e+00>
  // CHECK: %[[ROWS:.*]] = onnx.node "Mul"(%{{.*}}, %[[ALPHA]]) {name = "gemm"
  // CHECK: %[[BETA:.*]] = onnx.initializer "" : tensor<f32> = dense<3.000000e+00>
  // CHECK: %[[BIAS:.*]] = onnx.node "Mul"(%{{.*}}, %[[BETA]]) {name = "gemm"
  // CHECK: %[[Y:.*]] = onnx.node "Gemm"(%[[ROWS]], %{{.*}}, %[[BIAS]]) {name = "gemm", node_attributes = {transB = 1 : i64}
  %gemm = onnx.node "Gemm"(%flat, %table, %bias) {name = "gemm", node_attributes =
      {alpha = 2.0 : f32, beta = 3.0 : f32, transB = 1 : i64}, output_names = ["gemm"]}
      : (!onnx.untyped, tensor<8x8xf32>, tensor<8xf32>) -> !onnx.untyped
  // CHECK: %[[PLAIN:.*]] = onnx.node "Gemm"(%{{.*}}, %{{.*}}) {name = "plain"
  // CHECK-NOT: "Mul"
  // CHECK: onnx.yield %[[PLAIN]]
  %plain = onnx.node "Gemm"(%gemm, %table) {name = "plain", output_names = ["plain"]}
      : (!onnx.untyped, tensor<8x8xf32>) -> !onnx.untyped
  onnx.yield %plain : !onnx.untyped
}

// -----

// What can't be expanded is reported by operator.

// expected-error @below {{cannot raise 3 nodes of the graph}}
module attributes {onnx.opsets = {ai.onnx = 23 : i64, com.microsoft = 1 : i64}} {
onnx.graph @main attributes {input_dims = [["b", "r"]], input_names = ["ids"],
    output_dims = [[]], output_names = ["logits"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %table = onnx.initializer "table" : tensor<8x7xf32> = dense<1.0> : tensor<8x7xf32>
  %bias = onnx.initializer "bias" : tensor<7xf32> = dense<3.0> : tensor<7xf32>
  %shape = onnx.initializer "shape" : tensor<2xi64> = dense<[-1, 7]> : tensor<2xi64>
  %x = onnx.node "Gather"(%table, %ids) {name = "x", output_names = ["x"]}
      : (tensor<8x7xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %flat = onnx.node "Reshape"(%x, %shape) {name = "flat", output_names = ["flat"]}
      : (!onnx.untyped, tensor<2xi64>) -> !onnx.untyped
  // expected-note @below {{'split': expected an even width, found 7}}
  %split = onnx.node "BiasSplitGelu"(%x, %bias) {domain = "com.microsoft", name = "split",
      output_names = ["split"]} : (!onnx.untyped, tensor<7xf32>) -> !onnx.untyped
  // expected-note @below {{'fused': expected Relu, LeakyRelu, Sigmoid or Tanh as its activation, found 'Elu'}}
  %fused = onnx.node "FusedGemm"(%flat, %table) {domain = "com.microsoft", name = "fused",
      node_attributes = {activation = "Elu", transB = 1 : i64}, output_names = ["fused"]}
      : (!onnx.untyped, tensor<8x7xf32>) -> !onnx.untyped
  %codes:3 = onnx.node "DynamicQuantizeLinear"(%x) {name = "codes",
      output_names = ["codes", "scale", "zero"]}
      : (!onnx.untyped) -> (!onnx.untyped, !onnx.untyped, !onnx.untyped)
  // expected-note @below {{'like': expected a second input whose type the file states}}
  %like = onnx.node "CastLike"(%x, %codes#0) {name = "like", output_names = ["like"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  onnx.yield %x : !onnx.untyped
}
}
