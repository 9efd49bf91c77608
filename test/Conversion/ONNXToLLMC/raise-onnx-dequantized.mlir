// Weights that DequantizeLinear computes: what shares scales along the inputs is #llmc.grouped.

// RUN: llmc-opt %s --raise-onnx --split-input-file --verify-diagnostics | FileCheck %s

// Blocks of signed 4-bit integers, stored in x out; a table with a scale for all.

// CHECK: llmc.parameter @embedding : tensor<8x8xf32, #llmc.grouped<bits = 8, group = tensor, zero = integer, scale = f32>>
// CHECK: llmc.parameter @head : tensor<4x8xf32, #llmc.grouped<bits = 4, group = 4, zero = none, scale = f16>>
// CHECK-LABEL: func.func @step
// CHECK: llmc.embedding
// CHECK: llmc.linear
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"], output_dims = [[]],
    output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  %tc = onnx.initializer "tc" : tensor<8x8xui8> = dense<3> : tensor<8x8xui8>
  %ts = onnx.initializer "ts" : tensor<f32> = dense<0.5> : tensor<f32>
  %tz = onnx.initializer "tz" : tensor<ui8> = dense<7> : tensor<ui8>
  %c = onnx.initializer "c" : tensor<8x4xi4> = dense<-3> : tensor<8x4xi4>
  %s = onnx.initializer "s" : tensor<2x4xf16> = dense<0.5> : tensor<2x4xf16>
  %t = onnx.node "DequantizeLinear"(%tc, %ts, %tz) {name = "t", output_names = ["t"]} : (tensor<8x8xui8>, tensor<f32>, tensor<ui8>) -> !onnx.untyped
  %w = onnx.node "DequantizeLinear"(%c, %s) {name = "w", node_attributes = {axis = 0 : i64, block_size = 4 : i64}, output_names = ["w"]} : (tensor<8x4xi4>, tensor<2x4xf16>) -> !onnx.untyped
  %wf = onnx.node "Cast"(%w) {name = "wf", node_attributes = {to = 1 : i64}, output_names = ["wf"]} : (!onnx.untyped) -> !onnx.untyped
  %x = onnx.node "Gather"(%t, %ids) {name = "x", output_names = ["x"]} : (!onnx.untyped, tensor<?x?xi64>) -> !onnx.untyped
  %y = onnx.node "MatMul"(%x, %wf) {name = "y", output_names = ["y"]} : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  onnx.yield %y : !onnx.untyped
}

// -----

// Scales that do not fit the integers.

// expected-error @below {{cannot raise 1 node of the graph}}
module {
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"], output_dims = [[]],
    output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  %tc = onnx.initializer "tc" : tensor<8xi8> = dense<3> : tensor<8xi8>
  %ts = onnx.initializer "ts" : tensor<3xf32> = dense<0.5> : tensor<3xf32>
  // expected-note @below {{'t': expected a scale and zero point for all, for each place of an axis, or for each block}}
  %t = onnx.node "DequantizeLinear"(%tc, %ts) {name = "t", node_attributes = {axis = 0 : i64}, output_names = ["t"]} : (tensor<8xi8>, tensor<3xf32>) -> !onnx.untyped
  onnx.yield %ids : tensor<?x?xi64>
}
}

// -----

// A scale for each input is in no encoding, and the integers are not there to compute the values.

// expected-error @below {{cannot raise 1 node of the graph}}
module {
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"], output_dims = [[]],
    output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  %table = onnx.initializer "table" : tensor<8x8xf32> = dense<1.0> : tensor<8x8xf32>
  %c = onnx.initializer "c" : tensor<8x1024xi8> = #llmc.file<"missing", offset = 0>
  %s = onnx.initializer "s" : tensor<8xf32> = dense<0.5> : tensor<8xf32>
  %w = onnx.node "DequantizeLinear"(%c, %s) {name = "w", node_attributes = {axis = 0 : i64}, output_names = ["w"]} : (tensor<8x1024xi8>, tensor<8xf32>) -> !onnx.untyped
  %x = onnx.node "Gather"(%table, %ids) {name = "x", output_names = ["x"]} : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  // expected-note @below {{'y': cannot compute weights whose scales are not shared along the inputs}}
  %y = onnx.node "MatMul"(%x, %w) {name = "y", output_names = ["y"]} : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  onnx.yield %y : !onnx.untyped
}
}
