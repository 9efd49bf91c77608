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
  // CHECK: %[[INNER:.*]] = onnx.node "Mul"(%[[SUM]], %{{.*}}) {name = "gelu"
  // CHECK: %[[ERF:.*]] = onnx.node "Erf"(%[[INNER]]) {name = "gelu"
  // CHECK: %[[SHARE:.*]] = onnx.node "Add"(%[[ERF]], %{{.*}}) {name = "gelu"
  // CHECK: %[[HALF:.*]] = onnx.node "Mul"(%[[SUM]], %{{.*}}) {name = "gelu"
  // CHECK: %[[GELU:.*]] = onnx.node "Mul"(%[[HALF]], %[[SHARE]]) {name = "gelu"
  %gelu = onnx.node "BiasGelu"(%fused, %bias) {domain = "com.microsoft", name = "gelu",
      output_names = ["gelu"]} : (!onnx.untyped, tensor<8xf32>) -> !onnx.untyped

  // CHECK: %[[SUM:.*]] = onnx.node "Add"(%[[GELU]], %[[BIAS]]) {name = "fast"
  // CHECK: %[[TANH:.*]] = onnx.node "Tanh"(%{{.*}}) {name = "fast"
  // CHECK: %[[SHARE:.*]] = onnx.node "Add"(%[[TANH]], %{{.*}}) {name = "fast"
  // CHECK: %[[FAST:.*]] = onnx.node "Mul"(%{{.*}}, %[[SHARE]]) {name = "fast"
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
  %bias = onnx.initializer "bias" : tensor<1xf32> = dense<3.0> : tensor<1xf32>
  %shape = onnx.initializer "shape" : tensor<2xi64> = dense<[-1, 8]> : tensor<2xi64>
  %x = onnx.node "Gather"(%table, %ids) {name = "x", output_names = ["x"]}
      : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %flat = onnx.node "Reshape"(%x, %shape) {name = "flat", output_names = ["flat"]}
      : (!onnx.untyped, tensor<2xi64>) -> !onnx.untyped
  // CHECK: %[[BIAS:.*]] = onnx.node "Expand"(%{{.*}}, %{{.*}}) {name = "gemm"
  // CHECK: onnx.node "Gemm"(%{{.*}}, %{{.*}}, %[[BIAS]]) {name = "gemm", node_attributes = {alpha = 2.000000e+00 : f32, beta = 3.000000e+00 : f32, transB = 1 : i64}
  %gemm = onnx.node "Gemm"(%flat, %table, %bias) {name = "gemm", node_attributes =
      {alpha = 2.0 : f32, beta = 3.0 : f32, transB = 1 : i64}, output_names = ["gemm"]}
      : (!onnx.untyped, tensor<8x8xf32>, tensor<1xf32>) -> !onnx.untyped
  // CHECK: %[[PLAIN:.*]] = onnx.node "Gemm"(%{{.*}}, %{{.*}}) {name = "plain"
  // CHECK-NOT: "Mul"
  // CHECK: onnx.yield %[[PLAIN]]
  %plain = onnx.node "Gemm"(%gemm, %table) {name = "plain", output_names = ["plain"]}
      : (!onnx.untyped, tensor<8x8xf32>) -> !onnx.untyped
  onnx.yield %plain : !onnx.untyped
}

// -----

// Sums over named axes are products of matrices, or of elements where nothing is summed.

// CHECK-LABEL: onnx.graph @main
onnx.graph @main attributes {input_dims = [["b", "r"]], input_names = ["ids"],
    output_dims = [[]], output_names = ["logits"], output_types = [!onnx.untyped]} {
^bb0(%a0: tensor<?x?xi64>):
  %table = onnx.initializer "table" : tensor<8x8xf32> = dense<1.0> : tensor<8x8xf32>
  %x = onnx.node "Gather"(%table, %a0) {name = "x", output_names = ["x"]}
      : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %w = onnx.initializer "w" : tensor<2x4x8xf32> = dense<1.0> : tensor<2x4x8xf32>
  // CHECK: %[[T:.*]] = onnx.node "Transpose"(%{{.*}}) {name = "linear", {{.*}}perm = array<i64: 2, 0, 1>
  // CHECK: %[[W:.*]] = onnx.node "Reshape"(%[[T]], %{{.*}}) {name = "linear"
  // CHECK: onnx.node "MatMul"(%{{.*}}, %[[W]]) {name = "linear"
  // CHECK: %[[Y:.*]] = onnx.node "Reshape"(%{{.*}}, %{{.*}}) {name = "linear"
  %linear = onnx.node "Einsum"(%x, %w) {name = "linear", node_attributes =
      {equation = "bsd,hkd->bshk"}, output_names = ["linear"]}
      : (!onnx.untyped, tensor<2x4x8xf32>) -> !onnx.untyped
  // CHECK: onnx.node "Transpose"(%[[Y]]) {name = "heads", {{.*}}perm = array<i64: 0, 2, 1, 3>
  %heads = onnx.node "Einsum"(%linear) {name = "heads", node_attributes =
      {equation = "bshk->bhsk"}, output_names = ["heads"]} : (!onnx.untyped) -> !onnx.untyped
  // CHECK: onnx.node "MatMul"(%{{.*}}, %{{.*}}) {name = "scores"
  %scores = onnx.node "Einsum"(%heads, %heads) {name = "scores", node_attributes =
      {equation = "bhqk,bhsk->bhqs"}, output_names = ["scores"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  onnx.yield %scores : !onnx.untyped
}

// -----

// A sequence is the tensors in it.

// CHECK-LABEL: onnx.graph @main
onnx.graph @main attributes {input_dims = [["b", "r"]], input_names = ["ids"],
    output_dims = [[]], output_names = ["logits"], output_types = [!onnx.untyped]} {
^bb0(%a0: tensor<?x?xi64>):
  %table = onnx.initializer "table" : tensor<8x8xf32> = dense<1.0> : tensor<8x8xf32>
  %x = onnx.node "Gather"(%table, %a0) {name = "x", output_names = ["x"]}
      : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %two = onnx.initializer "two" : tensor<i64> = dense<2> : tensor<i64>
  %last = onnx.initializer "last" : tensor<i64> = dense<-1> : tensor<i64>
  // CHECK: %[[PARTS:.*]]:4 = onnx.node "Split"
  // CHECK-NOT: Sequence
  // CHECK: onnx.yield %[[PARTS]]#3
  %parts = onnx.node "SplitToSequence"(%x, %two) {name = "parts", node_attributes =
      {axis = -1 : i64}, output_names = ["parts"]} : (!onnx.untyped, tensor<i64>) -> !onnx.untyped
  %part = onnx.node "SequenceAt"(%parts, %last) {name = "part", output_names = ["part"]}
      : (!onnx.untyped, tensor<i64>) -> !onnx.untyped
  onnx.yield %part : !onnx.untyped
}

// -----

// A choice between the same is none.

// CHECK-LABEL: onnx.graph @main
// CHECK-NOT: "If"
// CHECK: %[[Y:.*]] = onnx.node "Relu"(%{{.*}}) {name = "yes"
// CHECK: onnx.yield %[[Y]]
onnx.graph @main attributes {input_dims = [["b", "r"]], input_names = ["ids"],
    output_dims = [[]], output_names = ["logits"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %table = onnx.initializer "table" : tensor<8x8xf32> = dense<1.0> : tensor<8x8xf32>
  %many = onnx.initializer "many" : tensor<i64> = dense<99> : tensor<i64>
  %x = onnx.node "Gather"(%table, %ids) {name = "x", output_names = ["x"]}
      : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %count = onnx.node "Size"(%ids) {name = "count", output_names = ["count"]}
      : (tensor<?x?xi64>) -> !onnx.untyped
  %long = onnx.node "Greater"(%count, %many) {name = "long", output_names = ["long"]}
      : (!onnx.untyped, tensor<i64>) -> !onnx.untyped
  %y = onnx.node "If"(%long) {graphs = ["then_branch", "else_branch"], name = "if",
      output_names = ["y"]} : (!onnx.untyped) -> !onnx.untyped {
    %none = onnx.absent
    %yes = onnx.node "Relu"(%x) {name = "yes", output_names = ["yes"]}
        : (!onnx.untyped) -> !onnx.untyped
    onnx.yield %yes : !onnx.untyped
  }, {
    %none = onnx.absent
    %no = onnx.node "Relu"(%x) {name = "no", output_names = ["no"]}
        : (!onnx.untyped) -> !onnx.untyped
    onnx.yield %no : !onnx.untyped
  }
  onnx.yield %y : !onnx.untyped
}

// -----

// What can't be expanded is reported by operator.

// expected-error @below {{cannot raise 6 nodes of the graph}}
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
  // expected-note @below {{'diagonal': expected an equation of distinct labels for each of 1 operands, found 'bss->b'}}
  %diagonal = onnx.node "Einsum"(%x) {name = "diagonal", node_attributes = {equation = "bss->b"},
      output_names = ["diagonal"]} : (!onnx.untyped) -> !onnx.untyped
  %chunks = onnx.node "SequenceConstruct"(%x, %x) {name = "chunks", output_names = ["chunks"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %nine = onnx.initializer "nine" : tensor<i64> = dense<9> : tensor<i64>
  // expected-note @below {{'chunk': expected a known place in a sequence of 2}}
  %chunk = onnx.node "SequenceAt"(%chunks, %nine) {name = "chunk", output_names = ["chunk"]}
      : (!onnx.untyped, tensor<i64>) -> !onnx.untyped
  // expected-note @below {{'heads': expected heads that divide a width of 7, found 2}}
  %heads = onnx.node "MultiHeadAttention"(%x, %x, %x) {domain = "com.microsoft", name = "heads",
      node_attributes = {num_heads = 2 : i64}, output_names = ["heads"]}
      : (!onnx.untyped, !onnx.untyped, !onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'like': expected a second input whose type the file states}}
  %like = onnx.node "CastLike"(%x, %codes#0) {name = "like", output_names = ["like"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  onnx.yield %x : !onnx.untyped
}
}

// -----

// Equal nodes are one, whatever they are called, and a Softmax at the end is left out.

// CHECK-LABEL: onnx.graph @main
// CHECK: %[[X:.*]] = onnx.node "Gather"
// CHECK-NOT: "Gather"
// CHECK: %[[SUM:.*]] = onnx.node "Add"(%[[X]], %[[X]])
// CHECK-NOT: "LogSoftmax"
// CHECK: %[[LAST:.*]] = onnx.node "Identity"(%[[SUM]])
// CHECK: onnx.yield %[[LAST]]
// expected-remark @below {{leaves out LogSoftmax of the output: logits give the same probabilities}}
onnx.graph @main attributes {input_dims = [["b", "r"]], input_names = ["ids"],
    output_dims = [[]], output_names = ["logits"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %table = onnx.initializer "table" : tensor<8x8xf32> = dense<1.0> : tensor<8x8xf32>
  %x = onnx.node "Gather"(%table, %ids) {name = "x", output_names = ["x"]} : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %again = onnx.node "Gather"(%table, %ids) {name = "again", output_names = ["again"]} : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %sum = onnx.node "Add"(%x, %again) {name = "sum", output_names = ["sum"]} : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %chances = onnx.node "LogSoftmax"(%sum) {name = "chances", output_names = ["chances"]} : (!onnx.untyped) -> !onnx.untyped
  %y = onnx.node "Identity"(%chances) {name = "y", output_names = ["y"]} : (!onnx.untyped) -> !onnx.untyped
  onnx.yield %y : !onnx.untyped
}
