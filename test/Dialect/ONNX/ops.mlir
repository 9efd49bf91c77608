// RUN: llmc-opt %s | llmc-opt | FileCheck %s
// RUN: llmc-opt %s -emit-bytecode | llmc-opt | FileCheck %s

// CHECK: module attributes {onnx.opsets = {ai.onnx = 18 : i64, local = 1 : i64}}
module attributes {onnx.opsets = {ai.onnx = 18 : i64, local = 1 : i64}} {
// CHECK: onnx.function @"local::Turn" attributes {defaults = {order = array<i64: 1, 0>}
// CHECK-NEXT: ^bb0(%[[X:.*]]: !onnx.untyped):
// CHECK-NEXT: %[[Y:.*]] = onnx.node "Transpose"(%[[X]]) {node_attributes = {perm = #onnx.ref<"order", "INTS">}, output_names = ["y"]} : (!onnx.untyped) -> !onnx.untyped
// CHECK-NEXT: onnx.yield %[[Y]] : !onnx.untyped
onnx.function @"local::Turn" attributes {defaults = {order = array<i64: 1, 0>}, domain = "local",
    function_name = "Turn", input_names = ["x"], opsets = {ai.onnx = 18 : i64},
    output_names = ["y"], parameters = ["order"]} {
^bb0(%x: !onnx.untyped):
  %y = onnx.node "Transpose"(%x) {node_attributes = {perm = #onnx.ref<"order", "INTS">}, output_names = ["y"]}
      : (!onnx.untyped) -> !onnx.untyped
  onnx.yield %y : !onnx.untyped
}

// CHECK: onnx.graph @main
onnx.graph @main attributes {input_dims = [["batch", ""]], input_names = ["x"],
    output_dims = [[]], output_names = ["y"], output_types = [tensor<*xf32>]} {
^bb0(%x: tensor<?x4xf32>):
  // CHECK: %[[NONE:.*]] = onnx.absent
  %none = onnx.absent
  // CHECK-NEXT: %[[W:.*]] = onnx.initializer "w" : tensor<4x8xbf16> = #llmc.file<"{{.*}}data", offset = 64>
  %w = onnx.initializer "w" : tensor<4x8xbf16> = #llmc.file<"data", offset = 64>
  // CHECK-NEXT: %[[B:.*]] = onnx.initializer "b" : tensor<2xi4> = dense<[1, -2]> : tensor<2xi4>
  %b = onnx.initializer "b" : tensor<2xi4> = dense<[1, -2]> : tensor<2xi4>
  // CHECK-NEXT: %[[PARTS:.*]]:2 = onnx.node "Split"(%[[X:.*]], %[[NONE]]) {name = "split", node_attributes = {axis = 1 : i64}, output_names = ["p", ""]}
  %parts:2 = onnx.node "Split"(%x, %none)
      {name = "split", node_attributes = {axis = 1 : i64}, output_names = ["p", ""]}
      : (tensor<?x4xf32>, !onnx.absent) -> (!onnx.untyped, !onnx.untyped)
  // CHECK-NEXT: %[[Y:.*]] = onnx.node "If"(%[[PARTS]]#0) {graphs = ["else_branch", "then_branch"], output_names = ["y"]} : (!onnx.untyped) -> !onnx.untyped {
  // CHECK-NEXT: onnx.yield %[[PARTS]]#1 : !onnx.untyped
  // CHECK-NEXT: }, {
  // CHECK-NEXT: %[[T:.*]] = onnx.node "Turn"(%[[PARTS]]#1) {domain = "local", output_names = ["t"]}
  // CHECK-NEXT: onnx.yield %[[T]] : !onnx.untyped
  %y = onnx.node "If"(%parts#0) {graphs = ["else_branch", "then_branch"], output_names = ["y"]}
      : (!onnx.untyped) -> !onnx.untyped {
    onnx.yield %parts#1 : !onnx.untyped
  }, {
    %t = onnx.node "Turn"(%parts#1) {domain = "local", output_names = ["t"]}
        : (!onnx.untyped) -> !onnx.untyped
    onnx.yield %t : !onnx.untyped
  }
  // CHECK: onnx.yield %[[Y]] : !onnx.untyped
  onnx.yield %y : !onnx.untyped
}
}
