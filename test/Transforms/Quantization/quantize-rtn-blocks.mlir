// Layers that a pass leaves alone are no longer the same block; once they are alike, they are again.

// RUN: rm -rf %t && mkdir -p %t && cp %s %t/model.mlir
// RUN: %python %S/../Inputs/make_weights.py %t/weights.bin 8192
// RUN: llmc-opt %t/model.mlir --quantize-rtn="bits=4 group-size=32 ignore=layers.1 table=false" -o %t/q.mlir
// RUN: FileCheck %s --input-file=%t/q.mlir
// RUN: llmc-opt %t/q.mlir --quantize-rtn="bits=4 group-size=32 ignore=layers.[02] table=false" \
// RUN:   | FileCheck %s --check-prefix=AGAIN

// CHECK: func.func private @block(%{{.*}}: tensor<?x32xf32>, %{{.*}}: tensor<32x32xf32, #llmc.grouped<{{.*}}>>, %{{.*}}: tensor<32x32xf32, #llmc.grouped<{{.*}}>>) -> tensor<?x32xf32>
// CHECK: llmc.linear %{{.*}}, %{{.*}} activation <bits = 8, group = 32>
// CHECK: llmc.linear %{{.*}}, %{{.*}} activation <bits = 8, group = 32>
// CHECK: func.func @step
// CHECK: %[[H1:.*]] = call @block(
// CHECK: %[[UP:.*]] = llmc.parameter_value @layers.1.up : tensor<32x32xf32>
// CHECK: llmc.linear %[[H1]], %[[UP]] : (tensor<?x32xf32>, tensor<32x32xf32>)
// CHECK: llmc.activation
// CHECK: llmc.linear
// CHECK: %[[H2:.*]] = arith.addf
// CHECK: call @block(%[[H2]],

// AGAIN: func.func private @block(
// AGAIN-NOT: func.func private
// AGAIN: func.func @step
// AGAIN-NOT: llmc.activation
// AGAIN-COUNT-3: call @block(
// AGAIN-NOT: llmc.activation

llmc.parameter @embedding : tensor<32x32xf32> = #llmc.file<"weights.bin", offset = 0>
llmc.parameter @layers.0.up : tensor<32x32xf32> = #llmc.file<"weights.bin", offset = 0>
llmc.parameter @layers.0.down : tensor<32x32xf32> = #llmc.file<"weights.bin", offset = 4096>
llmc.parameter @layers.1.up : tensor<32x32xf32> = #llmc.file<"weights.bin", offset = 8192>
llmc.parameter @layers.1.down : tensor<32x32xf32> = #llmc.file<"weights.bin", offset = 12288>
llmc.parameter @layers.2.up : tensor<32x32xf32> = #llmc.file<"weights.bin", offset = 16384>
llmc.parameter @layers.2.down : tensor<32x32xf32> = #llmc.file<"weights.bin", offset = 20480>

func.func private @block(%h: tensor<?x32xf32>, %up: tensor<32x32xf32>, %down: tensor<32x32xf32>) -> tensor<?x32xf32> {
  %u = llmc.linear %h, %up : (tensor<?x32xf32>, tensor<32x32xf32>) -> tensor<?x32xf32>
  %a = llmc.activation <gelu> %u : tensor<?x32xf32>
  %d = llmc.linear %a, %down : (tensor<?x32xf32>, tensor<32x32xf32>) -> tensor<?x32xf32>
  %y = arith.addf %h, %d : tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows) -> tensor<?x32xf32> {
  %table = llmc.parameter_value @embedding : tensor<32x32xf32>
  %h0 = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<32x32xf32>) -> tensor<?x32xf32>
  %up0 = llmc.parameter_value @layers.0.up : tensor<32x32xf32>
  %down0 = llmc.parameter_value @layers.0.down : tensor<32x32xf32>
  %h1 = call @block(%h0, %up0, %down0) : (tensor<?x32xf32>, tensor<32x32xf32>, tensor<32x32xf32>) -> tensor<?x32xf32>
  %up1 = llmc.parameter_value @layers.1.up : tensor<32x32xf32>
  %down1 = llmc.parameter_value @layers.1.down : tensor<32x32xf32>
  %h2 = call @block(%h1, %up1, %down1) : (tensor<?x32xf32>, tensor<32x32xf32>, tensor<32x32xf32>) -> tensor<?x32xf32>
  %up2 = llmc.parameter_value @layers.2.up : tensor<32x32xf32>
  %down2 = llmc.parameter_value @layers.2.down : tensor<32x32xf32>
  %h3 = call @block(%h2, %up2, %down2) : (tensor<?x32xf32>, tensor<32x32xf32>, tensor<32x32xf32>) -> tensor<?x32xf32>
  %o = llmc.output_rows %h3, %rows : tensor<?x32xf32> -> tensor<?x32xf32>
  %y = llmc.linear %o, %table : (tensor<?x32xf32>, tensor<32x32xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}
