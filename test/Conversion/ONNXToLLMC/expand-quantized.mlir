// Operators and weights as quantizers write them, replaced by what they stand for before the raise.

// RUN: llmc-opt %s --raise-onnx --split-input-file --verify-diagnostics | FileCheck %s

// NF4: the table's values times the scale of a block that runs over the ends of rows.

// CHECK: llmc.parameter @head : tensor<4x8xf32> = dense_resource<decoded>
// CHECK-LABEL: func.func @step
// CHECK: llmc.linear
// expected-remark @below {{decodes 1 matrix of 4-bit tables or permuted blocks into fp32, 24 bytes into 128}}
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"], output_dims = [[]],
    output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %t = onnx.initializer "t" : tensor<8x8xf32> = dense<0.5> : tensor<8x8xf32>
  %c = onnx.initializer "c" : tensor<16xui8> = dense<15> : tensor<16xui8>
  %s = onnx.initializer "s" : tensor<2xf32> = dense<0.5> : tensor<2xf32>
  %x = onnx.node "Gather"(%t, %ids) {name = "x", output_names = ["x"]} : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %y = onnx.node "MatMulBnb4"(%x, %c, %s) {domain = "com.microsoft", name = "y", node_attributes = {K = 8 : i64, N = 4 : i64, block_size = 16 : i64, quant_type = 1 : i64}, output_names = ["y"]} : (!onnx.untyped, tensor<16xui8>, tensor<2xf32>) -> !onnx.untyped
  onnx.yield %y : !onnx.untyped
}

// -----

// Zero points that are numbers: minima; whole ones stay zero points. 8-bit floats stay as they are
// stored, and constants behind QuantizeLinear become their integers, in ONNX Runtime's domain as in the
// standard's.

// CHECK-DAG: llmc.parameter @embedding : tensor<8x16xf32, #llmc.grouped<bits = 4, group = channel, zero = none, scale = f32>>
// CHECK-DAG: llmc.parameter {{.*}} : tensor<16x16xf32, #llmc.grouped<bits = 4, group = 16, zero = float, scale = f32>>
// CHECK-DAG: llmc.parameter {{.*}} : tensor<16x16xf32, #llmc.grouped<bits = 4, group = 16, zero = integer, scale = f16>>
// CHECK-DAG: llmc.parameter {{.*}} : tensor<16x16xf32, #llmc.grouped<bits = 8, group = tensor, zero = none, scale = f32>>
// CHECK-DAG: llmc.parameter @head : tensor<16x16xf32, #llmc.float<f8E4M3FN, group = tensor, scale = f32>> = dense_resource
// CHECK-LABEL: func.func @step
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"], output_dims = [[]],
    output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %tc = onnx.initializer "tc" : tensor<8x16xi4> = dense<-3> : tensor<8x16xi4>
  %ts = onnx.initializer "ts" : tensor<8x1xf32> = dense<0.5> : tensor<8x1xf32>
  %c = onnx.initializer "c" : tensor<16x1x8xui8> = dense<18> : tensor<16x1x8xui8>
  %s = onnx.initializer "s" : tensor<16x1xf16> = dense<0.5> : tensor<16x1xf16>
  %z = onnx.initializer "z" : tensor<16x1xf16> = dense<7.5> : tensor<16x1xf16>
  %zw = onnx.initializer "zw" : tensor<16x1xf16> = dense<7.0> : tensor<16x1xf16>
  %w = onnx.initializer "w" : tensor<16x16xf32> = dense<0.75> : tensor<16x16xf32>
  %one = onnx.initializer "one" : tensor<f32> = dense<0.5> : tensor<f32>
  %none = onnx.initializer "none" : tensor<i8> = dense<0> : tensor<i8>
  %f8 = onnx.initializer "f8" : tensor<16x16xf8E4M3FN> = dense<0.75> : tensor<16x16xf8E4M3FN>
  %x = onnx.node "GatherBlockQuantized"(%tc, %ids, %ts) {domain = "com.microsoft", name = "x", node_attributes = {block_size = 16 : i64, quantize_axis = 1 : i64}, output_names = ["x"]} : (tensor<8x16xi4>, tensor<?x?xi64>, tensor<8x1xf32>) -> !onnx.untyped
  %a = onnx.node "MatMulNBits"(%x, %c, %s, %z) {domain = "com.microsoft", name = "a", node_attributes = {K = 16 : i64, N = 16 : i64, block_size = 16 : i64}, output_names = ["a"]} : (!onnx.untyped, tensor<16x1x8xui8>, tensor<16x1xf16>, tensor<16x1xf16>) -> !onnx.untyped
  // The same codes with other zero points are other weights.
  %b = onnx.node "MatMulNBits"(%a, %c, %s, %zw) {domain = "com.microsoft", name = "b", node_attributes = {K = 16 : i64, N = 16 : i64, block_size = 16 : i64}, output_names = ["b"]} : (!onnx.untyped, tensor<16x1x8xui8>, tensor<16x1xf16>, tensor<16x1xf16>) -> !onnx.untyped
  %q = onnx.node "QuantizeLinear"(%w, %one, %none) {domain = "com.microsoft", name = "q", output_names = ["q"]} : (tensor<16x16xf32>, tensor<f32>, tensor<i8>) -> !onnx.untyped
  %d = onnx.node "DequantizeLinear"(%q, %one, %none) {domain = "com.microsoft", name = "d", output_names = ["d"]} : (!onnx.untyped, tensor<f32>, tensor<i8>) -> !onnx.untyped
  %e = onnx.node "MatMul"(%b, %d) {name = "e", output_names = ["e"]} : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %fd = onnx.node "DequantizeLinear"(%f8, %one) {name = "fd", output_names = ["fd"]} : (tensor<16x16xf8E4M3FN>, tensor<f32>) -> !onnx.untyped
  %y = onnx.node "MatMul"(%e, %fd) {name = "y", output_names = ["y"]} : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  onnx.yield %y : !onnx.untyped
}

// -----

// Integers that are an embedding's own are its numbers over its scale: nothing is rounded.

// CHECK-DAG: llmc.parameter @embedding : tensor<8x8xf32, #llmc.grouped<bits = 8, group = tensor, zero = integer, scale = f32>>
// CHECK-DAG: llmc.parameter @{{.*}} : tensor<8x8xf32, #llmc.grouped<bits = 8, group = tensor, zero = integer, scale = f32>>
// CHECK-LABEL: func.func @step
// CHECK: %[[Y:.*]] = llmc.linear %{{[^ ]*}}, %{{[^ ]*}} : (
// CHECK: llmc.scale %[[Y]] by 5.000000e-01
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"], output_dims = [[]],
    output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %t = onnx.initializer "t" : tensor<8x8xui8> = dense<9> : tensor<8x8xui8>
  %ts = onnx.initializer "ts" : tensor<f32> = dense<0.25> : tensor<f32>
  %tz = onnx.initializer "tz" : tensor<ui8> = dense<7> : tensor<ui8>
  %w = onnx.initializer "w" : tensor<8x8xui8> = dense<5> : tensor<8x8xui8>
  %ws = onnx.initializer "ws" : tensor<f32> = dense<0.5> : tensor<f32>
  %wz = onnx.initializer "wz" : tensor<ui8> = dense<3> : tensor<ui8>
  %e = onnx.node "Gather"(%t, %ids) {name = "e", output_names = ["e"]} : (tensor<8x8xui8>, tensor<?x?xi64>) -> !onnx.untyped
  %p = onnx.node "MatMulInteger"(%e, %w, %tz, %wz) {name = "p", output_names = ["p"]} : (!onnx.untyped, tensor<8x8xui8>, tensor<ui8>, tensor<ui8>) -> !onnx.untyped
  %x = onnx.node "DequantizeLinear"(%e, %ts, %tz) {name = "x", output_names = ["x"]} : (!onnx.untyped, tensor<f32>, tensor<ui8>) -> !onnx.untyped
  %c = onnx.node "Cast"(%p) {name = "c", node_attributes = {to = 1 : i64}, output_names = ["c"]} : (!onnx.untyped) -> !onnx.untyped
  %s = onnx.node "Mul"(%ts, %ws) {name = "s", output_names = ["s"]} : (tensor<f32>, tensor<f32>) -> !onnx.untyped
  %a = onnx.node "Mul"(%c, %s) {name = "a", output_names = ["a"]} : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  %y = onnx.node "Add"(%a, %x) {name = "y", output_names = ["y"]} : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  onnx.yield %y : !onnx.untyped
}

// -----

// Where nothing else reads them, they are numbers of scale one.

// CHECK-LABEL: func.func @step
// CHECK: %[[X:.*]] = llmc.embedding
// CHECK: %[[KEPT:.*]] = llmc.output_rows %[[X]]
// CHECK: %[[Y:.*]] = llmc.linear %[[KEPT]], %{{[^ ]*}} : (
// CHECK: llmc.scale %[[Y]] by 6.250000e-02
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"], output_dims = [[]],
    output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %none = onnx.absent
  %t = onnx.initializer "t" : tensor<8x8xui8> = dense<9> : tensor<8x8xui8>
  %one = onnx.initializer "one" : tensor<f32> = dense<0.125> : tensor<f32>
  %w = onnx.initializer "w" : tensor<8x8xui8> = dense<5> : tensor<8x8xui8>
  %ws = onnx.initializer "ws" : tensor<f32> = dense<0.5> : tensor<f32>
  %wz = onnx.initializer "wz" : tensor<ui8> = dense<3> : tensor<ui8>
  %e = onnx.node "Gather"(%t, %ids) {name = "e", output_names = ["e"]} : (tensor<8x8xui8>, tensor<?x?xi64>) -> !onnx.untyped
  %p = onnx.node "MatMulInteger"(%e, %w, %none, %wz) {name = "p", output_names = ["p"]} : (!onnx.untyped, tensor<8x8xui8>, !onnx.absent, tensor<ui8>) -> !onnx.untyped
  %c = onnx.node "Cast"(%p) {name = "c", node_attributes = {to = 1 : i64}, output_names = ["c"]} : (!onnx.untyped) -> !onnx.untyped
  %s = onnx.node "Mul"(%one, %ws) {name = "s", output_names = ["s"]} : (tensor<f32>, tensor<f32>) -> !onnx.untyped
  %y = onnx.node "Mul"(%c, %s) {name = "y", output_names = ["y"]} : (!onnx.untyped, !onnx.untyped) -> !onnx.untyped
  onnx.yield %y : !onnx.untyped
}

// -----

// Operators with scales as operands are the plain operator between roundings; with rows that are
// rounded as they come, dynamic quantization.

// CHECK-LABEL: func.func @step
// CHECK: %[[A:.*]] = llmc.linear {{.*}} activation <bits = 8, group = 32>
// CHECK: llmc.linear %[[A]], {{.*}} bias {{.*}} activation <bits = 8, group = 32>
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"], output_dims = [[]],
    output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %absent = onnx.absent
  %t = onnx.initializer "t" : tensor<8x8xf32> = dense<0.5> : tensor<8x8xf32>
  %c = onnx.initializer "c" : tensor<8x8xi8> = dense<5> : tensor<8x8xi8>
  %s = onnx.initializer "s" : tensor<f32> = dense<0.5> : tensor<f32>
  %bias = onnx.initializer "bias" : tensor<8xf32> = dense<0.5> : tensor<8xf32>
  %x = onnx.node "Gather"(%t, %ids) {name = "x", output_names = ["x"]} : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %q:3 = onnx.node "DynamicQuantizeLinear"(%x) {name = "q", output_names = ["q", "qs", "qz"]} : (!onnx.untyped) -> (!onnx.untyped, !onnx.untyped, !onnx.untyped)
  %a = onnx.node "MatMulIntegerToFloat"(%q#0, %c, %q#1, %s, %q#2) {domain = "com.microsoft", name = "a", output_names = ["a"]} : (!onnx.untyped, tensor<8x8xi8>, !onnx.untyped, tensor<f32>, !onnx.untyped) -> !onnx.untyped
  %y = onnx.node "DynamicQuantizeMatMul"(%a, %c, %s, %absent, %bias) {domain = "com.microsoft", name = "y", output_names = ["y"]} : (!onnx.untyped, tensor<8x8xi8>, tensor<f32>, !onnx.absent, tensor<8xf32>) -> !onnx.untyped
  onnx.yield %y : !onnx.untyped
}

// -----

onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"], output_dims = [[]],
    output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %t = onnx.initializer "t" : tensor<8x8xf32> = dense<0.5> : tensor<8x8xf32>
  %c = onnx.initializer "c" : tensor<16xui8> = dense<15> : tensor<16xui8>
  %s = onnx.initializer "s" : tensor<2xf32> = dense<0.5> : tensor<2xf32>
  %x = onnx.node "Gather"(%t, %ids) {name = "x", output_names = ["x"]} : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  // expected-error @below {{expected a quant_type of 0 (FP4) or 1 (NF4), found 2}}
  %y = onnx.node "MatMulBnb4"(%x, %c, %s) {domain = "com.microsoft", name = "y", node_attributes = {K = 8 : i64, N = 4 : i64, block_size = 16 : i64, quant_type = 2 : i64}, output_names = ["y"]} : (!onnx.untyped, tensor<16xui8>, tensor<2xf32>) -> !onnx.untyped
  onnx.yield %y : !onnx.untyped
}

// -----

onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"], output_dims = [[]],
    output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %t = onnx.initializer "t" : tensor<8x8xf32> = dense<0.5> : tensor<8x8xf32>
  %c = onnx.initializer "c" : tensor<16xui8> = dense<15> : tensor<16xui8>
  %s = onnx.initializer "s" : tensor<3xf32> = dense<0.5> : tensor<3xf32>
  %x = onnx.node "Gather"(%t, %ids) {name = "x", output_names = ["x"]} : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  // expected-error @below {{expected K, N and block_size of 1 or more, and constants with a code for each of N × K weights and a scale for each block}}
  %y = onnx.node "MatMulBnb4"(%x, %c, %s) {domain = "com.microsoft", name = "y", node_attributes = {K = 8 : i64, N = 4 : i64, block_size = 16 : i64, quant_type = 1 : i64}, output_names = ["y"]} : (!onnx.untyped, tensor<16xui8>, tensor<3xf32>) -> !onnx.untyped
  onnx.yield %y : !onnx.untyped
}

// -----

onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"], output_dims = [[]],
    output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %t = onnx.initializer "t" : tensor<8x8xf32> = dense<0.5> : tensor<8x8xf32>
  %c = onnx.initializer "c" : tensor<16xui8> = dense<15> : tensor<16xui8>
  %s = onnx.initializer "s" : tensor<2xf32> = dense<0.5> : tensor<2xf32>
  %x = onnx.node "Gather"(%t, %ids) {name = "x", output_names = ["x"]} : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  // expected-error @below {{expected transB = 1 and training_mode = 0, found 0 and 0}}
  %y = onnx.node "MatMulBnb4"(%x, %c, %s) {domain = "com.microsoft", name = "y", node_attributes = {K = 8 : i64, N = 4 : i64, block_size = 16 : i64, quant_type = 1 : i64, transB = 0 : i64}, output_names = ["y"]} : (!onnx.untyped, tensor<16xui8>, tensor<2xf32>) -> !onnx.untyped
  onnx.yield %y : !onnx.untyped
}

// -----

onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"], output_dims = [[]],
    output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %w = onnx.initializer "w" : tensor<1x1xf32> = dense<0.0> : tensor<1x1xf32>
  %zero = onnx.initializer "zero" : tensor<f32> = dense<0.0> : tensor<f32>
  // expected-error @below {{expected numbers divided by scales, found what is no number at element 0}}
  %y = onnx.node "QuantizeLinear"(%w, %zero) {name = "y", output_names = ["y"]} : (tensor<1x1xf32>, tensor<f32>) -> !onnx.untyped
  onnx.yield %y : !onnx.untyped
}

// -----

onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"], output_dims = [[]],
    output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %w = onnx.initializer "w" : tensor<64x64xf32> = #llmc.file<"missing", offset = 0>
  %one = onnx.initializer "one" : tensor<f32> = dense<1.0> : tensor<f32>
  // expected-error @below {{cannot read its weights}}
  %y = onnx.node "QuantizeLinear"(%w, %one) {name = "y", output_names = ["y"]} : (tensor<64x64xf32>, tensor<f32>) -> !onnx.untyped
  onnx.yield %y : !onnx.untyped
}

// -----

// Sizes that no file has: left alone, and refused by the raise.

// expected-error @below {{cannot raise 1 node of the graph}}
module {
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"], output_dims = [[]],
    output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %absent = onnx.absent
  %t = onnx.initializer "t" : tensor<8x8xf32> = dense<0.5> : tensor<8x8xf32>
  %huge = onnx.initializer "huge" : tensor<65536x65536xf32> = dense<0.5> : tensor<65536x65536xf32>
  %s = onnx.initializer "s" : tensor<f32> = dense<0.5> : tensor<f32>
  %x = onnx.node "Gather"(%t, %ids) {name = "x", output_names = ["x"]} : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  %q = onnx.node "QuantizeLinear"(%huge, %s) {name = "q", output_names = ["q"]} : (tensor<65536x65536xf32>, tensor<f32>) -> !onnx.untyped
  // expected-note @below {{'p': this operator is not known}}
  %p:2 = onnx.node "QLinearMatMul"(%x, %s, %absent, %x, %s, %absent, %s, %absent) {name = "p", output_names = ["p", "p2"]} : (!onnx.untyped, tensor<f32>, !onnx.absent, !onnx.untyped, tensor<f32>, !onnx.absent, tensor<f32>, !onnx.absent) -> (!onnx.untyped, !onnx.untyped)
  onnx.yield %x : !onnx.untyped
}
}

// -----

// expected-error @below {{cannot raise 1 node of the graph}}
module {
onnx.graph @main attributes {input_dims = [[]], input_names = ["ids"], output_dims = [[]],
    output_names = ["y"], output_types = [!onnx.untyped]} {
^bb0(%ids: tensor<?x?xi64>):
  %absent = onnx.absent
  %t = onnx.initializer "t" : tensor<8x8xf32> = dense<0.5> : tensor<8x8xf32>
  %none = onnx.initializer "none" : tensor<0xui8> = dense<> : tensor<0xui8>
  %s64 = onnx.initializer "s64" : tensor<64xf32> = dense<0.5> : tensor<64xf32>
  %order = onnx.initializer "order" : tensor<8xi32> = dense<[1, 0, 2, 3, 4, 5, 6, 7]> : tensor<8xi32>
  %x = onnx.node "Gather"(%t, %ids) {name = "x", output_names = ["x"]} : (tensor<8x8xf32>, tensor<?x?xi64>) -> !onnx.untyped
  // expected-note @below {{'n': expected a g_idx that counts up by blocks, or that permutes}}
  %n = onnx.node "MatMulNBits"(%x, %none, %s64, %absent, %order) {domain = "com.microsoft", name = "n", node_attributes = {K = 8 : i64, N = 8 : i64, block_size = 1 : i64}, output_names = ["n"]} : (!onnx.untyped, tensor<0xui8>, tensor<64xf32>, !onnx.absent, tensor<8xi32>) -> !onnx.untyped
  onnx.yield %n : !onnx.untyped
}
}
