// RUN: llmc-opt %s --split-input-file --raise-onnx | FileCheck %s

// A function that the dialect has no name for is one operation on rows, with all that it is
// written with; parts that it has twice are computed once.

// CHECK-LABEL: func.func @step
// CHECK: linalg.generic
// CHECK-NEXT: ^bb0(%[[X:.*]]: f32, %{{.*}}: f32):
// CHECK: %[[UP:.*]] = arith.cmpf ogt, %[[X]], %{{.*}}
// CHECK: %[[SQUARE:.*]] = arith.mulf %[[X]], %[[X]]
// CHECK: %[[LEAST:.*]] = arith.minimumf %[[X]], %{{.*}}
// CHECK: %[[EXP:.*]] = math.exp %[[LEAST]]
// CHECK: %[[DOWN:.*]] = arith.subf %[[EXP]], %[[X]]
// CHECK: %[[Y:.*]] = arith.select %[[UP]], %[[SQUARE]], %[[DOWN]]
// CHECK: linalg.yield %[[Y]]
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"],
    output_dims = [[]], output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %table = onnx.initializer "table" : tensor<8x8xf32> = dense<0.5> : tensor<8x8xf32>
  %zero = onnx.initializer "zero" : tensor<f32> = dense<0.0> : tensor<f32>
  %two = onnx.initializer "two" : tensor<f32> = dense<2.0> : tensor<f32>
  %x = onnx.node "Gather"(%table, %ids) {name = "x", output_names = ["x"]}
      : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %up = onnx.node "Greater"(%x, %zero) {name = "up", output_names = ["up"]}
      : (!onnx.untyped, tensor<f32>) -> !onnx.untyped
  %square = onnx.node "Pow"(%x, %two) {name = "square", output_names = ["square"]}
      : (!onnx.untyped, tensor<f32>) -> !onnx.untyped
  %least = onnx.node "Min"(%x, %zero) {name = "least", output_names = ["least"]}
      : (!onnx.untyped, tensor<f32>) -> !onnx.untyped
  %exp = onnx.node "Exp"(%least) {name = "exp", output_names = ["exp"]}
      : (!onnx.untyped) -> !onnx.untyped
  %down = onnx.node "Sub"(%exp, %x) {name = "down", output_names = ["down"]}
      : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %y = onnx.node "Where"(%up, %square, %down) {name = "y", output_names = ["y"]}
      : (!onnx.untyped, !onnx.untyped, !onnx.untyped) -> !onnx.untyped
  onnx.yield %y : !onnx.untyped
}

// -----

// What bends like a tanh near 0 is none.

// CHECK-LABEL: func.func @step
// CHECK-NOT: llmc.activation
// CHECK: %[[IN:.*]] = arith.mulf %{{.*}}, %{{.*}} : f32
// CHECK: %[[ERF:.*]] = math.erf
// CHECK: arith.mulf %[[ERF]]
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"],
    output_dims = [[]], output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %table = onnx.initializer "table" : tensor<8x8xf32> = dense<0.5> : tensor<8x8xf32>
  %hundred = onnx.initializer "hundred" : tensor<f32> = dense<100.0> : tensor<f32>
  %x = onnx.node "Gather"(%table, %ids) {name = "x", output_names = ["x"]}
      : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %in = onnx.node "Div"(%x, %hundred) {name = "in", output_names = ["in"]}
      : (!onnx.untyped, tensor<f32>) -> !onnx.untyped
  %erf = onnx.node "Erf"(%in) {name = "erf", output_names = ["erf"]}
      : (!onnx.untyped) -> !onnx.untyped
  %y = onnx.node "Mul"(%erf, %hundred) {name = "y", output_names = ["y"]}
      : (!onnx.untyped, tensor<f32>) -> !onnx.untyped
  onnx.yield %y : !onnx.untyped
}
