// Linears on rows that the graph rounds itself, and tables of integers.

// RUN: llmc-opt %s --raise-onnx --split-input-file --verify-diagnostics | FileCheck %s

// Scales are multiplied to the product one after the other; the weights' may come first.

// CHECK: llmc.parameter @embedding : tensor<8x32xf32, #llmc.grouped<bits = 8, group = tensor, zero = none, scale = f32>>
// CHECK: llmc.parameter @head : tensor<4x32xf32, #llmc.grouped<bits = 8, group = channel, zero = integer, scale = f32>>
// CHECK-LABEL: func.func @step
// CHECK: llmc.linear %{{.*}}, %{{.*}} activation <bits = 8, group = 32>
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"], output_dims = [[]],
    output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  %t = onnx.initializer "t" : tensor<8x32xi8> = dense<3> : tensor<8x32xi8>
  %ts = onnx.initializer "ts" : tensor<f32> = dense<0.5> : tensor<f32>
  %w = onnx.initializer "w" : tensor<32x4xui8> = dense<3> : tensor<32x4xui8>
  %ws = onnx.initializer "ws" : tensor<4xf32> = dense<0.5> : tensor<4xf32>
  %wz = onnx.initializer "wz" : tensor<ui8> = dense<7> : tensor<ui8>
  %e = onnx.node "Gather"(%t, %ids) {name = "e", output_names = ["e"]} : (tensor<8x32xi8>, tensor<?x?xi64>) -> !onnx.untyped
  %x = onnx.node "DequantizeLinear"(%e, %ts) {name = "x", output_names = ["x"]} : (!onnx.untyped, tensor<f32>) -> !onnx.untyped
  %q, %s, %z = onnx.node "DynamicQuantizeLinear"(%x) {name = "q", output_names = ["q", "s", "z"]} : (!onnx.untyped) -> (!onnx.untyped, !onnx.untyped, !onnx.untyped)
  %p = onnx.node "MatMulInteger"(%q, %w, %z, %wz) {name = "p", output_names = ["p"]} : (!onnx.untyped, tensor<32x4xui8>, !onnx.untyped, tensor<ui8>) -> !onnx.untyped
  %c = onnx.node "Cast"(%p) {name = "c", node_attributes = {to = 1 : i64}, output_names = ["c"]} : (!onnx.untyped) -> !onnx.untyped
  %a = onnx.node "Mul"(%ws, %c) {name = "a", output_names = ["a"]} : (tensor<4xf32>, !onnx.untyped) -> !onnx.untyped
  %y = onnx.node "Mul"(%a, %s) {name = "y", output_names = ["y"]} : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  onnx.yield %y : !onnx.untyped
}

// -----

// expected-error @below {{cannot raise 1 node of the graph}}
module {
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"], output_dims = [[]],
    output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  %t = onnx.initializer "t" : tensor<8x32xf32> = dense<1.0> : tensor<8x32xf32>
  %w = onnx.initializer "w" : tensor<32x4xi8> = dense<3> : tensor<32x4xi8>
  %ws = onnx.initializer "ws" : tensor<3xf32> = dense<0.5> : tensor<3xf32>
  %one = onnx.initializer "one" : tensor<f32> = dense<0.5> : tensor<f32>
  %x = onnx.node "Gather"(%t, %ids) {name = "x", output_names = ["x"]} : (tensor<8x32xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %q, %s, %z = onnx.node "DynamicQuantizeLinear"(%x) {name = "q", output_names = ["q", "s", "z"]} : (!onnx.untyped) -> (!onnx.untyped, !onnx.untyped, !onnx.untyped)
  // expected-note @below {{'y': expected integers and zero point of the same DynamicQuantizeLinear}}
  %y = onnx.node "MatMulInteger"(%q, %w) {name = "y", output_names = ["y"]} : (!onnx.untyped, tensor<32x4xi8>) -> !onnx.untyped
  onnx.yield %y : !onnx.untyped
}
}

// -----

// expected-error @below {{cannot raise 1 node of the graph}}
module {
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"], output_dims = [[]],
    output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  %t = onnx.initializer "t" : tensor<8x32xf32> = dense<1.0> : tensor<8x32xf32>
  %w = onnx.initializer "w" : tensor<32x4xi8> = dense<3> : tensor<32x4xi8>
  %ws = onnx.initializer "ws" : tensor<3xf32> = dense<0.5> : tensor<3xf32>
  %one = onnx.initializer "one" : tensor<f32> = dense<0.5> : tensor<f32>
  %x = onnx.node "Gather"(%t, %ids) {name = "x", output_names = ["x"]} : (tensor<8x32xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %q, %s, %z = onnx.node "DynamicQuantizeLinear"(%x) {name = "q", output_names = ["q", "s", "z"]} : (!onnx.untyped) -> (!onnx.untyped, !onnx.untyped, !onnx.untyped)
  // expected-note @below {{'y': expected a constant matrix of integers and constant zero points}}
  %y = onnx.node "MatMulInteger"(%q, %w, %z, %z) {name = "y", output_names = ["y"]} : (!onnx.untyped, tensor<32x4xi8>, !onnx.untyped, !onnx.untyped) -> !onnx.untyped
  onnx.yield %y : !onnx.untyped
}
}

// -----

// expected-error @below {{cannot raise 1 node of the graph}}
module {
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"], output_dims = [[]],
    output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  %t = onnx.initializer "t" : tensor<8x32xf32> = dense<1.0> : tensor<8x32xf32>
  %w = onnx.initializer "w" : tensor<32x4xi8> = dense<3> : tensor<32x4xi8>
  %ws = onnx.initializer "ws" : tensor<3xf32> = dense<0.5> : tensor<3xf32>
  %one = onnx.initializer "one" : tensor<f32> = dense<0.5> : tensor<f32>
  %x = onnx.node "Gather"(%t, %ids) {name = "x", output_names = ["x"]} : (tensor<8x32xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %q, %s, %z = onnx.node "DynamicQuantizeLinear"(%x) {name = "q", output_names = ["q", "s", "z"]} : (!onnx.untyped) -> (!onnx.untyped, !onnx.untyped, !onnx.untyped)
  %p = onnx.node "MatMulInteger"(%q, %w, %z) {name = "p", output_names = ["p"]} : (!onnx.untyped, tensor<32x4xi8>, !onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'y': expected a product of integers to be multiplied by scales}}
  %y = onnx.node "Add"(%p, %one) {name = "y", output_names = ["y"]} : (!onnx.untyped, tensor<f32>) -> !onnx.untyped
  onnx.yield %y : !onnx.untyped
}
}

// -----

// expected-error @below {{cannot raise 1 node of the graph}}
module {
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"], output_dims = [[]],
    output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  %t = onnx.initializer "t" : tensor<8x32xf32> = dense<1.0> : tensor<8x32xf32>
  %w = onnx.initializer "w" : tensor<32x4xi8> = dense<3> : tensor<32x4xi8>
  %ws = onnx.initializer "ws" : tensor<3xf32> = dense<0.5> : tensor<3xf32>
  %one = onnx.initializer "one" : tensor<f32> = dense<0.5> : tensor<f32>
  %x = onnx.node "Gather"(%t, %ids) {name = "x", output_names = ["x"]} : (tensor<8x32xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %q, %s, %z = onnx.node "DynamicQuantizeLinear"(%x) {name = "q", output_names = ["q", "s", "z"]} : (!onnx.untyped) -> (!onnx.untyped, !onnx.untyped, !onnx.untyped)
  %p = onnx.node "MatMulInteger"(%q, %w, %z) {name = "p", output_names = ["p"]} : (!onnx.untyped, tensor<32x4xi8>, !onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'y': expected the scale of DynamicQuantizeLinear}}
  %y = onnx.node "Mul"(%p, %z) {name = "y", output_names = ["y"]} : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  onnx.yield %y : !onnx.untyped
}
}

// -----

// expected-error @below {{cannot raise 1 node of the graph}}
module {
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"], output_dims = [[]],
    output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  %t = onnx.initializer "t" : tensor<8x32xf32> = dense<1.0> : tensor<8x32xf32>
  %w = onnx.initializer "w" : tensor<32x4xi8> = dense<3> : tensor<32x4xi8>
  %ws = onnx.initializer "ws" : tensor<3xf32> = dense<0.5> : tensor<3xf32>
  %one = onnx.initializer "one" : tensor<f32> = dense<0.5> : tensor<f32>
  %x = onnx.node "Gather"(%t, %ids) {name = "x", output_names = ["x"]} : (tensor<8x32xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %q, %s, %z = onnx.node "DynamicQuantizeLinear"(%x) {name = "q", output_names = ["q", "s", "z"]} : (!onnx.untyped) -> (!onnx.untyped, !onnx.untyped, !onnx.untyped)
  // expected-note @below {{'y': expected the scale of rows times a constant scale of weights}}
  %y = onnx.node "Mul"(%s, %s) {name = "y", output_names = ["y"]} : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  onnx.yield %y : !onnx.untyped
}
}

// -----

// expected-error @below {{cannot raise 1 node of the graph}}
module {
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"], output_dims = [[]],
    output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  %t = onnx.initializer "t" : tensor<8x32xf32> = dense<1.0> : tensor<8x32xf32>
  %w = onnx.initializer "w" : tensor<32x4xi8> = dense<3> : tensor<32x4xi8>
  %ws = onnx.initializer "ws" : tensor<3xf32> = dense<0.5> : tensor<3xf32>
  %one = onnx.initializer "one" : tensor<f32> = dense<0.5> : tensor<f32>
  %x = onnx.node "Gather"(%t, %ids) {name = "x", output_names = ["x"]} : (tensor<8x32xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %q, %s, %z = onnx.node "DynamicQuantizeLinear"(%x) {name = "q", output_names = ["q", "s", "z"]} : (!onnx.untyped) -> (!onnx.untyped, !onnx.untyped, !onnx.untyped)
  %p = onnx.node "MatMulInteger"(%q, %w, %z) {name = "p", output_names = ["p"]} : (!onnx.untyped, tensor<32x4xi8>, !onnx.untyped) -> !onnx.untyped
  %a = onnx.node "Mul"(%p, %s) {name = "a", output_names = ["a"]} : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'y': expected the scale of the same rows, once}}
  %y = onnx.node "Mul"(%a, %s) {name = "y", output_names = ["y"]} : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  onnx.yield %y : !onnx.untyped
}
}

// -----

// expected-error @below {{cannot raise 1 node of the graph}}
module {
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"], output_dims = [[]],
    output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  %t = onnx.initializer "t" : tensor<8x32xf32> = dense<1.0> : tensor<8x32xf32>
  %w = onnx.initializer "w" : tensor<32x4xi8> = dense<3> : tensor<32x4xi8>
  %ws = onnx.initializer "ws" : tensor<3xf32> = dense<0.5> : tensor<3xf32>
  %one = onnx.initializer "one" : tensor<f32> = dense<0.5> : tensor<f32>
  %x = onnx.node "Gather"(%t, %ids) {name = "x", output_names = ["x"]} : (tensor<8x32xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %q, %s, %z = onnx.node "DynamicQuantizeLinear"(%x) {name = "q", output_names = ["q", "s", "z"]} : (!onnx.untyped) -> (!onnx.untyped, !onnx.untyped, !onnx.untyped)
  %p = onnx.node "MatMulInteger"(%q, %w, %z) {name = "p", output_names = ["p"]} : (!onnx.untyped, tensor<32x4xi8>, !onnx.untyped) -> !onnx.untyped
  %a = onnx.node "Mul"(%p, %one) {name = "a", output_names = ["a"]} : (!onnx.untyped, tensor<f32>) -> !onnx.untyped
  // expected-note @below {{'y': expected a constant scale of weights, once}}
  %y = onnx.node "Mul"(%a, %one) {name = "y", output_names = ["y"]} : (!onnx.untyped, tensor<f32>) -> !onnx.untyped
  onnx.yield %y : !onnx.untyped
}
}

// -----

// expected-error @below {{cannot raise 1 node of the graph}}
module {
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"], output_dims = [[]],
    output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  %t = onnx.initializer "t" : tensor<8x32xf32> = dense<1.0> : tensor<8x32xf32>
  %w = onnx.initializer "w" : tensor<32x4xi8> = dense<3> : tensor<32x4xi8>
  %ws = onnx.initializer "ws" : tensor<3xf32> = dense<0.5> : tensor<3xf32>
  %one = onnx.initializer "one" : tensor<f32> = dense<0.5> : tensor<f32>
  %x = onnx.node "Gather"(%t, %ids) {name = "x", output_names = ["x"]} : (tensor<8x32xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %q, %s, %z = onnx.node "DynamicQuantizeLinear"(%x) {name = "q", output_names = ["q", "s", "z"]} : (!onnx.untyped) -> (!onnx.untyped, !onnx.untyped, !onnx.untyped)
  %p = onnx.node "MatMulInteger"(%q, %w, %z) {name = "p", output_names = ["p"]} : (!onnx.untyped, tensor<32x4xi8>, !onnx.untyped) -> !onnx.untyped
  %a = onnx.node "Mul"(%one, %s) {name = "a", output_names = ["a"]} : (tensor<f32>, !onnx.untyped) -> !onnx.untyped
  %b = onnx.node "Mul"(%a, %p) {name = "b", output_names = ["b"]} : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %d = onnx.node "MatMulInteger"(%q, %w, %z, %one) {name = "d", output_names = ["d"]} : (!onnx.untyped, tensor<32x4xi8>, !onnx.untyped, tensor<f32>) -> !onnx.untyped
  %f = onnx.node "Mul"(%d, %one) {name = "f", output_names = ["f"]} : (!onnx.untyped, tensor<f32>) -> !onnx.untyped
  // expected-note @below {{'y': expected a scale and a zero point for all weights, or for each output}}
  %y = onnx.node "Mul"(%s, %f) {name = "y", output_names = ["y"]} : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  onnx.yield %y : !onnx.untyped
}
}

// -----

// expected-error @below {{cannot raise 1 node of the graph}}
module {
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"], output_dims = [[]],
    output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  %t = onnx.initializer "t" : tensor<8x32xf32> = dense<1.0> : tensor<8x32xf32>
  %w = onnx.initializer "w" : tensor<32x4xi8> = dense<3> : tensor<32x4xi8>
  %ws = onnx.initializer "ws" : tensor<3xf32> = dense<0.5> : tensor<3xf32>
  %one = onnx.initializer "one" : tensor<f32> = dense<0.5> : tensor<f32>
  %x = onnx.node "Gather"(%t, %ids) {name = "x", output_names = ["x"]} : (tensor<8x32xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %q, %s, %z = onnx.node "DynamicQuantizeLinear"(%x) {name = "q", output_names = ["q", "s", "z"]} : (!onnx.untyped) -> (!onnx.untyped, !onnx.untyped, !onnx.untyped)
  %it = onnx.initializer "it" : tensor<8x32xi8> = dense<3> : tensor<8x32xi8>
  %g = onnx.node "Gather"(%it, %ids) {name = "g", output_names = ["g"]} : (tensor<8x32xi8>, tensor<?x?xi64>) -> !onnx.untyped
  // expected-note @below {{'y': expected rows of a constant matrix of integers, with a constant scale and zero point for all or for each column}}
  %y = onnx.node "DequantizeLinear"(%g, %ws) {name = "y", output_names = ["y"]} : (!onnx.untyped, tensor<3xf32>) -> !onnx.untyped
  onnx.yield %y : !onnx.untyped
}
}

// -----

// Fixed scales: linears with integer weights round their rows themselves, and what else is rounded
// stays as it is computed.

// CHECK-LABEL: func.func @step
// CHECK: llmc.linear %{{.*}}, %{{.*}} activation <bits = 8, group = 32>
// CHECK-NOT: activation
// CHECK: llmc.linear
// CHECK-NOT: activation
// CHECK: return
// expected-remark @below {{rounds 1 values before linears to 8 bits with scales of their own rows, where the graph has fixed ones, and leaves out 2 other roundings by fixed scales}}
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"], output_dims = [[]],
    output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %t = onnx.initializer "t" : tensor<8x32xf32> = dense<1.0> : tensor<8x32xf32>
  %w = onnx.initializer "w" : tensor<32x32xi8> = dense<3> : tensor<32x32xi8>
  %v = onnx.initializer "v" : tensor<32x4xf32> = dense<3.0> : tensor<32x4xf32>
  %s = onnx.initializer "s" : tensor<f32> = dense<0.5> : tensor<f32>
  %z = onnx.initializer "z" : tensor<ui8> = dense<7> : tensor<ui8>
  %x = onnx.node "Gather"(%t, %ids) {name = "x", output_names = ["x"]} : (tensor<8x32xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %xq = onnx.node "QuantizeLinear"(%x, %s, %z) {name = "xq", output_names = ["xq"]} : (!onnx.untyped, tensor<f32>, tensor<ui8>) -> !onnx.untyped
  %xd = onnx.node "DequantizeLinear"(%xq, %s, %z) {name = "xd", output_names = ["xd"]} : (!onnx.untyped, tensor<f32>, tensor<ui8>) -> !onnx.untyped
  %wd = onnx.node "DequantizeLinear"(%w, %s) {name = "wd", output_names = ["wd"]} : (tensor<32x32xi8>, tensor<f32>) -> !onnx.untyped
  %m = onnx.node "MatMul"(%xd, %wd) {name = "m", output_names = ["m"]} : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %mq = onnx.node "QuantizeLinear"(%m, %s, %z) {name = "mq", output_names = ["mq"]} : (!onnx.untyped, tensor<f32>, tensor<ui8>) -> !onnx.untyped
  %md = onnx.node "DequantizeLinear"(%mq, %s, %z) {name = "md", output_names = ["md"]} : (!onnx.untyped, tensor<f32>, tensor<ui8>) -> !onnx.untyped
  %n = onnx.node "MatMul"(%md, %v) {name = "n", output_names = ["n"]} : (!onnx.untyped, tensor<32x4xf32>) -> !onnx.untyped
  %nq = onnx.node "QuantizeLinear"(%n, %s, %z) {name = "nq", output_names = ["nq"]} : (!onnx.untyped, tensor<f32>, tensor<ui8>) -> !onnx.untyped
  %y = onnx.node "DequantizeLinear"(%nq, %s, %z) {name = "y", output_names = ["y"]} : (!onnx.untyped, tensor<f32>, tensor<ui8>) -> !onnx.untyped
  onnx.yield %y : !onnx.untyped
}

// -----

// expected-error @below {{cannot raise 3 nodes of the graph}}
module {
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"], output_dims = [[]],
    output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %t = onnx.initializer "t" : tensor<8x32xf32> = dense<1.0> : tensor<8x32xf32>
  %s = onnx.initializer "s" : tensor<f32> = dense<0.5> : tensor<f32>
  %other = onnx.initializer "other" : tensor<f32> = dense<0.25> : tensor<f32>
  %x = onnx.node "Gather"(%t, %ids) {name = "x", output_names = ["x"]} : (tensor<8x32xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %q = onnx.node "QuantizeLinear"(%x, %s) {name = "q", output_names = ["q"]} : (!onnx.untyped, tensor<f32>) -> !onnx.untyped
  // expected-note @below {{'y': expected the scale and zero point of the QuantizeLinear before it}}
  %y = onnx.node "DequantizeLinear"(%q, %other) {name = "y", output_names = ["y"]} : (!onnx.untyped, tensor<f32>) -> !onnx.untyped
  // expected-note @below {{'r': expected the integers of QuantizeLinear to be read by DequantizeLinear, found them read by Relu}}
  %r = onnx.node "Relu"(%q) {name = "r", output_names = ["r"]} : (!onnx.untyped) -> !onnx.untyped
  // expected-note @below {{'p': expected a constant scale and zero point}}
  %p = onnx.node "QuantizeLinear"(%x, %x) {name = "p", output_names = ["p"]} : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  onnx.yield %y : !onnx.untyped
}
}

// -----

// Integers of positive numbers alone make a relu, to which quantizers leave it; those of negative
// ones the other half. Where both signs are held, rows stay what they are.

// CHECK-LABEL: func.func @step
// CHECK: %[[X:.*]] = llmc.embedding
// CHECK: linalg.generic {{.*}} ins(%[[X]]
// CHECK-NEXT: ^bb0(%[[IN:.*]]: f32, %{{.*}}: f32):
// CHECK-NEXT: %[[UP:.*]] = arith.maximumf %[[IN]], %{{.*}}
// CHECK-NEXT: %[[SUM:.*]] = arith.addf %[[UP]], %[[IN]]
// CHECK-NEXT: arith.minimumf %[[SUM]], %{{.*}}
// CHECK: llmc.output_rows
module {
// expected-remark @below {{rounds 0 values before linears to 8 bits with scales of their own rows, where the graph has fixed ones, and leaves out 3 other roundings by fixed scales}}
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"], output_dims = [[]],
    output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %t = onnx.initializer "t" : tensor<8x4xf32> = dense<3.0> : tensor<8x4xf32>
  %scale = onnx.initializer "scale" : tensor<f32> = dense<0.5> : tensor<f32>
  %least = onnx.initializer "least" : tensor<i8> = dense<-128> : tensor<i8>
  %most = onnx.initializer "most" : tensor<ui8> = dense<255> : tensor<ui8>
  %middle = onnx.initializer "middle" : tensor<ui8> = dense<128> : tensor<ui8>
  %x = onnx.node "Gather"(%t, %ids) {name = "x", output_names = ["x"]} : (tensor<8x4xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %q0 = onnx.node "QuantizeLinear"(%x, %scale, %middle) {name = "q0", output_names = ["q0"]} : (!onnx.untyped, tensor<f32>, tensor<ui8>) -> !onnx.untyped
  %x0 = onnx.node "DequantizeLinear"(%q0, %scale, %middle) {name = "x0", output_names = ["x0"]} : (!onnx.untyped, tensor<f32>, tensor<ui8>) -> !onnx.untyped
  %q1 = onnx.node "QuantizeLinear"(%x0, %scale, %least) {name = "q1", output_names = ["q1"]} : (!onnx.untyped, tensor<f32>, tensor<i8>) -> !onnx.untyped
  %x1 = onnx.node "DequantizeLinear"(%q1, %scale, %least) {name = "x1", output_names = ["x1"]} : (!onnx.untyped, tensor<f32>, tensor<i8>) -> !onnx.untyped
  %up = onnx.node "Add"(%x1, %x0) {name = "up", output_names = ["up"]} : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %q2 = onnx.node "QuantizeLinear"(%up, %scale, %most) {name = "q2", output_names = ["q2"]} : (!onnx.untyped, tensor<f32>, tensor<ui8>) -> !onnx.untyped
  %y = onnx.node "DequantizeLinear"(%q2, %scale, %most) {name = "y", output_names = ["y"]} : (!onnx.untyped, tensor<f32>, tensor<ui8>) -> !onnx.untyped
  onnx.yield %y : !onnx.untyped
}
}

// -----

// expected-error @below {{cannot raise 1 node of the graph}}
module {
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"], output_dims = [[]],
    output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %t = onnx.initializer "t" : tensor<8x2xf32> = dense<3.0> : tensor<8x2xf32>
  %scale = onnx.initializer "scale" : tensor<2xf32> = dense<0.5> : tensor<2xf32>
  %mixed = onnx.initializer "mixed" : tensor<2xui8> = dense<[0, 9]> : tensor<2xui8>
  %x = onnx.node "Gather"(%t, %ids) {name = "x", output_names = ["x"]} : (tensor<8x2xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %q = onnx.node "QuantizeLinear"(%x, %scale, %mixed) {name = "q", node_attributes = {axis = 2 : i64}, output_names = ["q"]} : (!onnx.untyped, tensor<2xf32>, tensor<2xui8>) -> !onnx.untyped
  // expected-note @below {{'y': expected zero points that all leave both signs, or one}}
  %y = onnx.node "DequantizeLinear"(%q, %scale, %mixed) {name = "y", node_attributes = {axis = 2 : i64}, output_names = ["y"]} : (!onnx.untyped, tensor<2xf32>, tensor<2xui8>) -> !onnx.untyped
  onnx.yield %y : !onnx.untyped
}
}
