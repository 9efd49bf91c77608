// What a node has beyond its operator's row is refused by name: inputs, attributes, versions.

// RUN: llmc-opt %s --raise-onnx --verify-diagnostics

// expected-error-re @below {{cannot raise {{[0-9]+}} nodes of the graph}}
module attributes {onnx.opsets = {ai.onnx = 21 : i64, com.microsoft = 1 : i64}} {
onnx.graph @main attributes {input_dims = [["batch", "seq"]], input_names = ["input_ids"], output_dims = [[]], output_names = ["logits"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  %table = onnx.initializer "table" : tensor<8x4xf32> = dense<1.0> : tensor<8x4xf32>
  %m23 = onnx.initializer "m23" : tensor<2x3xf32> = dense<1.0> : tensor<2x3xf32>
  %i21 = onnx.initializer "i21" : tensor<2x1xi64> = dense<0> : tensor<2x1xi64>
  %s28 = onnx.initializer "s28" : tensor<i64> = dense<28> : tensor<i64>
  %g2 = onnx.initializer "g2" : tensor<2xf32> = dense<1.0> : tensor<2xf32>
  %x = onnx.node "Gather"(%table, %ids) {name = "x", output_names = ["x"]}
      : (tensor<8x4xf32>, tensor<?x?xi64>) -> !onnx.untyped
  // expected-note @below {{'version': expected version 23 to 26 of its operator set, found 21}}
  %version = onnx.node "Attention"(%x, %x, %x) {name = "version", output_names = ["version"]}
      : (!onnx.untyped, !onnx.untyped, !onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'few': expected at least 2 inputs}}
  %few = onnx.node "MatMul"(%x) {name = "few", output_names = ["few"]}
      : (!onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'many': found 3 inputs, expected at most 2}}
  %many = onnx.node "MatMul"(%x, %x, %x) {name = "many", output_names = ["many"]}
      : (!onnx.untyped, !onnx.untyped, !onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'scaled': expected no input 'k_scale' (number 12): it is not supported}}
  %scaled = onnx.node "GroupQueryAttention"(%x, %x, %x, %none, %none, %s28, %s28, %none, %none, %none, %none, %none, %g2) {domain = "com.microsoft", name = "scaled", node_attributes = {num_heads = 2, kv_num_heads = 2}, output_names = ["scaled"]}
      : (!onnx.untyped, !onnx.untyped, !onnx.untyped, !onnx.absent, !onnx.absent, tensor<i64>, tensor<i64>, !onnx.absent, !onnx.absent, !onnx.absent, !onnx.absent, !onnx.absent, tensor<2xf32>) -> !onnx.untyped
  // expected-note @below {{'scores': expected attribute 'qk_output' to be 0, found 1}}
  %scores = onnx.node "GroupQueryAttention"(%x, %x, %x, %none, %none, %s28, %s28) {domain = "com.microsoft", name = "scores", node_attributes = {num_heads = 2, kv_num_heads = 2, qk_output = 1}, output_names = ["scores"]}
      : (!onnx.untyped, !onnx.untyped, !onnx.untyped, !onnx.absent, !onnx.absent, tensor<i64>, tensor<i64>) -> !onnx.untyped
  // expected-note @below {{'truth': expected attribute 'interleaved' to be 0 or 1, found 2}}
  %truth = onnx.node "RotaryEmbedding"(%x, %ids, %g2, %g2) {domain = "com.microsoft", name = "truth", node_attributes = {interleaved = 2}, output_names = ["truth"]}
      : (!onnx.untyped, tensor<?x?xi64>, tensor<2xf32>, tensor<2xf32>) -> !onnx.untyped
  // expected-note @below {{'future': expected no attribute 'new_kind', found 1: it is not supported}}
  %future = onnx.node "Softmax"(%x) {name = "future", node_attributes = {new_kind = 1}, output_names = ["future"]}
      : (!onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'reduction': expected attribute 'reduction' to be none, found add}}
  %reduction = onnx.node "ScatterND"(%m23, %i21, %m23) {name = "reduction", node_attributes = {reduction = "add"}, output_names = ["reduction"]}
      : (tensor<2x3xf32>, tensor<2x1xi64>, tensor<2x3xf32>) -> !onnx.untyped
  // expected-note @below {{'text': expected no attribute 'value_string', found text: it is not supported}}
  %text = onnx.node "Constant"() {name = "text", node_attributes = {value_string = "text"}, output_names = ["text"]}
      : () -> !onnx.untyped
  // expected-note @below {{'packed': expected attribute 'weight_prepacked' to be 0, found 1}}
  %packed = onnx.node "MatMulNBits"(%x, %table, %table) {domain = "com.microsoft", name = "packed", node_attributes = {K = 4, N = 8, block_size = 32, weight_prepacked = 1}, output_names = ["packed"]}
      : (!onnx.untyped, tensor<8x4xf32>, tensor<8x4xf32>) -> !onnx.untyped
  onnx.yield %x : !onnx.untyped
}
}
