// RUN: llmc-opt %s --bound-kept-weights | FileCheck %s
// RUN: llmc-opt %s --bound-kept-weights > %t.once
// RUN: llmc-opt %s --bound-kept-weights --bound-kept-weights | diff %t.once -

// Layers that keep different shares are one function, whose weights keep as many as any. Matrices of
// another encoding or shape have bounds of their own; parameters stay as they are.

// CHECK: llmc.parameter @up0 : tensor<8x8xf32, #llmc.masked<20, f16>>
// CHECK: llmc.parameter @up1 : tensor<8x8xf32, #llmc.masked<24, f16>>
// CHECK: llmc.parameter @up2 : tensor<8x8xf32, #llmc.masked<9, f16>>
// CHECK-LABEL: func.func private @block(
// CHECK-SAME: tensor<8x8xf32, #llmc.masked<24, f16>>) -> tensor<?x8xf32>
// CHECK-LABEL: func.func @step(
// CHECK-DAG: llmc.parameter_value @table : tensor<4x8xf32, #llmc.masked<5, f16>>
// CHECK-DAG: llmc.parameter_value @up0 : tensor<8x8xf32, #llmc.masked<24, f16>>
// CHECK-COUNT-3: call @block
// CHECK: llmc.parameter_value @other : tensor<8x8xf32, #llmc.masked<7, f32>>

llmc.parameter @table : tensor<4x8xf32, #llmc.masked<5, f16>> = #llmc.file<"w", offset = 0>
llmc.parameter @gain : tensor<8xf32> = #llmc.file<"w", offset = 0>
llmc.parameter @up0 : tensor<8x8xf32, #llmc.masked<20, f16>> = #llmc.file<"w", offset = 0>
llmc.parameter @up1 : tensor<8x8xf32, #llmc.masked<24, f16>> = #llmc.file<"w", offset = 0>
llmc.parameter @up2 : tensor<8x8xf32, #llmc.masked<9, f16>> = #llmc.file<"w", offset = 0>
llmc.parameter @other : tensor<8x8xf32, #llmc.masked<7, f32>> = #llmc.file<"w", offset = 0>

func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows) -> tensor<?x8xf32> {
  %table = llmc.parameter_value @table : tensor<4x8xf32, #llmc.masked<5, f16>>
  %h0 = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<4x8xf32, #llmc.masked<5, f16>>) -> tensor<?x8xf32>
  %gain = llmc.parameter_value @gain : tensor<8xf32>
  %up0 = llmc.parameter_value @up0 : tensor<8x8xf32, #llmc.masked<20, f16>>
  %n0 = llmc.rms_norm %h0, %gain : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %u0 = llmc.linear %n0, %up0 : (tensor<?x8xf32>, tensor<8x8xf32, #llmc.masked<20, f16>>) -> tensor<?x8xf32>
  %g0 = llmc.gate <silu> %n0, %u0 : tensor<?x8xf32>
  %h1 = arith.addf %h0, %g0 : tensor<?x8xf32>
  %up1 = llmc.parameter_value @up1 : tensor<8x8xf32, #llmc.masked<24, f16>>
  %n1 = llmc.rms_norm %h1, %gain : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %u1 = llmc.linear %n1, %up1 : (tensor<?x8xf32>, tensor<8x8xf32, #llmc.masked<24, f16>>) -> tensor<?x8xf32>
  %g1 = llmc.gate <silu> %n1, %u1 : tensor<?x8xf32>
  %h2 = arith.addf %h1, %g1 : tensor<?x8xf32>
  %up2 = llmc.parameter_value @up2 : tensor<8x8xf32, #llmc.masked<9, f16>>
  %n2 = llmc.rms_norm %h2, %gain : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
  %u2 = llmc.linear %n2, %up2 : (tensor<?x8xf32>, tensor<8x8xf32, #llmc.masked<9, f16>>) -> tensor<?x8xf32>
  %g2 = llmc.gate <silu> %n2, %u2 : tensor<?x8xf32>
  %h3 = arith.addf %h2, %g2 : tensor<?x8xf32>
  %wanted = llmc.output_rows %h3, %rows : tensor<?x8xf32> -> tensor<?x8xf32>
  %other = llmc.parameter_value @other : tensor<8x8xf32, #llmc.masked<7, f32>>
  %logits = llmc.linear %wanted, %other : (tensor<?x8xf32>, tensor<8x8xf32, #llmc.masked<7, f32>>) -> tensor<?x8xf32>
  return %logits : tensor<?x8xf32>
}
