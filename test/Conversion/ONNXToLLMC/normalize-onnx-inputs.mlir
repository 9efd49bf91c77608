// What inputs are for: caches of any layout become plain ones, others are told by name and type.

// RUN: llmc-opt %s --normalize-onnx --split-input-file --verify-diagnostics | FileCheck %s

// Keys and values in one tensor, which is taken apart.

// CHECK-LABEL: onnx.graph @main
// CHECK-SAME: input_names = ["ids", "past_0.0", "past_0.1"]
// CHECK-NEXT: ^bb0(%{{.*}}: tensor<?x?xi64>, %[[KEYS:.*]]: tensor<?x2x?x4xf32>, %[[VALUES:.*]]: tensor<?x2x?x4xf32>):
// CHECK: %[[X:.*]] = onnx.node "Transpose"(%{{.*}}) {name = "heads"
// CHECK: onnx.node "Concat"(%[[KEYS]], %[[X]]) {name = "keys"
// CHECK: onnx.node "Concat"(%[[VALUES]], %[[X]]) {name = "values"
// CHECK-NOT: "Gather"(%[[KEYS]]
onnx.graph @main attributes {input_dims = [["b", "r"], ["", "b", "", "p", ""]], input_names = ["ids", "past_0"],
    output_dims = [[]], output_names = ["logits"], output_types = [!onnx.untyped]} {
^bb0(%a0: tensor<?x?xi64>, %a1: tensor<2x?x2x?x4xf32>):
  %table = onnx.initializer "table" : tensor<8x8xf32> = dense<1.0> : tensor<8x8xf32>
  %x = onnx.node "Gather"(%table, %a0) {name = "x", output_names = ["x"]}
      : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %shape = onnx.initializer "shape" : tensor<4xi64> = dense<[0, 0, 2, 4]> : tensor<4xi64>
  %zero = onnx.initializer "zero" : tensor<i64> = dense<0> : tensor<i64>
  %one = onnx.initializer "one" : tensor<i64> = dense<1> : tensor<i64>
  %split = onnx.node "Reshape"(%x, %shape) {name = "split", output_names = ["split"]}
      : (!onnx.untyped, tensor<4xi64>) -> !onnx.untyped
  %heads = onnx.node "Transpose"(%split) {name = "heads", node_attributes =
      {perm = array<i64: 0, 2, 1, 3>}, output_names = ["heads"]} : (!onnx.untyped) -> !onnx.untyped
  %pk = onnx.node "Gather"(%a1, %zero) {name = "pk", node_attributes = {axis = 0 : i64},
      output_names = ["pk"]} : (tensor<2x?x2x?x4xf32>, tensor<i64>) -> !onnx.untyped
  %pv = onnx.node "Gather"(%a1, %one) {name = "pv", node_attributes = {axis = 0 : i64},
      output_names = ["pv"]} : (tensor<2x?x2x?x4xf32>, tensor<i64>) -> !onnx.untyped
  %keys = onnx.node "Concat"(%pk, %heads) {name = "keys", node_attributes = {axis = 2 : i64},
      output_names = ["keys"]} : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %values = onnx.node "Concat"(%pv, %heads) {name = "values", node_attributes = {axis = 2 : i64},
      output_names = ["values"]} : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %sum = onnx.node "Add"(%keys, %values) {name = "sum", output_names = ["sum"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  onnx.yield %sum : !onnx.untyped
}

// -----

// Positions before heads: new rows are turned, joined, and turned back.

// CHECK-LABEL: onnx.graph @main
// CHECK-NEXT: ^bb0(%{{.*}}: tensor<?x?xi64>, %[[PAST:.*]]: tensor<?x2x?x4xf32>):
// CHECK: %[[SPLIT:.*]] = onnx.node "Reshape"
// CHECK: %[[NEW:.*]] = onnx.node "Transpose"(%[[SPLIT]]) {name = "keys", node_attributes = {perm = array<i64: 0, 2, 1, 3>}
// CHECK: %[[ALL:.*]] = onnx.node "Concat"(%[[PAST]], %[[NEW]]) {name = "keys", node_attributes = {axis = 2 : i64}
// CHECK: %[[KEYS:.*]] = onnx.node "Transpose"(%[[ALL]])
// CHECK: onnx.node "Relu"(%[[KEYS]])
onnx.graph @main attributes {input_dims = [["b", "r"], ["b", "p", "", ""]], input_names = ["ids", "state"],
    output_dims = [[]], output_names = ["logits"], output_types = [!onnx.untyped]} {
^bb0(%a0: tensor<?x?xi64>, %a1: tensor<?x?x2x4xf32>):
  %table = onnx.initializer "table" : tensor<8x8xf32> = dense<1.0> : tensor<8x8xf32>
  %x = onnx.node "Gather"(%table, %a0) {name = "x", output_names = ["x"]}
      : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %shape = onnx.initializer "shape" : tensor<4xi64> = dense<[0, 0, 2, 4]> : tensor<4xi64>
  %split = onnx.node "Reshape"(%x, %shape) {name = "split", output_names = ["split"]}
      : (!onnx.untyped, tensor<4xi64>) -> !onnx.untyped
  %keys = onnx.node "Concat"(%a1, %split) {name = "keys", node_attributes = {axis = 1 : i64},
      output_names = ["keys"]} : (tensor<?x?x2x4xf32>, !onnx.untyped) -> !onnx.untyped
  %relu = onnx.node "Relu"(%keys) {name = "relu", output_names = ["relu"]}
      : (!onnx.untyped) -> !onnx.untyped
  onnx.yield %relu : !onnx.untyped
}

// -----

// Caches of one length.

// expected-error @below {{expected caches of any length, but the graph has a fixed length of 32 positions, by its input "past_key" (export the model with dynamic axes)}}
onnx.graph @main attributes {input_dims = [["b", "r"], ["", "", "", ""]], input_names = ["ids", "past_key"],
    output_dims = [[]], output_names = ["logits"], output_types = [!onnx.untyped]} {
^bb0(%a0: tensor<?x?xi64>, %a1: tensor<1x2x32x4xf32>):
  %table = onnx.initializer "table" : tensor<8x8xf32> = dense<1.0> : tensor<8x8xf32>
  %x = onnx.node "Gather"(%table, %a0) {name = "x", output_names = ["x"]}
      : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %y = onnx.node "Relu"(%a1) {name = "y", output_names = ["y"]} : (tensor<1x2x32x4xf32>) -> !onnx.untyped
  onnx.yield %x : !onnx.untyped
}

// -----

// A scalar of unknown meaning.

// expected-error @below {{expected inputs that hold tokens, positions, a mask or a cache, found 'state' (tensor<i64>)}}
onnx.graph @main attributes {input_dims = [["b", "r"], []], input_names = ["ids", "state"],
    output_dims = [[]], output_names = ["logits"], output_types = [!onnx.untyped]} {
^bb0(%a0: tensor<?x?xi64>, %a1: tensor<i64>):
  %table = onnx.initializer "table" : tensor<8x8xf32> = dense<1.0> : tensor<8x8xf32>
  %x = onnx.node "Gather"(%table, %a0) {name = "x", output_names = ["x"]}
      : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %y = onnx.node "Add"(%x, %a1) {name = "y", output_names = ["y"]} : (!onnx.untyped, tensor<i64>) -> !onnx.untyped
  onnx.yield %y : !onnx.untyped
}

// -----

// Tokens of one length.

// expected-error @below {{expected any number of tokens, but the graph has a fixed length of 32 tokens, by its input 'ids' (export the model with dynamic axes)}}
onnx.graph @main attributes {input_dims = [["", ""]], input_names = ["ids"],
    output_dims = [[]], output_names = ["logits"], output_types = [!onnx.untyped]} {
^bb0(%a0: tensor<1x32xi64>):
  %table = onnx.initializer "table" : tensor<8x8xf32> = dense<1.0> : tensor<8x8xf32>
  %x = onnx.node "Gather"(%table, %a0) {name = "x", output_names = ["x"]}
      : (tensor<8x8xf32>, tensor<1x32xi64>) -> !onnx.untyped
  onnx.yield %x : !onnx.untyped
}

// -----

// Embeddings in the place of tokens.

// expected-error @below {{expected inputs that hold tokens, positions, a mask or a cache, found 'inputs_embeds' (tensor<?x?x8xf32>)}}
// expected-note @below {{embeddings can't stand in for tokens: export the model with its embedding table, and input_ids as input}}
onnx.graph @main attributes {input_dims = [["b", "r", ""]], input_names = ["inputs_embeds"],
    output_dims = [[]], output_names = ["logits"], output_types = [!onnx.untyped]} {
^bb0(%a0: tensor<?x?x8xf32>):
  %y = onnx.node "Relu"(%a0) {name = "y", output_names = ["y"]}
      : (tensor<?x?x8xf32>) -> !onnx.untyped
  onnx.yield %y : !onnx.untyped
}
